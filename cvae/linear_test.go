package cvae

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"rcvae"
	"rcvae/internal/gemm"
)

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
