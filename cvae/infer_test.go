package cvae

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/rcvaetest"
)

// trained returns a model of the objective after a short training.
func trained(t testing.TB, objective string, D int) (*Model, []rcvae.Encoded) {
	data := synthetic(40, 19, D, 9)
	c := small(objective, D)
	c.Epochs = 1
	return run(t, c, data, Options{Fingerprint: rcvae.Fingerprint{Name: "test", Dimension: D}}), data
}

// TestCandidatesAreIndependent checks, bit by bit and with every set of kernels,
// that a candidate's result depends neither on its place nor on the others.
func TestCandidatesAreIndependent(t *testing.T) {
	for _, kernels := range gemm.Available() {
		restore, err := gemm.Force(kernels)
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range [][]int{{16}, {37, 16}, nil} {
			c := small(Ratio, 67)
			c.Epochs, c.Hidden = 1, hidden
			data := synthetic(40, 19, 67, 9)
			checkIndependent(t, kernels, run(t, c, data, Options{}), data)
			signals := withSignals(data, 9)
			c.Signals, c.Standardize = signalNames, true
			checkIndependent(t, kernels+" with signals", run(t, c, signals, Options{}), signals)
		}
		restore()
	}
}

func checkIndependent(t *testing.T, name string, m *Model, data []rcvae.Encoded) {
	t.Helper()
	question, all := data[0].Embedding, data[0].Solutions
	want := infer(t, m, question, all)
	rng := rand.New(rand.NewPCG(1, 1))
	for n := 1; n <= len(all); n++ {
		order := rng.Perm(len(all))[:n]
		var some []rcvae.Solution
		for _, i := range order {
			some = append(some, all[i])
		}
		got := infer(t, m, question, some)
		without, err := m.Infer(question, some, false)
		if err != nil {
			t.Fatal(err)
		}
		for k, i := range order {
			if !reflect.DeepEqual(got[k], want[i]) {
				t.Errorf("%s: the inference of candidate %d changes when it is number %d of %d", name, i, k, n)
			}
			if !reflect.DeepEqual(without[k].Posterior, want[i].Posterior) || without[k].InDistribution != want[i].InDistribution || without[k].Likelihood != (rcvae.Likelihood{}) {
				t.Errorf("%s: candidate %d without likelihoods is %v, want %v", name, i, without[k], want[i])
			}
		}
	}
}

// TestLaws runs the laws of every model, with and without signals and embeddings.
func TestLaws(t *testing.T) {
	for _, objective := range Objectives() {
		for name, c := range map[string]Config{"": small(objective, 12), " with signals": small(objective, 12, signalNames...)} {
			t.Run(objective+name, func(t *testing.T) {
				c.Epochs = 1
				data := synthetic(40, 19, 12, 9)
				if len(c.Signals) > 0 {
					data = withSignals(data, 9)
				}
				rcvaetest.TestModel(t, run(t, c, data, Options{}), data[0].Embedding, data[0].Solutions[:7])
			})
		}
	}
}

// TestLikelihoods checks the bounds against plain loops.
func TestLikelihoods(t *testing.T) {
	for _, objective := range Objectives() {
		for _, signals := range [][]string{nil, signalNames} {
			c, data := small(objective, 12, signals...), synthetic(40, 19, 12, 9)
			if signals != nil {
				data = withSignals(data, 9)
			}
			c.Epochs = 1
			m := run(t, c, data, Options{})
			f := reference{inputs: m.inputs, net: m.net}
			for _, v := range m.params {
				f.params = append(f.params, float64(v))
			}
			q := standardized(m.q, data[0].Embedding)
			for i, got := range infer(t, m, data[0].Embedding, data[0].Solutions) {
				x, missing := f.solution(data[0].Solutions[i], nil)
				f.checkLikelihood(t, objective, got.Likelihood, q, x, missing, m.noise())
			}
		}
	}
}

func (f reference) checkLikelihood(t *testing.T, name string, got rcvae.Likelihood, q, x []float64, missing []bool, noise []float32) {
	t.Helper()
	mu, logVar := f.encode(q, x, missing, nil)
	correct, incorrect := f.square(q, mu, x, missing, 1)/2, f.square(q, mu, x, missing, 0)/2
	near(t, name+" Recon", got.Recon, correct)
	if name == Ratio {
		near(t, "Ratio", got.Ratio, (incorrect-correct)*math.Exp(-f.lnS2()))
	} else if !math.IsNaN(got.Ratio) {
		t.Errorf("%s: Ratio = %g, want NaN without classes", name, got.Ratio)
	}
	elbo, iwae := f.bounds(q, x, missing, mu, logVar, noise)
	near(t, name+" ELBO", got.ELBO, elbo)
	near(t, name+" IWAE", got.IWAE, iwae)
}

// bounds returns the means of ln w and the logarithm of the mean of w, in plain loops.
func (f reference) bounds(q, x []float64, missing []bool, mu, logVar []float64, noise []float32) (elbo, iwae float64) {
	d, lnS2, present := len(mu), f.lnS2(), 0.0
	for _, m := range missing {
		if !m {
			present++
		}
	}
	var sum float64
	for k := 0; k < len(noise); k += d {
		log := -present / 2 * lnS2
		z := make([]float64, d)
		for j := range d {
			sigma := math.Exp(logVar[j] / 2)
			z[j] = mu[j] + sigma*float64(noise[k+j])
			log += -z[j]*z[j]/2 + (z[j]-mu[j])*(z[j]-mu[j])/(2*sigma*sigma) + math.Log(sigma)
		}
		log -= f.square(q, z, x, missing, 1) / 2 * math.Exp(-lnS2)
		elbo += log * float64(d) / float64(len(noise))
		sum += math.Exp(log)
	}
	return elbo, math.Log(sum * float64(d) / float64(len(noise)))
}

func near(t *testing.T, name string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-4*math.Max(1, math.Abs(want))) {
		t.Errorf("%s = %.7g, want %.7g", name, got, want)
	}
}

func TestInferReportsBadInput(t *testing.T) {
	m, data := trained(t, Contrastive, 12)
	good := data[0].Solutions[0]
	change := func(v float32) rcvae.Solution {
		x := slices.Clone(good.Embedding)
		x[3] = v
		return rcvae.Solution{Embedding: x}
	}
	for want, call := range map[string]struct {
		question  rcvae.Embedding
		solutions []rcvae.Solution
	}{
		"question: embedding has 3 dimensions, the model 12":            {make(rcvae.Embedding, 3), []rcvae.Solution{good}},
		"solution 0: embedding has 3 dimensions, the model 12":          {data[0].Embedding, []rcvae.Solution{{Embedding: make(rcvae.Embedding, 3)}}},
		"solution 1: embedding is +Inf at dimension 3":                  {data[0].Embedding, []rcvae.Solution{good, change(float32(math.Inf(1)))}},
		"solution 1: its posterior is not finite: the embedding is not": {data[0].Embedding, []rcvae.Solution{good, change(math.MaxFloat32)}},
		"solution 0: 1 signals, the model has 0":                        {data[0].Embedding, []rcvae.Solution{{Embedding: good.Embedding, Signals: []float64{1}}}},
	} {
		if _, err := m.Infer(call.question, call.solutions, false); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Infer() = %v, want %q", err, want)
		}
	}
}

func TestConcurrentInfer(t *testing.T) {
	m, data := trained(t, Ratio, 12)
	want := infer(t, m, data[0].Embedding, data[0].Solutions)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				got, err := m.Infer(data[0].Embedding, data[0].Solutions, true)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("concurrent inferences differ (%v)", err)
				}
			}
		})
	}
	group.Wait()
}

// TestDiagnostics computes the summary's diagnostics from the posteriors.
func TestDiagnostics(t *testing.T) {
	m, data := trained(t, Contrastive, 12)
	got := m.Summary().Diagnostics
	var kl, spread float64
	for _, e := range data {
		var sum, square float64
		for _, inference := range infer(t, m, e.Embedding, e.Solutions) {
			p := inference.Posterior
			kl += p.KL() / float64(len(solutions(data)))
			sum += p.Entropy()
			square += p.Entropy() * p.Entropy()
		}
		n := float64(len(e.Solutions))
		spread += math.Sqrt((square-sum*sum/n)/(n-1)) / float64(len(data))
	}
	near(t, "KL", got.KL, kl)
	near(t, "EntropySD", *got.EntropySD, spread)
	if got.Solutions != len(solutions(data)) {
		t.Errorf("diagnosed on %d solutions, want %d", got.Solutions, len(solutions(data)))
	}
}

// TestDiagnoseReportsBrokenPosteriors: a question whose posterior is not finite is an
// error, not one question less.
func TestDiagnoseReportsBrokenPosteriors(t *testing.T) {
	m, data := trained(t, Contrastive, 12)
	data[5].Solutions[2].Embedding[0] = 3e38
	d, _ := newTestData(t, m.config, data)
	pool := gemm.NewPool(1)
	defer pool.Close()
	if _, err := m.diagnose(pool, d); err == nil || !strings.Contains(err.Error(), "question q5: solution 2: its posterior is not finite") {
		t.Errorf("diagnose() = %v, want an error that names the question", err)
	}
}

// TestWithCalibration: the copy has the calibration and the original keeps its own.
func TestWithCalibration(t *testing.T) {
	m, data := trained(t, Contrastive, 12)
	before, want := m.Info().Calibration, infer(t, m, data[0].Embedding, data[0].Solutions)
	c := before
	c.Tau, c.Near, c.Far = 0, 0, 0
	other := m.WithCalibration(c)
	if other.Info().Calibration != c || m.Info().Calibration != before {
		t.Errorf("calibrations = %+v and %+v, want %+v and %+v", other.Info().Calibration, m.Info().Calibration, c, before)
	}
	got := infer(t, other, data[0].Embedding, data[0].Solutions)
	for i := range got {
		if !reflect.DeepEqual(got[i].Posterior, want[i].Posterior) || got[i].InDistribution != 1 {
			t.Errorf("candidate %d of the copy: %v, want the same posterior and, without thresholds, the weight 1", i, got[i])
		}
	}
	c.Tau = math.NaN()
	if _, err := m.WithCalibration(c).encodeFile(); err == nil {
		t.Error("a model with tau NaN can be saved")
	}
}
