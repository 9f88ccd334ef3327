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

// fingerprint is of the fake embedder.
var fingerprint = rcvae.Fingerprint{Name: "fake", Dimension: 2, Normalized: true}

// fakeEmbedder maps a text to a unit vector of two dimensions.
type fakeEmbedder struct{}

func (fakeEmbedder) Fingerprint() rcvae.Fingerprint { return fingerprint }

func (fakeEmbedder) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	out := make([]rcvae.Embedding, len(texts))
	for i, text := range texts {
		h := fnv.New32a()
		h.Write([]byte(text.Text))
		sin, cos := math.Sincos(float64(h.Sum32()) / math.MaxUint32 * math.Pi)
		out[i] = rcvae.Embedding{float32(cos), float32(sin)}
	}
	return out, ctx.Err()
}

// fakeModel has the entropy gain·r[0]: wide, or with gain 0 collapsed. Texts with r[1] <
// 0.1 are out-of-distribution if it can tell.
type fakeModel struct {
	gain float32
	far  float64
}

func (m fakeModel) Info() rcvae.ModelInfo {
	return rcvae.ModelInfo{Fingerprint: fingerprint, Calibration: rcvae.Calibration{Objective: "contrastive", Score: "entropy", Scale: 1, Tau: 0.5, Far: m.far}}
}

func (m fakeModel) Infer(_ rcvae.Embedding, solutions []rcvae.Solution, _ bool) ([]rcvae.Inference, error) {
	out := make([]rcvae.Inference, len(solutions))
	for i, s := range solutions {
		r := s.Embedding
		out[i] = rcvae.Inference{Posterior: rcvae.Posterior{Mu: []float32{m.gain * r[0], 0}, LogVar: []float32{m.gain * r[0], 0}}, InDistribution: 1}
		if m.far > 0 && r[1] < 0.1 {
			out[i].InDistribution = 0
		}
	}
	return out, nil
}

// simulate draws questions whose correct answer is "1".
func simulate(questions, n int, seed uint64) []rcvae.Question {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]rcvae.Question, questions)
	for q := range out {
		out[q].ID, out[q].Question = fmt.Sprint("q", q, " of ", seed), fmt.Sprint("question ", q)
		for i := range n {
			answer := []string{"1", "1", "2", "3", ""}[rng.IntN(5)]
			verdict := rcvae.Incorrect
			if answer == "1" {
				verdict = rcvae.Correct
			}
			out[q].Candidates = append(out[q].Candidates, rcvae.Candidate{
				Text: fmt.Sprintf("solution %d of %d: %s%s", i, q, answer, strings.Repeat("!", rng.IntN(9))), Answer: answer, Verdict: verdict,
				Tokens: 10, LogProb: &rcvae.LogProb{Sum: -10 * rng.Float64(), Tail: -rng.Float64()},
			})
		}
	}
	return out
}

func sources(gains ...float32) selector.Sources {
	src := selector.Sources{Embedder: fakeEmbedder{}}
	for _, g := range gains {
		src.Models = append(src.Models, fakeModel{gain: g})
	}
	return src
}

func near(got, want float64) bool { return math.Abs(got-want) < 1e-9 }

func run(t testing.TB, c eval.Config, questions []rcvae.Question, src selector.Sources) eval.Pool {
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
