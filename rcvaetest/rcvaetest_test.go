package rcvaetest_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"rcvae"
	"rcvae/cvae"
	"rcvae/embed"
	"rcvae/embed/minilm"
	"rcvae/grade"
	"rcvae/rcvaetest"
	"rcvae/selector"
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
func model(t *testing.T, objective string, fp rcvae.Fingerprint) (*cvae.Model, cvae.Data) {
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
	var data cvae.Data
	for q := range 40 {
		data.Questions = append(data.Questions, vector())
		for s := range 4 {
			data.Solutions = append(data.Solutions, vector())
			data.Group = append(data.Group, q)
			data.Correct = append(data.Correct, s%2 == 0)
			data.Answered = append(data.Answered, true)
		}
	}
	config := cvae.DefaultConfig(objective, fp.Dimension)
	config.Epochs = 2
	m, err := cvae.Train(t.Context(), config, data, cvae.Options{Fingerprint: fp})
	if err != nil {
		t.Fatal(err)
	}
	return m, data
}

func TestModels(t *testing.T) {
	for _, objective := range cvae.Objectives() {
		t.Run(objective, func(t *testing.T) {
			m, data := model(t, objective, rcvae.Fingerprint{Name: "random", Dimension: 24})
			rcvaetest.TestModel(t, m, data.Questions[0], data.Solutions[:7])
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
	sources := selector.Sources{Embedder: e, Models: []rcvae.Model{m}, Grader: grader}
	for _, rule := range selector.Rules() {
		if rule.EvaluationOnly() {
			continue
		}
		t.Run(rule.Name, func(t *testing.T) {
			s, err := selector.New(rule.Name, sources, selector.Options{})
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
