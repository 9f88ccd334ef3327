package cvae

import (
	"testing"

	"rcvae/internal/gemm"
)

// BenchmarkTrain measures training steps of the size that tools/bench/train.py
// gives to PyTorch: D 1024, hidden 1024-1024, d 256, 256 pairs a step.
func BenchmarkTrain(b *testing.B) {
	c := DefaultConfig(Paper, 1024)
	c.Holdout = 0
	benchmarkSteps(b, c, synthetic(1024, 2, 1024, 1))
}

// BenchmarkTrainContrastive measures steps of the default objective on the
// built-in embedder's dimension: 64 questions of 8 samples a step.
func BenchmarkTrainContrastive(b *testing.B) {
	benchmarkSteps(b, DefaultConfig(Contrastive, 384), synthetic(256, 8, 384, 1))
}

func benchmarkSteps(b *testing.B, c Config, data Data) {
	pool := gemm.NewPool(0)
	defer pool.Close()
	t, err := newTrainer(c, data, Options{}, pool)
	if err != nil {
		b.Fatal(err)
	}
	noise := t.newNoise()
	t.useNoise(noise, 1)
	units, samples := make([]int, c.Batch), 0
	next := 0
	for b.Loop() {
		for i := range units {
			units[i] = next
			u := t.units[next]
			samples += u.to - u.from
			next = (next + 1) % len(t.units)
		}
		if err := t.step(units, 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(samples)/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkPosteriors16 measures the posteriors of 16 candidates, embedded already.
func BenchmarkPosteriors16(b *testing.B) {
	m, data := benchmarkModel(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Posteriors(data.Questions[0], data.Solutions[:16]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(16*float64(b.N)/b.Elapsed().Seconds(), "candidates/s")
}

// BenchmarkLikelihoods16 measures everything the decoder says of 16 candidates.
func BenchmarkLikelihoods16(b *testing.B) {
	m, data := benchmarkModel(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Likelihoods(data.Questions[0], data.Solutions[:16]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(16*float64(b.N)/b.Elapsed().Seconds(), "candidates/s")
}

// BenchmarkFamiliarity64 measures how familiar 64 candidates are.
func BenchmarkFamiliarity64(b *testing.B) {
	data := synthetic(64, 16, 384, 1)
	m, _ := fitted(b, DefaultConfig(Contrastive, 384), data)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Familiarity(data.Questions[0], data.Solutions[:64]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "candidates/s")
}

// BenchmarkFitDomain measures the covariance and its factor for 10,240 samples.
func BenchmarkFitDomain(b *testing.B) {
	samples := synthetic(64, 160, 384, 1).Solutions
	identity := newStandardizer(make([]float32, 384), ones(384))
	pool := gemm.NewPool(0)
	defer pool.Close()
	for b.Loop() {
		if _, err := whiten(covariance(pool, identity, samples), domainRidge); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(samples)*b.N)/b.Elapsed().Seconds(), "samples/s")
}

func benchmarkModel(b *testing.B) (*Model, Data) {
	c, data := DefaultConfig(Contrastive, 384), synthetic(16, 16, 384, 1)
	return newModel(c, newNetwork(c).initial(c), newStandardizer(make([]float32, 384), ones(384)), newStandardizer(make([]float32, 384), ones(384))), data
}

func ones(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	return x
}
