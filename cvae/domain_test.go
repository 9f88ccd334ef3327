package cvae

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"rcvae"
	"rcvae/internal/gemm"
)

// gaussian returns samples of N(offset, A Aᵀ), 8 a question, where the rows of A
// (D, D) shrink so that the covariance is far from round.
func gaussian(questions, D int, seed uint64) Data {
	a := shrinking(D)
	rng := rand.New(rand.NewPCG(seed, 3))
	var data Data
	for g := range questions {
		data.Questions = append(data.Questions, randomUnit(rng, D))
		for i := range 8 {
			z := make([]float32, D)
			for j := range z {
				z[j] = float32(rng.NormFloat64())
			}
			data.Solutions = append(data.Solutions, apply(a, z, 0.3))
			data.Group = append(data.Group, g)
			data.Correct = append(data.Correct, i%2 == 0)
			data.Answered = append(data.Answered, true)
		}
	}
	return data
}

func shrinking(D int) [][]float64 {
	rng := rand.New(rand.NewPCG(uint64(D), 4))
	a := make([][]float64, D)
	for i := range a {
		a[i] = make([]float64, D)
		for j := range a[i] {
			a[i][j] = rng.NormFloat64() / math.Sqrt(float64(1+j))
		}
	}
	return a
}

// apply returns A x + offset.
func apply(a [][]float64, x []float32, offset float64) rcvae.Embedding {
	out := make(rcvae.Embedding, len(a))
	for i := range a {
		sum := offset
		for j, v := range x {
			sum += a[i][j] * float64(v)
		}
		out[i] = float32(sum)
	}
	return out
}

// fitted returns a model with initial weights and a domain, and its training samples.
func fitted(t testing.TB, c Config, data Data) (*Model, []rcvae.Embedding) {
	t.Helper()
	pool := gemm.NewPool(2)
	defer pool.Close()
	trainer, err := newTrainer(c, data, Options{}, pool)
	if err != nil {
		t.Fatal(err)
	}
	m := newModel(c, trainer.pass.params, trainer.pass.q, trainer.pass.r)
	if err := trainer.fitDomain(m); err != nil {
		t.Fatal(err)
	}
	var samples []rcvae.Embedding
	for _, q := range trainer.train {
		samples = append(samples, data.Solutions[q.from:q.to]...)
	}
	return m, samples
}

func distances(t testing.TB, m *Model, solutions []rcvae.Embedding) []float64 {
	t.Helper()
	out, err := m.Distances(make(rcvae.Embedding, m.config.Dimension), solutions)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDistancesMatchDenseInverse computes d² as it is defined, with plain loops and
// the inverse of the covariance, and its mean over the training samples from the
// covariance's eigenvalues.
func TestDistancesMatchDenseInverse(t *testing.T) {
	const D = 48
	m, samples := fitted(t, small(Contrastive, D), gaussian(400, D, 1))
	plain := mat.NewDense(D, D, nil)
	for _, s := range samples {
		x := standardized(m.r, s)
		for i := range D {
			for j := range D {
				plain.Set(i, j, plain.At(i, j)+x[i]*x[j]/float64(len(samples)))
			}
		}
	}
	ridge := 0.001 * mat.Trace(plain) / D
	var inverse mat.Dense
	inverse.Add(plain, mat.NewDiagDense(D, slices.Repeat([]float64{ridge}, D)))
	if err := inverse.Inverse(&inverse); err != nil {
		t.Fatal(err)
	}
	var mean float64
	for i, got := range distances(t, m, samples) {
		x := mat.NewVecDense(D, standardized(m.r, samples[i]))
		want := mat.Inner(x, &inverse, x) / D
		if math.Abs(got-want) > 1e-3*want {
			t.Errorf("sample %d: d² = %g, want %g", i, got, want)
		}
		mean += got / float64(len(samples))
	}
	rows := make([][]float64, D)
	for i := range rows {
		rows[i] = mat.Row(nil, i, plain)
	}
	want := 0.0
	for _, lambda := range eigenvalues(rows) {
		want += lambda / (lambda + ridge) / D
	}
	if math.Abs(mean-want) > 1e-4 || want < 0.9 {
		t.Errorf("mean d² of the training samples = %g, want %g, near 1", mean, want)
	}
}

// TestDistancesIgnoreLinearMaps: without its ridge, d² is the same after the
// samples were mapped by an invertible matrix.
func TestDistancesIgnoreLinearMaps(t *testing.T) {
	const D = 12
	data := gaussian(100, D, 2)
	a := shrinking(D)
	var mapped []rcvae.Embedding
	for _, s := range data.Solutions {
		mapped = append(mapped, apply(a, s, 0))
	}
	want, got := squares(t, data.Solutions, 1e-9), squares(t, mapped, 1e-9)
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-3*want[i] {
			t.Errorf("sample %d: d² = %g after the map, %g before", i, got[i], want[i])
		}
	}
}

// squares returns d² of samples that are not standardised.
func squares(t *testing.T, samples []rcvae.Embedding, ridge float64) []float64 {
	t.Helper()
	D := len(samples[0])
	pool := gemm.NewPool(1)
	defer pool.Close()
	identity := newStandardizer(make([]float32, D), ones(D))
	whitening, err := whiten(covariance(pool, identity, samples), ridge)
	if err != nil {
		t.Fatal(err)
	}
	c := small(Contrastive, D)
	m := newModel(c, newNetwork(c).initial(c), identity, identity)
	m.domain = newDomain(D, whitening)
	return distances(t, m, samples)
}

// TestFamiliarityOfHeldOutSamples: of the samples that set them, 25 % lie above near
// and 5 % above far; of new ones of the same distribution, about as many.
func TestFamiliarityOfHeldOutSamples(t *testing.T) {
	const D = 16
	c := small(Contrastive, D)
	data := gaussian(800, D, 5)
	m, _ := fitted(t, c, data)
	var held []rcvae.Embedding
	holdout := Holdout(c, len(data.Questions))
	for i, s := range data.Solutions {
		if holdout[data.Group[i]] {
			held = append(held, s)
		}
	}
	for name, test := range map[string]struct {
		samples   []rcvae.Embedding
		tolerance float64
	}{
		"held-out samples": {held, 1.5 / float64(len(held))},
		"new samples":      {gaussian(800, D, 6).Solutions, 0.04}, // over two deviations
	} {
		f, err := m.Familiarity(data.Questions[0], test.samples)
		if err != nil {
			t.Fatal(err)
		}
		var unsure, strange float64
		for _, v := range f {
			if v < 1 {
				unsure += 1 / float64(len(f))
			}
			if v == 0 {
				strange += 1 / float64(len(f))
			}
		}
		if math.Abs(unsure-0.25) > test.tolerance || math.Abs(strange-0.05) > test.tolerance {
			t.Errorf("%d %s: %.3f above near and %.3f from far, want 0.25 and 0.05", len(f), name, unsure, strange)
		}
	}
	var strangers []rcvae.Embedding
	for _, s := range held {
		x := append(rcvae.Embedding{}, s...)
		for j := range x {
			x[j] *= 4
		}
		strangers = append(strangers, x)
	}
	f, err := m.Familiarity(data.Questions[0], strangers)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f) - len(slices.DeleteFunc(slices.Clone(f), func(v float64) bool { return v == 0 })); n < len(f)*9/10 {
		t.Errorf("%d of %d samples of four times the size are strangers, want nearly all", n, len(f))
	}
}

func TestFamiliarityFallsWithDistance(t *testing.T) {
	m, samples := fitted(t, small(Contrastive, 12), gaussian(100, 12, 7))
	c := m.Calibration()
	for square, want := range map[float64]float64{0: 1, c.Near / 2: 1, c.Near: 1, math.Sqrt(c.Near * c.Far): 0.5, c.Far: 0, 2 * c.Far: 0} {
		if got := familiarity(square, c); math.Abs(got-want) > 1e-12 {
			t.Errorf("familiarity at d² %g = %g, want %g", square, got, want)
		}
	}
	var path []rcvae.Embedding // from the mean outwards
	for step := range 200 {
		x := make(rcvae.Embedding, 12)
		for j := range x {
			x[j] = m.r.mean[j] + float32(step)/20*(samples[0][j]-m.r.mean[j])
		}
		path = append(path, x)
	}
	f, err := m.Familiarity(samples[0], path)
	if err != nil {
		t.Fatal(err)
	}
	d2 := distances(t, m, path)
	if f[0] != 1 || f[199] != 0 || !slices.IsSorted(d2) {
		t.Fatalf("familiarity from %g to %g, want 1 to 0 with growing distance", f[0], f[199])
	}
	for i := range f[1:] {
		if f[i+1] > f[i] {
			t.Errorf("familiarity rises from %g to %g between the distances %g and %g", f[i], f[i+1], d2[i], d2[i+1])
		}
	}
}

// TestDistancesAreIndependent: a candidate's distance depends neither on its place
// nor on the others, bit by bit.
func TestDistancesAreIndependent(t *testing.T) {
	m, samples := fitted(t, small(Contrastive, 67), gaussian(100, 67, 8))
	all := distances(t, m, samples[:64])
	for i := range all {
		if got := distances(t, m, samples[i:i+1])[0]; got != all[i] {
			t.Errorf("sample %d: d² = %v alone, %v among 64", i, got, all[i])
		}
	}
}
