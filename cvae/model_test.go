package cvae

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"rcvae"
	"rcvae/internal/gemm"
)

// trained returns a model of the objective after a short training.
func trained(t testing.TB, objective string, D int) (*Model, Data) {
	data := synthetic(40, 19, D, 9)
	c := small(objective, D)
	c.Epochs = 1
	return train(t, c, data, Options{Fingerprint: rcvae.Fingerprint{Name: "test", Dimension: D}}), data
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
			checkIndependent(t, kernels, train(t, c, data, Options{}), data)
		}
		restore()
	}
}

func checkIndependent(t *testing.T, kernels string, m *Model, data Data) {
	t.Helper()
	solutions := data.Solutions[:19]
	posteriors, err := m.Posteriors(data.Questions[0], solutions)
	if err != nil {
		t.Fatal(err)
	}
	likelihoods, err := m.Likelihoods(data.Questions[0], solutions)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for n := 1; n <= len(solutions); n++ {
		order := rng.Perm(len(solutions))[:n]
		var some []rcvae.Embedding
		for _, i := range order {
			some = append(some, solutions[i])
		}
		gotP, err := m.Posteriors(data.Questions[0], some)
		if err != nil {
			t.Fatal(err)
		}
		gotL, err := m.Likelihoods(data.Questions[0], some)
		if err != nil {
			t.Fatal(err)
		}
		for k, i := range order {
			if !reflect.DeepEqual(gotP[k], posteriors[i]) {
				t.Errorf("%s: posterior of candidate %d changes when it is number %d of %d", kernels, i, k, n)
			}
			if gotL[k] != likelihoods[i] {
				t.Errorf("%s: likelihood of candidate %d changes when it is number %d of %d", kernels, i, k, n)
			}
		}
	}
}

// TestLikelihoods checks the bounds against plain loops and against each other.
func TestLikelihoods(t *testing.T) {
	for _, objective := range Objectives() {
		m, data := trained(t, objective, 12)
		f := reference{c: m.config, net: m.net, q: m.q, r: m.r}
		for _, v := range m.params {
			f.params = append(f.params, float64(v))
		}
		lnS2 := m.net.variance(m.config, m.params)
		posteriors, err := m.Posteriors(data.Questions[0], data.Solutions[:5])
		if err != nil {
			t.Fatal(err)
		}
		likelihoods, err := m.Likelihoods(data.Questions[0], data.Solutions[:5])
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range likelihoods {
			q, r := standardized(f.q, data.Questions[0]), standardized(f.r, data.Solutions[i])
			var mu []float64
			for _, v := range posteriors[i].Mu {
				mu = append(mu, float64(v))
			}
			right, wrong := f.square(q, mu, r, 1)/2, f.square(q, mu, r, 0)/2
			near(t, objective+" Recon", got.Recon, right)
			near(t, objective+" ELBO", got.ELBO, -right*math.Exp(-lnS2)-6*lnS2-posteriors[i].KL())
			if objective == Ratio {
				near(t, "Ratio", got.Ratio, (wrong-right)*math.Exp(-lnS2))
			} else if !math.IsNaN(got.Ratio) {
				t.Errorf("%s: Ratio = %g, want NaN without classes", objective, got.Ratio)
			}
			near(t, objective+" IWAE", got.IWAE, f.importance(q, r, mu, posteriors[i].LogVar, m.noise))
		}
	}
}

// importance is the importance-weighted bound as it is defined, in plain loops.
func (f reference) importance(q, r, mu []float64, logVar, noise []float32) float64 {
	d := len(mu)
	lnS2 := f.c.LogVariance
	if f.c.LearnVariance {
		lnS2 = f.params[f.net.logVariance.Offset]
	} else if f.c.MeanSquared {
		lnS2 = math.Log(float64(len(r)) / 2)
	}
	var sum float64
	for k := 0; k < len(noise); k += d {
		var log float64
		z := make([]float64, d)
		for j := range d {
			sigma := math.Exp(float64(logVar[j]) / 2)
			z[j] = mu[j] + sigma*float64(noise[k+j])
			log += -z[j]*z[j]/2 + (z[j]-mu[j])*(z[j]-mu[j])/(2*sigma*sigma) + math.Log(sigma)
		}
		sum += math.Exp(log - f.square(q, z, r, 1)/2*math.Exp(-lnS2) - float64(len(r))/2*lnS2)
	}
	return math.Log(sum * float64(d) / float64(len(noise)))
}

func near(t *testing.T, name string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-4*math.Max(1, math.Abs(want))) {
		t.Errorf("%s = %.7g, want %.7g", name, got, want)
	}
}

func TestPosteriorsReportBadInput(t *testing.T) {
	m, data := trained(t, Contrastive, 12)
	bad := append(rcvae.Embedding{}, data.Solutions[0]...)
	bad[3] = float32(math.Inf(1))
	for want, call := range map[string]func() ([]rcvae.Posterior, error){
		"question: embedding has 3 dimensions, the model 12": func() ([]rcvae.Posterior, error) {
			return m.Posteriors(make(rcvae.Embedding, 3), data.Solutions[:1])
		},
		"solution 1: embedding is +Inf at dimension 3": func() ([]rcvae.Posterior, error) {
			return m.Posteriors(data.Questions[0], []rcvae.Embedding{data.Solutions[0], bad})
		},
	} {
		if _, err := call(); err == nil || err.Error() != want {
			t.Errorf("Posteriors() = %v, want %q", err, want)
		}
	}
	if got, err := m.Posteriors(data.Questions[0], nil); err != nil || len(got) != 0 {
		t.Errorf("Posteriors of nothing = %v, %v", got, err)
	}
}

func TestConcurrentPosteriors(t *testing.T) {
	m, data := trained(t, Contrastive, 12)
	want, err := m.Posteriors(data.Questions[0], data.Solutions[:16])
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				got, err := m.Posteriors(data.Questions[0], data.Solutions[:16])
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("concurrent Posteriors differ (%v)", err)
				}
			}
		})
	}
	group.Wait()
}

func TestCheckEmbedder(t *testing.T) {
	m, _ := trained(t, Contrastive, 12)
	if err := m.CheckEmbedder(m.Fingerprint()); err != nil {
		t.Error(err)
	}
	err := m.CheckEmbedder(rcvae.Fingerprint{Name: "other", Dimension: 12})
	if err == nil || !strings.Contains(err.Error(), "test (12-d") || !strings.Contains(err.Error(), "other (12-d") {
		t.Errorf("CheckEmbedder() = %v, want an error with both names", err)
	}
}

func TestDiagnose(t *testing.T) {
	m, data := trained(t, Contrastive, 12)
	d, err := m.Diagnose(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(d, m.Summary().Diagnostics) {
		t.Errorf("Diagnose(training data) = %+v, want the summary's %+v", d, m.Summary().Diagnostics)
	}
	var kl, spread float64
	for _, q := range data.questions() {
		posteriors, err := m.Posteriors(data.Questions[q.index], data.Solutions[q.from:q.to])
		if err != nil {
			t.Fatal(err)
		}
		var sum, square float64
		for _, p := range posteriors {
			kl += p.KL() / float64(len(data.Solutions))
			sum += p.Entropy()
			square += p.Entropy() * p.Entropy()
		}
		n := float64(len(posteriors))
		spread += math.Sqrt((square-sum*sum/n)/(n-1)) / float64(len(data.Questions))
	}
	near(t, "KL", d.KL, kl)
	near(t, "Spread", d.Spread, spread)
}

func TestSetTau(t *testing.T) {
	m, _ := trained(t, Contrastive, 12)
	if err := m.SetTau(0.25); err != nil || m.Calibration().Tau != 0.25 {
		t.Errorf("SetTau(0.25) = %v, Tau = %g", err, m.Calibration().Tau)
	}
	if m.SetTau(math.NaN()) == nil || m.SetTau(-1) == nil {
		t.Error("SetTau accepts NaN or −1")
	}
}
