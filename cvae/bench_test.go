package cvae

import (
	"testing"

	"rcvae"
	"rcvae/internal/gemm"
)

// BenchmarkTrain measures training steps of the size that tools/bench/train.py
// gives to PyTorch: D 1024, hidden 1024-1024, d 256, 256 pairs a step.
func BenchmarkTrain(b *testing.B) {
	for _, precision := range []string{Float32, BFloat16} {
		b.Run(precision, func(b *testing.B) {
			c := DefaultConfig(Paper, 1024)
			c.Holdout, c.Precision = 0, precision
			benchmarkSteps(b, c, allCorrect(synthetic(1024, 2, 1024, 1)))
		})
	}
}

// BenchmarkTrainContrastive measures steps of the default objective on the
// built-in embedder's dimension: 64 questions of 8 samples a step.
func BenchmarkTrainContrastive(b *testing.B) {
	for _, precision := range []string{Float32, BFloat16} {
		b.Run(precision, func(b *testing.B) {
			c := DefaultConfig(Contrastive, 384)
			c.Precision = precision
			benchmarkSteps(b, c, synthetic(256, 8, 384, 1))
		})
	}
}

// allCorrect returns the questions with every candidate correct.
func allCorrect(questions []rcvae.Encoded) []rcvae.Encoded {
	for _, e := range questions {
		for i := range e.Candidates {
			e.Candidates[i].Verdict = rcvae.Correct
		}
	}
	return questions
}

func benchmarkSteps(b *testing.B, c Config, questions []rcvae.Encoded) {
	d, o := newTestData(b, c, questions)
	pool := gemm.NewPool(0)
	defer pool.Close()
	t, err := newTrainer(c, o, d, Options{}, pool)
	if err != nil {
		b.Fatal(err)
	}
	units, samples := make([]int, c.Batch), 0
	next := 0
	for b.Loop() {
		for i := range units {
			units[i] = next
			u := t.units[next]
			samples += u.to - u.from
			next = (next + 1) % len(t.units)
		}
		if err := t.step(units); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(samples)/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkPosteriors16 measures the posteriors of 16 candidates, embedded already.
func BenchmarkPosteriors16(b *testing.B) { benchmarkInfer(b, benchmarkModel(b), 16, false) }

// BenchmarkLikelihoods16 measures everything the decoder says of 16 candidates.
func BenchmarkLikelihoods16(b *testing.B) { benchmarkInfer(b, benchmarkModel(b), 16, true) }

// BenchmarkInfer64 measures posteriors and in-distribution weights of 64 candidates.
func BenchmarkInfer64(b *testing.B) {
	m, _, _ := fitted(b, DefaultConfig(Contrastive, 384), synthetic(64, 16, 384, 1))
	benchmarkInfer(b, m, 64, false)
}

func benchmarkInfer(b *testing.B, m *Model, n int, likelihoods bool) {
	questions := synthetic(16, 16, 384, 1)
	candidates := solutions(questions)[:n]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Infer(questions[0].Embedding, candidates, likelihoods); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "candidates/s")
}

// BenchmarkFitWhitening measures the covariance and its factor for 10,240 samples.
func BenchmarkFitWhitening(b *testing.B) {
	samples := solutions(synthetic(64, 160, 384, 1))
	pool := gemm.NewPool(0)
	defer pool.Close()
	for b.Loop() {
		if _, err := whiten(covariance(pool, 384, len(samples), copies(samples)), ridge); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(samples)*b.N)/b.Elapsed().Seconds(), "samples/s")
}

// copies gives the samples to covariance as they are.
func copies(samples []rcvae.Solution) func(i int, x []float32) {
	return func(i int, x []float32) { copy(x, samples[i].Embedding) }
}

// benchmarkModel returns a model with initial weights that does not standardise.
func benchmarkModel(t testing.TB) *Model {
	c := DefaultConfig(Contrastive, 384)
	return untrained(t, c)
}

func untrained(t testing.TB, c Config) *Model {
	t.Helper()
	o, err := LookupObjective(c.Objective)
	if err != nil {
		t.Fatal(err)
	}
	identity := newStandardizer(make([]float32, c.elements()), ones(c.elements()))
	return newModel(o, newNetwork(c, o).initial(), &inputs{c, identity, identity})
}

func ones(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	return x
}

// BenchmarkInferSignals16 measures all but the likelihoods of 16 candidates with 24
// columns beside the embedding.
func BenchmarkInferSignals16(b *testing.B) {
	var names []string
	for i := range 24 {
		names = append(names, string(rune('a'+i)))
	}
	m, questions := untrained(b, DefaultConfig(Contrastive, 384, names...)), synthetic(1, 16, 384, 1)
	for i := range questions[0].Solutions {
		questions[0].Solutions[i].Signals = make([]float64, 24)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Infer(questions[0].Embedding, questions[0].Solutions, false); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(16*float64(b.N)/b.Elapsed().Seconds(), "candidates/s")
}
