package cvae

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"rcvae"
)

// TestLinearReachesOptimum trains a linear CVAE on r = A·q + W·z + noise, whose best
// ELBO is the likelihood of probabilistic PCA on the residuals of r given q
// (Tipping, Bishop 1999; Lucas et al. 2019).
func TestLinearReachesOptimum(t *testing.T) {
	const D, d, n = 4, 2, 2000
	data, residualCovariance := linearData(D, n)
	c := DefaultConfig(Paper, D)
	c.Hidden, c.Latent, c.LearnVariance, c.Holdout, c.KLWarmup = nil, d, true, 0, 0
	c.Epochs, c.LearningRate, c.Batch, c.IWAESamples = 150, 2e-2, 100, 4096
	m := run(t, c, data, Options{})

	values := eigenvalues(residualCovariance)
	s2 := (values[2] + values[3]) / (D - d)
	want := (math.Log(values[0]) + math.Log(values[1]) + (D-d)*math.Log(s2) + D) / 2

	if got := math.Exp(m.net.logVarianceOf(m.params)); math.Abs(got-s2) > 0.03*s2 {
		t.Errorf("s² = %.4f, want %.4f", got, s2)
	}
	if got := -meanELBO(t, m, data); math.Abs(got-want) > 0.02 || got < want-0.01 {
		t.Errorf("−ELBO = %.4f nats, want %.4f", got, want)
	}
	checkBounds(t, untrainedLinear(t, m), data[:200])
	checkBounds(t, m, data[:200])
}

// untrainedLinear returns a model of the same kind whose posterior is far from the true one.
func untrainedLinear(t *testing.T, m *Model) *Model {
	t.Helper()
	c := m.config
	c.IWAESamples = 4096
	o := m.objective
	return newModel(o, newNetwork(c, o).initial(), &inputs{c, m.q, m.r})
}

func meanELBO(t *testing.T, m *Model, questions []rcvae.Encoded) (mean float64) {
	for _, e := range questions {
		mean += infer(t, m, e.Embedding, e.Solutions)[0].Likelihood.ELBO / float64(len(questions))
	}
	return mean
}

// checkBounds compares the bounds with the exact likelihood of the linear model,
//
//	r | q ~ N(A q + b, W Wᵀ + s² I)
//
// ELBO ≤ IWAE holds for every sample; both are below ln p but for the noise.
func checkBounds(t *testing.T, m *Model, questions []rcvae.Encoded) {
	t.Helper()
	const tolerance = 0.05 // nats: several deviations of the mean over the fixed noise
	var elbo, iwae, exact float64
	for _, e := range questions {
		l := infer(t, m, e.Embedding, e.Solutions)[0].Likelihood
		if l.ELBO > l.IWAE {
			t.Errorf("ELBO %g > IWAE %g", l.ELBO, l.IWAE)
		}
		elbo, iwae, exact = elbo+l.ELBO/200, iwae+l.IWAE/200, exact+exactLogLikelihood(m, e)/200
	}
	if elbo > iwae || iwae > exact+tolerance || elbo > exact+tolerance {
		t.Errorf("ELBO %.4f, IWAE %.4f, ln p %.4f: want each below the next", elbo, iwae, exact)
	}
	if math.Abs(iwae-exact) > 0.2 {
		t.Errorf("IWAE = %.4f, want about ln p = %.4f", iwae, exact)
	}
}

// exactLogLikelihood returns ln p(r|q) without −(D/2) ln 2π of a linear model.
func exactLogLikelihood(m *Model, e rcvae.Encoded) float64 {
	layer, D, d := m.net.decoder.Layers[0], m.config.Dimension, m.config.Latent
	weight, bias := layer.Weight.Of(m.params), layer.Bias.Of(m.params)
	q, r := standardized(m.q, e.Embedding), standardized(m.r, e.Solutions[0].Embedding)
	covariance, rest := mat.NewSymDense(D, nil), mat.NewVecDense(D, nil)
	for i := range D {
		x := r[i] - float64(bias[i])
		for j := range D {
			x -= float64(weight[i*layer.In+j]) * q[j]
			var sum float64
			for k := range d {
				sum += float64(weight[i*layer.In+D+k]) * float64(weight[j*layer.In+D+k])
			}
			if i == j {
				sum += math.Exp(m.net.logVarianceOf(m.params))
			}
			covariance.SetSym(i, j, sum)
		}
		rest.SetVec(i, x)
	}
	var cholesky mat.Cholesky
	cholesky.Factorize(covariance)
	var solved mat.VecDense
	if err := cholesky.SolveVecTo(&solved, rest); err != nil {
		return math.NaN()
	}
	return -(mat.Dot(rest, &solved) + cholesky.LogDet()) / 2
}

// linearData returns n pairs, and the covariance (D, D) of what is left of r after
// the best linear prediction from q.
func linearData(D, n int) ([]rcvae.Encoded, [][]float64) {
	rng := rand.New(rand.NewPCG(7, 7))
	var data []rcvae.Encoded
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
		e := encoded(i, q)
		add(&e, r, true, true)
		data = append(data, e)
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
