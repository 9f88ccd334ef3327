package cvae

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/internal/gemm"
)

func train(t testing.TB, c Config, data Data, options Options) *Model {
	t.Helper()
	m, err := Train(t.Context(), c, data, options)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWorkersDoNotChangeWeights(t *testing.T) {
	for _, objective := range Objectives() {
		data := synthetic(40, 6, 33, 1)
		one := train(t, small(objective, 33), data, Options{Workers: 1})
		two := train(t, small(objective, 33), data, Options{Workers: 2})
		if !slices.Equal(one.params, two.params) {
			t.Errorf("%s: weights with 1 and 2 workers differ", objective)
		}
	}
}

// TestResume stops a run in the middle of an epoch, again at its first step after
// that, and then lets it finish: the weights are those of an uninterrupted run.
func TestResume(t *testing.T) {
	for _, objective := range []string{Contrastive, Paper} {
		t.Run(objective, func(t *testing.T) {
			data, c := synthetic(60, 6, 24, 2), small(objective, 24)
			want := train(t, c, data, Options{})
			options := Options{Checkpoint: filepath.Join(t.TempDir(), "state"), Resume: true}
			for _, stop := range []int{3, 1, c.Epochs * 2} {
				interrupt(t, c, data, options, stop)
			}
			if _, err := Load(options.Checkpoint); err == nil || !strings.Contains(err.Error(), "unfinished") {
				t.Errorf("Load(checkpoint) = %v, want an error that says what it is", err)
			}
			got := train(t, c, data, options)
			if !slices.Equal(got.params, want.params) {
				t.Error("resumed weights differ from the uninterrupted run's")
			}
			for i := range want.summary.Curve {
				got, want := got.summary.Curve[i], want.summary.Curve[i]
				if got.Loss != want.Loss || got.KL != want.KL || *got.Validation != *want.Validation || got.ActiveUnits != want.ActiveUnits {
					t.Errorf("epoch %d: log = %+v, want %+v", i+1, got, want)
				}
			}
			again := train(t, c, data, options) // of a run that is done
			if !slices.Equal(again.params, want.params) {
				t.Error("resuming a finished run changes its weights")
			}
		})
	}
}

// interrupt trains for some steps and then ends the context.
func interrupt(t *testing.T, c Config, data Data, options Options, steps int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	options.OnStep = func(StepLog) {
		if steps--; steps == 0 {
			cancel()
		}
	}
	if _, err := Train(ctx, c, data, options); !errors.Is(err, context.Canceled) {
		t.Fatalf("Train with a cancelled context = %v, want %v", err, context.Canceled)
	}
}

func TestResumeRefusesAnotherRun(t *testing.T) {
	data, c := synthetic(30, 4, 16, 2), small(Contrastive, 16)
	options := Options{Checkpoint: filepath.Join(t.TempDir(), "state"), Resume: true}
	interrupt(t, c, data, options, 2)
	other := c
	other.LearningRate = 0.5
	for name, run := range map[string]func() error{
		"LearningRate": func() error { _, err := Train(t.Context(), other, data, options); return err },
		"data":         func() error { _, err := Train(t.Context(), c, synthetic(30, 4, 16, 3), options); return err },
		"embedder": func() error {
			options := options
			options.Fingerprint = rcvae.Fingerprint{Name: "other", Dimension: 16}
			_, err := Train(t.Context(), c, data, options)
			return err
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("resume with another %s = %v, want an error that says so", name, err)
		}
	}
}

// TestContrastiveLearns trains on questions whose right answers can be told, and
// expects held-out ones to have the lower entropy.
func TestContrastiveLearns(t *testing.T) {
	for _, objective := range []string{Contrastive, Ratio} {
		data, c := synthetic(200, 8, 24, 5), small(objective, 24)
		c.Epochs, c.Batch, c.LearningRate = 20, 16, 1e-2
		m := train(t, c, data, Options{})
		pairs, ordered := 0.0, 0.0
		holdout := Holdout(c, len(data.Questions))
		for _, q := range data.questions() {
			if !holdout[q.index] {
				continue
			}
			scores := m.scores(t, data.Questions[q.index], data.Solutions[q.from:q.to])
			for i, right := range data.Correct[q.from:q.to] {
				for j, other := range data.Correct[q.from:q.to] {
					if right && !other {
						pairs++
						if scores[i] > scores[j] {
							ordered++
						}
					}
				}
			}
		}
		if ordered < 0.9*pairs {
			t.Errorf("%s: AUROC = %.3f, want at least 0.9", objective, ordered/pairs)
		}
	}
}

func (m *Model) scores(t testing.TB, q rcvae.Embedding, solutions []rcvae.Embedding) []float64 {
	t.Helper()
	var out []float64
	if m.config.Objective == Ratio {
		likelihoods, err := m.Likelihoods(q, solutions)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range likelihoods {
			out = append(out, m.calibration.Scale*l.Ratio)
		}
		return out
	}
	posteriors, err := m.Posteriors(q, solutions)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range posteriors {
		out = append(out, -m.calibration.Scale*p.HalfLogVar())
	}
	return out
}

func TestOverfitsOneBatch(t *testing.T) {
	data, c := synthetic(4, 2, 16, 1), small(Paper, 16)
	c.Hidden, c.Latent, c.LearnVariance, c.LogVariance, c.Beta = []int{64}, 8, true, -3, 1e-3
	c.Epochs, c.Holdout, c.LearningRate, c.KLWarmup = 1500, 0, 5e-3, 0
	var first, last EpochLog
	train(t, c, data, Options{OnEpoch: func(l EpochLog) {
		if l.Epoch == 1 {
			first = l
		}
		last = l
	}})
	// In nats: eight vectors of 16 elements are rebuilt almost exactly.
	if last.Recon > first.Recon-40 {
		t.Errorf("reconstruction went from %.2f to %.2f nats, want at least 40 lower", first.Recon, last.Recon)
	}
}

// TestLiteralLossCollapses shows what METHOD.md proves: on unit vectors, the mean
// squared error is worth less than the KL divergence for every Beta above 2/D.
func TestLiteralLossCollapses(t *testing.T) {
	const D = 32
	data := synthetic(60, 4, D, 4)
	for name, c := range map[string]Config{Paper: small(Paper, D), Authors: small(Authors, D), "beta 4/D": small(Authors, D)} {
		c.Epochs, c.LearningRate, c.KLWarmup = 60, 1e-2, 0
		if name == "beta 4/D" {
			c.Beta = 4.0 / D
		}
		m := train(t, c, data, Options{})
		s := m.Summary()
		if d := s.Diagnostics; !d.Collapsed || d.ActiveUnits != 0 || d.KL > 0.1 {
			t.Errorf("%s: %d active units, KL %.3g nats, want a collapsed posterior", name, d.ActiveUnits, d.KL)
		}
		if !strings.Contains(strings.Join(s.Warnings, "\n"), "collapsed") {
			t.Errorf("%s: warnings = %q, want one about the collapse", name, s.Warnings)
		}
	}
	c := small(Authors, D)
	c.Epochs, c.LearningRate, c.Beta = 60, 1e-2, 1e-4
	if d := train(t, c, data, Options{}).Summary().Diagnostics; d.Collapsed {
		t.Errorf("beta 1e-4: collapsed, want active units")
	}
}

// TestLinearReachesOptimum trains a linear CVAE on r = A·q + W·z + noise, whose best
// ELBO is the likelihood of probabilistic PCA on the residuals of r given q
// (Tipping, Bishop 1999; Lucas et al. 2019).
func TestLinearReachesOptimum(t *testing.T) {
	const D, d, n = 4, 2, 2000
	data, residualCovariance := linearData(D, n)
	c := DefaultConfig(Paper, D)
	c.Hidden, c.Latent, c.LearnVariance, c.Holdout, c.KLWarmup = nil, d, true, 0, 0
	c.Epochs, c.LearningRate, c.Batch = 150, 2e-2, 100
	m := train(t, c, data, Options{})

	values := eigenvalues(residualCovariance)
	s2 := (values[2] + values[3]) / (D - d)
	want := (math.Log(values[0]) + math.Log(values[1]) + (D-d)*math.Log(s2) + D) / 2

	if got := math.Exp(m.net.variance(c, m.params)); math.Abs(got-s2) > 0.03*s2 {
		t.Errorf("s² = %.4f, want %.4f", got, s2)
	}
	got := negativeELBO(m, data)
	if math.Abs(got-want) > 0.02 || got < want-0.01 {
		t.Errorf("−ELBO = %.4f nats, want %.4f", got, want)
	}
}

// negativeELBO returns the mean over the data, with several draws of z a sample.
func negativeELBO(m *Model, data Data) float64 {
	pool := gemm.NewPool(1)
	defer pool.Close()
	p := newPass(m.config, m.net, data, pool, m.q, m.r, m.params)
	rng := rand.New(rand.NewPCG(1, 2))
	p.noise = func(_, _ int, eps []float32) {
		for j := range eps {
			eps[j] = float32(rng.NormFloat64())
		}
	}
	var sums terms
	for range 20 {
		var b batch
		b.reset()
		for _, q := range data.questions() {
			b.add(m.config, data, q, false)
		}
		sums.add(p.forward(&b, 0, 1))
	}
	return sums.value(m.config)
}

// linearData returns n pairs, and the covariance (D, D) of what is left of r after
// the best linear prediction from q.
func linearData(D, n int) (Data, [][]float64) {
	rng := rand.New(rand.NewPCG(7, 7))
	var data Data
	W := [][]float64{{2, 0.5}, {-1, 1}, {0.3, 1.2}, {0, -0.7}}
	covariance := make([][]float64, D)
	for j := range covariance {
		covariance[j] = make([]float64, D)
	}
	for i := range n {
		q, r := make(rcvae.Embedding, D), make(rcvae.Embedding, D)
		z := []float64{rng.NormFloat64(), rng.NormFloat64()}
		rest := make([]float64, D)
		for j := range D {
			q[j] = float32(rng.NormFloat64())
			rest[j] = W[j][0]*z[0] + W[j][1]*z[1] + 0.4*rng.NormFloat64()
			r[j] = float32(rest[j]) + 0.5*q[j]
		}
		for j := range D {
			for k := range D {
				covariance[j][k] += rest[j] * rest[k] / float64(n)
			}
		}
		data.Questions = append(data.Questions, q)
		data.Solutions = append(data.Solutions, r)
		data.Group = append(data.Group, i)
	}
	return data, covariance
}

// eigenvalues returns those of a symmetric matrix, largest first, by Jacobi's rotations.
func eigenvalues(a [][]float64) []float64 {
	n := len(a)
	for range 50 {
		for p := range n {
			for q := p + 1; q < n; q++ {
				theta := math.Atan2(2*a[p][q], a[q][q]-a[p][p]) / 2
				c, s := math.Cos(theta), math.Sin(theta)
				for k := range n {
					a[k][p], a[k][q] = c*a[k][p]-s*a[k][q], s*a[k][p]+c*a[k][q]
				}
				for k := range n {
					a[p][k], a[q][k] = c*a[p][k]-s*a[q][k], s*a[p][k]+c*a[q][k]
				}
			}
		}
	}
	var out []float64
	for i := range n {
		out = append(out, a[i][i])
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

func TestTrainReportsBadData(t *testing.T) {
	good := synthetic(10, 4, 8, 1)
	for name, c := range map[string]struct {
		change func(*Data)
		want   string
	}{
		"empty":       {func(d *Data) { *d = Data{} }, "no training samples"},
		"no verdicts": {func(d *Data) { d.Correct = nil }, "needs graded samples"},
		"lengths":     {func(d *Data) { d.Group = d.Group[1:] }, "40 solutions but 39 group entries"},
		"unsorted":    {func(d *Data) { d.Group = append([]int{9}, d.Group[1:]...) }, "sort the solutions by question"},
		"dimension":   {func(d *Data) { d.Solutions = append(d.Solutions[:39:39], make(rcvae.Embedding, 9)) }, "solution 39: embedding has 9 dimensions, the model 8"},
		"NaN": {func(d *Data) {
			bad := slices.Clone(d.Questions[3])
			bad[2] = float32(math.NaN())
			d.Questions = slices.Clone(d.Questions)
			d.Questions[3] = bad
		}, "question 3: embedding is NaN at dimension 2"},
		"all right": {func(d *Data) { d.Correct = slices.Repeat([]bool{true}, 40) }, "draw more samples"},
	} {
		data := good
		c.change(&data)
		_, err := Train(t.Context(), small(Contrastive, 8), data, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Train() = %v, want %q", name, err, c.want)
		}
	}
}

func TestDivergenceIsAnError(t *testing.T) {
	c := small(Paper, 8)
	c.LearningRate, c.Epochs, c.Cosine = 1e30, 20, false
	if _, err := Train(t.Context(), c, synthetic(10, 4, 8, 1), Options{}); err == nil || !strings.Contains(err.Error(), "epoch") {
		t.Errorf("Train() = %v, want an error that names the epoch", err)
	}
}

func TestHoldout(t *testing.T) {
	c := DefaultConfig(Contrastive, 8)
	for n, want := range map[int]int{0: 0, 1: 0, 3: 0, 8: 1, 1000: 125} {
		held := 0
		for _, h := range Holdout(c, n) {
			if h {
				held++
			}
		}
		if held != want {
			t.Errorf("Holdout of %d holds %d out, want %d", n, held, want)
		}
	}
	c.Seed = 5
	if !slices.Equal(Holdout(c, 100), Holdout(DefaultConfig(Contrastive, 8), 100)) {
		t.Error("Holdout depends on the seed")
	}
}

func TestValidateReportsEveryField(t *testing.T) {
	err := Config{Objective: "best", Hidden: []int{0}, Beta: -1}.Validate()
	for _, want := range []string{`"best"`, "dimension", "latent", "hidden[0]", "beta", "elbo_weight", "epochs", "batch", "iwae_samples"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, want it to name %s", err, want)
		}
	}
	for _, objective := range Objectives() {
		for _, D := range []int{1, 384, 1024} {
			if err := DefaultConfig(objective, D).Validate(); err != nil {
				t.Errorf("DefaultConfig(%s, %d): %v", objective, D, err)
			}
		}
	}
}

// TestEarlyStop trains without progress: the best epoch's weights are kept.
func TestEarlyStop(t *testing.T) {
	c := small(Paper, 8)
	c.Epochs, c.Patience, c.LearningRate, c.KLWarmup = 50, 2, 0, 0
	s := train(t, c, synthetic(40, 2, 8, 1), Options{}).Summary()
	if !s.StoppedEarly || s.Epochs != 3 || s.BestEpoch != 1 {
		t.Errorf("stopped early %v after %d epochs with the best %d, want true, 3, 1", s.StoppedEarly, s.Epochs, s.BestEpoch)
	}
}

func TestSameSeedSameModel(t *testing.T) {
	data := synthetic(30, 4, 16, 1)
	var files [][]byte
	for range 2 {
		m := train(t, small(Contrastive, 16), data, Options{})
		m.summary.Seconds = 0
		for i := range m.summary.Curve {
			m.summary.Curve[i].Seconds = 0
		}
		file, err := m.encodeFile()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two runs of one seed give different models")
	}
}
