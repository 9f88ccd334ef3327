package cvae

import (
	"math"

	"rcvae/internal/nn"
)

// terms are sums over a batch or an epoch; means are taken when they are shown.
type terms struct {
	Samples  float64 `json:"samples"`  // in the ELBO
	Recon    float64 `json:"recon"`    // Σ recon, nats
	KL       float64 `json:"kl"`       // Σ KL, nats
	Weight   float64 `json:"weight"`   // of the lists
	Listwise float64 `json:"listwise"` // Σ weight · listwise loss
	Steps    float64 `json:"steps"`
	Loss     float64 `json:"loss"` // Σ loss of the steps
}

func (t *terms) add(u terms) {
	t.Samples += u.Samples
	t.Recon += u.Recon
	t.KL += u.KL
	t.Weight += u.Weight
	t.Listwise += u.Listwise
	t.Steps += u.Steps
	t.Loss += u.Loss
}

// value returns what epochs are compared by: the listwise loss where there is one,
// −ELBO per sample otherwise.
func (t terms) value(c Config) float64 {
	if c.listwise() {
		return t.Listwise / t.Weight
	}
	return (t.Recon + c.Beta*t.KL) / t.Samples
}

// lossGradient is the gradient of the loss where the network ends.
type lossGradient struct {
	dKL          []float64 // (R), of a row's KL divergence
	dHalf        []float64 // (R), of a row's ½ Σⱼ logVarⱼ
	dSquare      []float64 // (M), of a decode's |r − r̂|²
	dLogVariance float64   // of ln s²
	dLogScale    float64   // of α
	scores       []float64 // (R), s of the ranked rows
}

// compute returns the loss of the batch that the pass has run, and keeps its gradient.
func (g *lossGradient) compute(p *pass, b *batch, beta float64) terms {
	g.dKL = zeros(g.dKL, len(b.samples))
	g.dHalf = zeros(g.dHalf, len(b.samples))
	g.dSquare = zeros(g.dSquare, len(b.decodes))
	g.dLogVariance, g.dLogScale = 0, 0
	t := g.elbo(p, b, beta)
	if t.Samples > 0 {
		t.Loss = p.config.ELBOWeight * (t.Recon + beta*t.KL) / t.Samples
	}
	if len(b.lists) > 0 {
		t.Weight, t.Listwise = g.listwise(p, b)
		t.Loss += p.config.ListwiseWeight * t.Listwise / t.Weight
	}
	t.Steps = 1
	return t
}

// elbo adds up the ELBO's terms over the generative decodes.
func (g *lossGradient) elbo(p *pass, b *batch, beta float64) terms {
	var t terms
	for _, decode := range b.decodes {
		if decode.generative {
			t.Samples++
		}
	}
	weight := p.config.ELBOWeight / t.Samples
	logVariance := p.net.variance(p.config, p.params)
	precision := math.Exp(-logVariance)
	constant := float64(p.config.Dimension) / 2 * logVariance
	if p.config.MeanSquared {
		constant = 0
	}
	for m, decode := range b.decodes {
		if !decode.generative {
			continue
		}
		misfit := p.square[m] * precision / 2
		t.Recon += misfit + constant
		t.KL += p.kl[decode.row]
		g.dSquare[m] = weight * precision / 2
		g.dKL[decode.row] = weight * beta
		g.dLogVariance += weight * (float64(p.config.Dimension)/2 - misfit)
	}
	return t
}

// listwise returns the weight of the lists and the weighted sum of their losses.
func (g *lossGradient) listwise(p *pass, b *batch) (weight, sum float64) {
	g.score(p, b)
	for _, l := range b.lists {
		weight += l.weight
	}
	for _, l := range b.lists {
		all, right := logSumExp(g.scores, b, l, false), logSumExp(g.scores, b, l, true)
		sum += l.weight * (all - right)
		for i := l.from; i < l.to; i++ {
			if !b.ranked[i] {
				continue
			}
			d := math.Exp(g.scores[i] - all)
			if b.right[i] {
				d -= math.Exp(g.scores[i] - right)
			}
			g.addScore(p, b, i, d*p.config.ListwiseWeight*l.weight/weight)
		}
	}
	return weight, sum
}

// score sets the scores of the ranked rows.
func (g *lossGradient) score(p *pass, b *batch) {
	g.scores = nn.Resize(g.scores, len(b.samples))
	scale := p.net.scale(p.config, p.params)
	precision := math.Exp(-p.net.variance(p.config, p.params))
	for i := range b.samples {
		switch {
		case !b.ranked[i]:
		case p.config.Objective == Ratio: // the last two decodes are those of class 1 and 0
			m := b.first[i+1]
			g.scores[i] = scale * precision / 2 * (p.square[m-1] - p.square[m-2])
		default:
			g.scores[i] = -scale * p.half[i]
		}
	}
}

// addScore adds the gradient d of row i's score to those of what it is made of.
func (g *lossGradient) addScore(p *pass, b *batch, i int, d float64) {
	scale := p.net.scale(p.config, p.params)
	g.dLogScale += d * g.scores[i]
	if p.config.Objective != Ratio {
		g.dHalf[i] -= d * scale
		return
	}
	precision := math.Exp(-p.net.variance(p.config, p.params))
	m := b.first[i+1]
	g.dSquare[m-1] += d * scale * precision / 2
	g.dSquare[m-2] -= d * scale * precision / 2
	g.dLogVariance -= d * g.scores[i]
}

// logSumExp returns ln Σ exp score over the ranked rows of a list, or the right ones of them.
func logSumExp(scores []float64, b *batch, l list, right bool) float64 {
	top := math.Inf(-1)
	for i := l.from; i < l.to; i++ {
		if b.ranked[i] && (b.right[i] || !right) {
			top = max(top, scores[i])
		}
	}
	var sum float64
	for i := l.from; i < l.to; i++ {
		if b.ranked[i] && (b.right[i] || !right) {
			sum += math.Exp(scores[i] - top)
		}
	}
	return top + math.Log(sum)
}

func zeros(x []float64, n int) []float64 {
	x = nn.Resize(x, n)
	clear(x)
	return x
}
