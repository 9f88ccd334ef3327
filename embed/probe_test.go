package embed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed"
)

// bagOfWords is the mean of a random vector per word, of unit length, with what real
// embedders can do to a text before.
type bagOfWords struct {
	prefix string // of solutions
	limit  int    // words that are read; 0: all
	refuse bool   // texts over the limit are refused
	first  bool   // the first word's vector alone
	noise  float64
	size   int
}

func (b bagOfWords) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: "bag", Dimension: b.size, Normalized: true}
}

func (b bagOfWords) Embed(_ context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	out := make([]rcvae.Embedding, len(texts))
	for i, t := range texts {
		text := "<s> " + t.Text
		if t.Role == rcvae.RoleSolution {
			text = "<s> " + b.prefix + t.Text
		}
		words := strings.Fields(text)
		if b.limit > 0 && len(words) > b.limit {
			if b.refuse {
				return nil, fmt.Errorf("the bag: %w", embed.ErrTooLong)
			}
			words = words[:b.limit]
		}
		if b.first {
			words = words[:1]
		}
		out[i] = b.mean(words)
	}
	return out, nil
}

func (b bagOfWords) mean(words []string) rcvae.Embedding {
	sum, square := make([]float64, b.size), 0.0
	for j := range sum {
		for _, w := range words {
			h := fnv.New32a()
			fmt.Fprintf(h, "%d %s", j, w)
			sum[j] += float64(h.Sum32()%2001)/1000 - 1
		}
		sum[j] += b.noise * math.Sin(float64(j)) * float64(len(words))
		square += sum[j] * sum[j]
	}
	e := make(rcvae.Embedding, b.size)
	for j, x := range sum {
		e[j] = float32(x / math.Sqrt(square))
	}
	return e
}

func probe(t *testing.T, e rcvae.Embedder) embed.Probes {
	t.Helper()
	p, err := embed.Probe(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProbesTellEmbeddersApart(t *testing.T) {
	base := bagOfWords{size: 64, limit: 512}
	want := probe(t, base)
	for _, tt := range []struct {
		name  string
		other bagOfWords
		part  string // of the error; "": they are alike
	}{
		{"itself", base, ""},
		{"a little noise", bagOfWords{size: 64, limit: 512, noise: 1e-4}, ""},
		{"another pooling", bagOfWords{size: 64, limit: 512, first: true}, "probe"},
		{"a prefix of solutions", bagOfWords{size: 64, limit: 512, prefix: "passage: "}, "as a solution"},
		{"fewer words", bagOfWords{size: 64, limit: 256}, "words"},
		{"more words", bagOfWords{size: 64, limit: 1024}, "1,500 words"},
		{"refused", bagOfWords{size: 64, limit: 512, refuse: true}, "refuses"},
		{"another dimension", bagOfWords{size: 32, limit: 512}, "64 and 32 dimensions"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			least, err := want.Compare(probe(t, tt.other))
			if tt.part == "" {
				if err != nil || least < embed.SameFrom {
					t.Errorf("Compare() = %v, %v, want alike", least, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.part) {
				t.Errorf("Compare() = %v, %v, want an error with %q", least, err, tt.part)
			}
		})
	}
}

func TestProbesAsJSON(t *testing.T) {
	p := probe(t, bagOfWords{size: 384, limit: 300, refuse: true})
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var q embed.Probes
	if err := json.Unmarshal(data, &q); err != nil {
		t.Fatal(err)
	}
	if least, err := p.Compare(q); err != nil || least < 1-1e-5 {
		t.Errorf("least cosine after a round trip %v, %v, want 1 to 1e-5", least, err)
	}
	if least := len(p.Vectors) - 1; p.Vectors[least] != nil || q.Vectors[least] != nil {
		t.Error("the refused text has a vector")
	}
	q.Version++
	if _, err := p.Compare(q); err == nil {
		t.Error("probes of two versions are compared")
	}
	for _, bad := range []string{`{"version":1,"vectors":["AA"]}`, `{"version":1,"vectors":["?"]}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), &q); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

type broken struct{ bagOfWords }

func (broken) Embed(context.Context, []rcvae.Text) ([]rcvae.Embedding, error) {
	return nil, errors.New("out of order")
}

func TestProbeReportsErrors(t *testing.T) {
	if _, err := embed.Probe(t.Context(), broken{}); err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("error %v, want the embedder's", err)
	}
}
