package cvae

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"rcvae"
	"rcvae/internal/gemm"
)

// gaussian returns samples of N(offset, A Aᵀ), 8 per question, where the rows of A
// (D, D) shrink so that the covariance is far from round.
func gaussian(questions, D int, seed uint64) []rcvae.Encoded {
	a := shrinking(D)
	rng := rand.New(rand.NewPCG(seed, 3))
	var out []rcvae.Encoded
	for g := range questions {
		e := encoded(g, randomUnit(rng, D))
		for i := range 8 {
			z := make([]float32, D)
			for j := range z {
				z[j] = float32(rng.NormFloat64())
			}
			add(&e, apply(a, z, 0.3), i%2 == 0, true)
		}
		out = append(out, e)
	}
	return out
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

// fitted returns a model with initial weights and a whitening, with the samples that
// it was fitted on and those held out.
func fitted(t testing.TB, c Config, questions []rcvae.Encoded) (m *Model, train, held []rcvae.Solution) {
	t.Helper()
	pool := gemm.NewPool(2)
	defer pool.Close()
	d, o := newTestData(t, c, questions)
	trainer, err := newTrainer(c, o, d, Options{}, pool)
	if err != nil {
		t.Fatal(err)
	}
	m = newModel(o, trainer.pass.params, trainer.pass.inputs)
	if err := m.fitWhitening(pool, d, trainer.train, trainer.held); err != nil {
		t.Fatal(err)
	}
	return m, d.solutions(trainer.train), d.solutions(trainer.held)
}

// distances returns d² of the samples.
func distances(t testing.TB, m *Model, samples []rcvae.Solution) []float64 {
	t.Helper()
	w := newWorkspace().(*workspace)
	if err := m.standardize(w, make(rcvae.Embedding, m.config.Dimension), samples); err != nil {
		t.Fatal(err)
	}
	return m.distances(w)
}

// weights returns the in-distribution weights of the samples.
func weights(t testing.TB, m *Model, samples []rcvae.Solution) (out []float64) {
	t.Helper()
	inferences, err := m.Infer(make(rcvae.Embedding, m.config.Dimension), samples, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, inference := range inferences {
		out = append(out, inference.InDistribution)
	}
	return out
}

// TestDistancesMatchDenseInverse computes d² as it is defined, with plain loops and
// the inverse of the covariance, and its mean over the training samples from the
// covariance's eigenvalues.
func TestDistancesMatchDenseInverse(t *testing.T) {
	const D = 48
	m, samples, _ := fitted(t, small(Contrastive, D), gaussian(400, D, 1))
	plain := mat.NewDense(D, D, nil)
	for _, s := range samples {
		x := standardized(m.r, s.Embedding)
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
		x := mat.NewVecDense(D, standardized(m.r, samples[i].Embedding))
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
	samples := solutions(gaussian(100, D, 2))
	a := shrinking(D)
	var mapped []rcvae.Solution
	for _, s := range samples {
		mapped = append(mapped, rcvae.Solution{Embedding: apply(a, s.Embedding, 0)})
	}
	want, got := squares(t, samples, 1e-9), squares(t, mapped, 1e-9)
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-3*want[i] {
			t.Errorf("sample %d: d² = %g after the map, %g before", i, got[i], want[i])
		}
	}
}

// squares returns d² of samples that are not standardised.
func squares(t *testing.T, samples []rcvae.Solution, ridge float64) []float64 {
	t.Helper()
	D := len(samples[0].Embedding)
	pool := gemm.NewPool(1)
	defer pool.Close()
	rows, err := whiten(covariance(pool, D, len(samples), copies(samples)), ridge)
	if err != nil {
		t.Fatal(err)
	}
	m := untrained(t, small(Contrastive, D))
	m.whitening = newWhitening(D, rows)
	return distances(t, m, samples)
}

// TestWeightsOfHeldOutSamples: of the samples that set them, 25 % lie above near and
// 5 % above far; of new ones of the same distribution, about as many.
func TestWeightsOfHeldOutSamples(t *testing.T) {
	const D = 16
	m, _, held := fitted(t, small(Contrastive, D), gaussian(800, D, 5))
	for name, test := range map[string]struct {
		samples   []rcvae.Solution
		tolerance float64
	}{
		"held-out samples": {held, 1.5 / float64(len(held))},
		"new samples":      {solutions(gaussian(800, D, 6)), 0.04}, // over two deviations
	} {
		f := weights(t, m, test.samples)
		if above, from := share(f, func(v float64) bool { return v < 1 }), share(f, func(v float64) bool { return v == 0 }); math.Abs(above-0.25) > test.tolerance || math.Abs(from-0.05) > test.tolerance {
			t.Errorf("%d %s: %.3f above near and %.3f from far, want 0.25 and 0.05", len(f), name, above, from)
		}
	}
	var far []rcvae.Solution
	for _, s := range held {
		x := slices.Clone(s.Embedding)
		for j := range x {
			x[j] *= 4
		}
		far = append(far, rcvae.Solution{Embedding: x})
	}
	if out := share(weights(t, m, far), func(v float64) bool { return v == 0 }); out < 0.9 {
		t.Errorf("%.3f of the samples of four times the size are out of distribution, want nearly all", out)
	}
}

func share(values []float64, of func(float64) bool) float64 {
	n := 0
	for _, v := range values {
		if of(v) {
			n++
		}
	}
	return float64(n) / float64(len(values))
}

// TestThresholdsAreOfHeldOutQuestions: what is trained on does not move near and far
// once the whitening is given.
func TestThresholdsAreOfHeldOutQuestions(t *testing.T) {
	m, _, held := fitted(t, small(Contrastive, 12), gaussian(200, 12, 3))
	d2 := distances(t, m, held)
	slices.Sort(d2)
	n := float64(len(d2))
	c := m.Info().Calibration
	if near, far := d2[int(math.Ceil(0.75*n))-1], d2[int(math.Ceil(0.95*n))-1]; c.Near != near || c.Far != far {
		t.Errorf("near %g and far %g, want %g and %g of %d held-out samples", c.Near, c.Far, near, far, len(d2))
	}
	config := small(Contrastive, 12)
	config.Holdout, config.Epochs = 0, 1
	without := run(t, config, gaussian(200, 12, 3), Options{})
	if c := without.Info().Calibration; c.Far != 0 || !strings.Contains(strings.Join(without.Summary().Warnings, "\n"), "no question is held out") {
		t.Errorf("without held-out questions: far %g, warnings %q, want none and the reason", c.Far, without.Summary().Warnings)
	}
}

func TestWeightFallsWithDistance(t *testing.T) {
	m, samples, _ := fitted(t, small(Contrastive, 12), gaussian(100, 12, 7))
	c := m.Info().Calibration
	for square, want := range map[float64]float64{0: 1, c.Near / 2: 1, c.Near: 1, math.Sqrt(c.Near * c.Far): 0.5, c.Far: 0, 2 * c.Far: 0} {
		if got := inDistribution(square, c); math.Abs(got-want) > 1e-12 {
			t.Errorf("weight at d² %g = %g, want %g", square, got, want)
		}
	}
	var path []rcvae.Solution // from the mean outwards
	for step := range 200 {
		x := make(rcvae.Embedding, 12)
		for j := range x {
			x[j] = m.r.mean[j] + float32(step)/20*(samples[0].Embedding[j]-m.r.mean[j])
		}
		path = append(path, rcvae.Solution{Embedding: x})
	}
	f := weights(t, m, path)
	d2 := distances(t, m, path)
	if f[0] != 1 || f[199] != 0 || !slices.IsSorted(d2) {
		t.Fatalf("weights from %g to %g, want 1 to 0 with growing distance", f[0], f[199])
	}
	for i := range f[1:] {
		if f[i+1] > f[i] {
			t.Errorf("the weight rises from %g to %g between the distances %g and %g", f[i], f[i+1], d2[i], d2[i+1])
		}
	}
}

// TestDistancesAreIndependent: a candidate's distance depends neither on its place
// nor on the others, bit by bit.
func TestDistancesAreIndependent(t *testing.T) {
	m, samples, _ := fitted(t, small(Contrastive, 67), gaussian(100, 67, 8))
	all := distances(t, m, samples[:64])
	for i := range all {
		if got := distances(t, m, samples[i:i+1])[0]; got != all[i] {
			t.Errorf("sample %d: d² = %v alone, %v among 64", i, got, all[i])
		}
	}
}
