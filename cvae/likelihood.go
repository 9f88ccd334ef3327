package cvae

import (
	"math"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// Likelihoods implements [rcvae.LikelihoodModel] for n solutions of a question, in
// nats of the standardised embedding and without the constant −(D/2) ln 2π:
//
//	Recon = ½|r − r̂|²                                             at z = mu
//	ELBO  = −Recon/s² − (D/2) ln s² − Beta·KL                      at z = mu
//	IWAE  = ln meanₖ exp(−½|r − r̂ₖ|²/s² − (D/2) ln s² + ln N(zₖ; 0, I) − ln q(zₖ|r,q))
//	Ratio = ln p(r|mu,q,right) − ln p(r|mu,q,wrong)
//
// The zₖ = mu ± σ·epsₖ use the same fixed noise for every solution. Models with
// classes judge the first three under the class right. For Config.MeanSquared,
// s² = D/2.
func (m *Model) Likelihoods(question rcvae.Embedding, solutions []rcvae.Embedding) ([]rcvae.Likelihood, error) {
	if len(solutions) == 0 {
		return nil, nil
	}
	w := m.workspace()
	defer m.workspaces.Put(w)
	if err := m.encode(w, question, solutions); err != nil {
		return nil, err
	}
	d := m.config.Latent
	logVariance := m.net.variance(m.config, m.params)
	precision, constant := math.Exp(-logVariance), float64(m.config.Dimension)/2*logVariance
	right := float32(m.config.classes())
	out := make([]rcvae.Likelihood, len(solutions))
	recon := make([]float64, len(solutions))

	m.reconstruct(w, right, w.mu, 1, recon)
	for i := range out {
		posterior := rcvae.Posterior{Mu: w.mu[i*d : (i+1)*d], LogVar: w.logVar[i*d : (i+1)*d]}
		out[i].Recon = recon[i]
		out[i].ELBO = -recon[i]*precision - constant - m.config.Beta*posterior.KL()
		out[i].Ratio = math.NaN()
	}
	if m.config.classes() > 0 {
		m.reconstruct(w, 0, w.mu, 1, recon)
		for i := range out {
			out[i].Ratio = (recon[i] - out[i].Recon) * precision
		}
	}
	for i, bound := range m.importance(w, right, precision) {
		out[i].IWAE = bound - constant
	}
	return out, nil
}

// reconstruct sets recon (n·each) to ½|r − r̂|², where z (n·each, d) has the same
// number of rows for each of the n solutions.
func (m *Model) reconstruct(w *workspace, class float32, z []float32, each int, recon []float64) {
	D := m.config.Dimension
	w.bias = m.decoder.condition(w.bias, w.question, class)
	y := m.decoder.forward(w.pool, len(recon), z, w.bias, &w.buffers)
	for i := range recon {
		diff, solution := y[i*D:(i+1)*D], i/each
		gemm.Axpy(-1, w.solutions[solution*D:(solution+1)*D], diff)
		recon[i] = gemm.SumSquares(diff) / 2
	}
}

// importance returns the importance-weighted bounds without the term of ln s².
func (m *Model) importance(w *workspace, class float32, precision float64) []float64 {
	draws := m.config.IWAESamples
	logWeights := m.draw(w)
	recon := make([]float64, len(logWeights))
	m.reconstruct(w, class, w.z, draws, recon)
	bounds := make([]float64, len(logWeights)/draws)
	for i := range bounds {
		weights := logWeights[i*draws : (i+1)*draws]
		top := math.Inf(-1)
		for k := range weights {
			weights[k] -= recon[i*draws+k] * precision
			top = max(top, weights[k])
		}
		var sum float64
		for _, lw := range weights {
			sum += math.Exp(lw - top)
		}
		bounds[i] = top + math.Log(sum/float64(draws))
	}
	return bounds
}

// draw sets w.z (n·draws, d) and returns ln N(z; 0, I) − ln q(z|r,q) for each. The
// normal densities' constants cancel:
//
//	½ Σⱼ (epsⱼ² − zⱼ² + logVarⱼ)
func (m *Model) draw(w *workspace) []float64 {
	d, draws := m.config.Latent, m.config.IWAESamples
	n := len(w.mu) / d
	w.z, w.sigma = nn.Resize(w.z, n*draws*d), nn.Resize(w.sigma, d)
	logWeights := make([]float64, n*draws)
	for i := range n {
		mu, logVar := w.mu[i*d:(i+1)*d], w.logVar[i*d:(i+1)*d]
		for j, lv := range logVar {
			w.sigma[j] = float32(math.Exp(float64(lv) / 2))
		}
		for k := range draws {
			z := w.z[(i*draws+k)*d : (i*draws+k+1)*d]
			var sum float64
			for j, e := range m.noise[k*d : (k+1)*d] {
				z[j] = mu[j] + w.sigma[j]*e
				sum += float64(e)*float64(e) - float64(z[j])*float64(z[j]) + float64(logVar[j])
			}
			logWeights[i*draws+k] = sum / 2
		}
	}
	return logWeights
}
