package rcvaetest_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"rcvae"
	"rcvae/builtin"
	"rcvae/cvae"
	"rcvae/embed"
	"rcvae/embed/minilm"
	"rcvae/grade"
	"rcvae/rcvaetest"
	"rcvae/selector"
	"rcvae/signal"
)

func embedder(t *testing.T) *minilm.Embedder {
	t.Helper()
	e, err := minilm.New(minilm.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEmbedders(t *testing.T) {
	inner := embedder(t)
	t.Run("minilm", func(t *testing.T) { rcvaetest.TestEmbedder(t, inner) })
	for name, path := range map[string]string{"cache in memory": "", "cache in a file": t.TempDir() + "/c.sqlite"} {
		t.Run(name, func(t *testing.T) {
			cache, err := embed.OpenCache(path, inner)
			if err != nil {
				t.Fatal(err)
			}
			defer cache.Close()
			rcvaetest.TestEmbedder(t, cache)
		})
	}
}

// model trains a small model on random unit vectors.
func model(t *testing.T, objective string, fp rcvae.Fingerprint) (*cvae.Model, []rcvae.Encoded) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	vector := func() rcvae.Embedding {
		e := make(rcvae.Embedding, fp.Dimension)
		var square float64
		for i := range e {
			v := rng.NormFloat64()
			e[i] = float32(v)
			square += v * v
		}
		for i := range e {
			e[i] /= float32(math.Sqrt(square))
		}
		return e
	}
	questions := make([]rcvae.Encoded, 40)
	for i := range questions {
		q := &questions[i]
		q.ID, q.Embedding = fmt.Sprint(i), vector()
		for j := range 8 {
			q.Candidates = append(q.Candidates, rcvae.Candidate{Answer: "1", Verdict: rcvae.Verdict(1 + j%2)})
			q.Solutions = append(q.Solutions, rcvae.Solution{Embedding: vector(), Signals: []float64{rng.NormFloat64(), float64(j % 3)}})
		}
	}
	config := cvae.DefaultConfig(objective, fp.Dimension, "wrong", "coverage")
	config.Epochs, config.SignalVersion = 2, signal.Version
	m, err := cvae.Train(t.Context(), config, questions, cvae.Options{Fingerprint: fp})
	if err != nil {
		t.Fatal(err)
	}
	return m, questions
}

func TestModels(t *testing.T) {
	for _, objective := range cvae.Objectives() {
		t.Run(objective, func(t *testing.T) {
			m, questions := model(t, objective, rcvae.Fingerprint{Name: "random", Dimension: 24})
			rcvaetest.TestModel(t, m, questions[0].Embedding, questions[0].Solutions)
		})
	}
}

func TestSelectors(t *testing.T) {
	e := embedder(t)
	m, _ := model(t, cvae.Ratio, e.Fingerprint())
	grader, err := grade.New("gsm8k")
	if err != nil {
		t.Fatal(err)
	}
	logProb := &rcvae.LogProb{Sum: -3, Tail: -0.2, MinWindow: -0.4}
	candidates := []rcvae.Candidate{
		{Text: "2 + 3 = 5", Answer: "5", Tokens: 7, LogProb: logProb}, {Text: "It is 6.", Answer: "6", Tokens: 5, LogProb: logProb},
		{Text: "no idea", Tokens: 3, LogProb: logProb}, {Text: "5.0, of course", Answer: "5.0", Tokens: 6, LogProb: logProb},
	}
	fitted, err := builtin.Open(builtin.Signals)
	if err != nil {
		t.Fatal(err)
	}
	sources := selector.Sources{Embedder: e, Models: []rcvae.Model{m}, Grader: grader, Signals: fitted}
	for _, rule := range selector.Rules() {
		if rule.EvaluationOnly() {
			continue
		}
		t.Run(rule.Name(), func(t *testing.T) {
			s, err := selector.New(rule, sources, selector.Options{})
			if err != nil {
				t.Fatal(err)
			}
			rcvaetest.TestSelector(t, s, "What is 2 + 3?", candidates)
		})
	}
}

func TestGraders(t *testing.T) {
	for _, kind := range grade.Kinds() {
		g, err := grade.New(kind)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(kind, func(t *testing.T) { rcvaetest.TestGrader(t, g, "So it is \\boxed{72}.\n#### 72") })
	}
}
