package cvae

import (
	"math"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// decode sets the likelihoods of the n solutions whose posteriors are in out. With
// x = R_e, over its n present elements, and K = Config.IWAESamples draws
// zₖ = mu ± σ·epsₖ under the same fixed noise for every solution,
//
//	Recon = ½|x − x̂|²                                        at z = mu
//	ln wₖ = −½|x − x̂ₖ|²/s² − (n/2) ln s² + ln N(zₖ; 0, I) − ln q(zₖ|x,q)
//	ELBO  = meanₖ ln wₖ
//	IWAE  = ln meanₖ wₖ
//	Ratio = ln p(x|mu,q,correct) − ln p(x|mu,q,incorrect)
//
// so that ELBO ≤ IWAE always, and both are at most ln p(x|q) on average over the noise
// (Burda, Grosse, Salakhutdinov 2016). Beta has no part in them. Models with classes
// judge the first three under the class correct. For Config.MeanSquared, s² = (D+S)/2.
func (m *Model) decode(w *workspace, out []rcvae.Inference) {
	d, n := m.config.Latent, len(out)
	logVariance := m.net.logVarianceOf(m.params)
	precision := math.Exp(-logVariance)
	correct := float32(0)
	w.z = nn.Resize(w.z, n*d)
	for i := range out {
		copy(w.z[i*d:], out[i].Posterior.Mu)
		out[i].Likelihood.Ratio = math.NaN()
	}
	if m.objective.Classes {
		correct = 1
		for i, recon := range m.reconstruct(w, n, 0) {
			out[i].Likelihood.Ratio = recon * precision
		}
	}
	for i, recon := range m.reconstruct(w, n, correct) {
		out[i].Likelihood.Recon = recon
		out[i].Likelihood.Ratio -= recon * precision
	}
	m.bounds(w, out, correct, precision)
	S := len(m.config.Signals)
	for i := range out {
		present := m.config.elements() - count(w.missing[i*S:(i+1)*S])
		constant := float64(present) / 2 * logVariance
		out[i].Likelihood.ELBO -= constant
		out[i].Likelihood.IWAE -= constant
	}
}

// reconstruct returns ½|x − x̂|² of the n solutions for each of their rows of w.z, which
// has the same number of rows for each solution.
func (m *Model) reconstruct(w *workspace, n int, class float32) []float64 {
	D, E, S := m.config.Dimension, m.config.elements(), len(m.config.Signals)
	rows := len(w.z) / m.config.Latent
	w.bias = m.decodes.condition(w.bias, w.question, class)
	y := m.decodes.forward(w.pool, rows, w.z, w.bias, &w.buffers)
	w.recon = nn.Resize(w.recon, rows)
	for row := range w.recon {
		diff, i := y[row*E:(row+1)*E], row*n/rows
		gemm.Axpy(-1, w.target[i*E:(i+1)*E], diff)
		mask(diff[D:], w.missing[i*S:(i+1)*S])
		w.recon[row] = gemm.SumSquares(diff) / 2
	}
	return w.recon
}

// bounds sets ELBO and IWAE without the term of ln s².
func (m *Model) bounds(w *workspace, out []rcvae.Inference, class float32, precision float64) {
	draws := m.config.IWAESamples
	m.draw(w, out)
	recon := m.reconstruct(w, len(out), class)
	for i := range out {
		weights := w.weights[i*draws : (i+1)*draws]
		top, mean, sum := math.Inf(-1), 0.0, 0.0
		for k := range weights {
			weights[k] -= recon[i*draws+k] * precision
			top = max(top, weights[k])
			mean += weights[k] / float64(draws)
		}
		for _, lw := range weights {
			sum += math.Exp(lw - top)
		}
		out[i].Likelihood.ELBO = mean
		out[i].Likelihood.IWAE = top + math.Log(sum/float64(draws))
	}
}

// draw sets w.z (n·draws, d), and w.weights to ln N(z; 0, I) − ln q(z|x,q) for each. The
// normal densities' constants cancel:
//
//	½ Σⱼ (epsⱼ² − zⱼ² + logVarⱼ)
func (m *Model) draw(w *workspace, out []rcvae.Inference) {
	d, draws, noise := m.config.Latent, m.config.IWAESamples, m.noise()
	w.z, w.sigma = nn.Resize(w.z, len(out)*draws*d), nn.Resize(w.sigma, d)
	w.weights = nn.Resize(w.weights, len(out)*draws)
	for i := range out {
		mu, logVar := out[i].Posterior.Mu, out[i].Posterior.LogVar
		for j, lv := range logVar {
			w.sigma[j] = float32(math.Exp(float64(lv) / 2))
		}
		for k := range draws {
			row := i*draws + k
			z := w.z[row*d : (row+1)*d]
			var sum float64
			for j, e := range noise[k*d : (k+1)*d] {
				z[j] = mu[j] + w.sigma[j]*e
				sum += float64(e)*float64(e) - float64(z[j])*float64(z[j]) + float64(logVar[j])
			}
			w.weights[row] = sum / 2
		}
	}
}
