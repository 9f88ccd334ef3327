package demo

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"rcvae"
)

// random gives every text a direction of its own.
type random struct{ asked int }

func (*random) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: "random", Dimension: 384, Normalized: true}
}

func (r *random) Embed(_ context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	r.asked += len(texts)
	var out []rcvae.Embedding
	for _, t := range texts {
		source := rand.New(rand.NewPCG(uint64(len(t.Text)), uint64(t.Role)))
		e, square := make(rcvae.Embedding, 384), 0.0
		for j := range e {
			e[j] = float32(source.NormFloat64())
			square += float64(e[j]) * float64(e[j])
		}
		for j := range e {
			e[j] /= float32(math.Sqrt(square))
		}
		out = append(out, e)
	}
	return out, nil
}

// TestPackedVectorsAreTheEmbedders: packed texts are not asked for again, others are,
// and eight bits keep the direction.
func TestPackedVectorsAreTheEmbedders(t *testing.T) {
	inner := &random{}
	texts := []rcvae.Text{{Text: "a"}, {Role: 1, Text: "a"}, {Text: "abc"}}
	want, _ := inner.Embed(t.Context(), texts)
	data, err := Pack(inner.Fingerprint(), texts[:2], want[:2])
	if err != nil {
		t.Fatal(err)
	}
	e, err := unpacked(data, inner)
	if err != nil {
		t.Fatal(err)
	}
	inner.asked = 0
	got, err := e.Embed(t.Context(), texts)
	if err != nil || inner.asked != 1 {
		t.Fatalf("the inner embedder was asked for %d texts, want 1; %v", inner.asked, err)
	}
	for i := range texts {
		cosine, square := 0.0, 0.0
		for j, v := range got[i] {
			cosine += float64(v) * float64(want[i][j])
			square += float64(v) * float64(v)
		}
		if cosine < 0.9999 || math.Abs(square-1) > 1e-5 {
			t.Errorf("text %d: cosine %g with the embedder's, squared length %g", i, cosine, square)
		}
	}
}

type other struct{ random }

func (*other) Fingerprint() rcvae.Fingerprint { return rcvae.Fingerprint{Name: "other"} }

func TestVectorsOfAnotherEmbedderAreRefused(t *testing.T) {
	if _, err := Embedder(&other{}); err == nil {
		t.Error("the bundled vectors were taken for another embedder's")
	}
}
