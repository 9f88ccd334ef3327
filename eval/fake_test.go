package eval_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"rcvae"
	"rcvae/eval"
	"rcvae/selector"
)

// fakeEmbedder maps a text to a unit vector of two dimensions.
type fakeEmbedder struct{}

func (fakeEmbedder) Embed(ctx context.Context, texts []string) ([]rcvae.Embedding, error) {
	out := make([]rcvae.Embedding, len(texts))
	for i, text := range texts {
		h := fnv.New32a()
		h.Write([]byte(text))
		sin, cos := math.Sincos(float64(h.Sum32()) / math.MaxUint32 * math.Pi)
		out[i] = rcvae.Embedding{float32(cos), float32(sin)}
	}
	return out, ctx.Err()
}

// fakeModel has the entropy gain·r[0]: wide, or with gain 0 collapsed.
type fakeModel struct{ gain float32 }

func (m fakeModel) Calibration() rcvae.Calibration {
	return rcvae.Calibration{Objective: "contrastive", Scale: 1, Tau: 0.5}
}

func (m fakeModel) Posteriors(_ rcvae.Embedding, solutions []rcvae.Embedding) ([]rcvae.Posterior, error) {
	out := make([]rcvae.Posterior, len(solutions))
	for i, r := range solutions {
		out[i] = rcvae.Posterior{Mu: []float32{m.gain * r[0], 0}, LogVar: []float32{m.gain * r[0], 0}}
	}
	return out, nil
}

// simulate draws questions whose right answer is "1".
func simulate(questions, n int, seed uint64) []eval.Question {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]eval.Question, questions)
	for q := range out {
		out[q] = eval.Question{ID: fmt.Sprint("q", q), Question: fmt.Sprint("question ", q)}
		for i := range n {
			answer := []string{"1", "1", "2", "3", ""}[rng.IntN(5)]
			out[q].Candidates = append(out[q].Candidates, rcvae.Candidate{
				Text: fmt.Sprintf("solution %d of %d: %s%s", i, q, answer, strings.Repeat("!", rng.IntN(9))), Answer: answer,
				Tokens: 10, LogProb: &rcvae.LogProb{Sum: -10 * rng.Float64(), Tail: -rng.Float64()},
			})
			out[q].Correct = append(out[q].Correct, answer == "1")
		}
	}
	return out
}

func sources(gains ...float32) selector.Sources {
	src := selector.Sources{Embedder: fakeEmbedder{}}
	for _, g := range gains {
		src.Models = append(src.Models, fakeModel{g})
	}
	return src
}

func run(t testing.TB, c eval.Config, questions []eval.Question, src selector.Sources) eval.Pool {
	t.Helper()
	r, err := eval.Run(t.Context(), c, questions, src)
	if err != nil {
		t.Fatal(err)
	}
	return r.Pools[0]
}

func find(t testing.TB, p eval.Pool, name string) eval.Selector {
	t.Helper()
	for _, s := range p.Selectors {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no selector %s in the result", name)
	return eval.Selector{}
}

func config(k ...int) eval.Config {
	c := eval.DefaultConfig()
	c.K, c.Resamples = k, 200
	return c
}
