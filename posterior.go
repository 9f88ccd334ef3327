package rcvae

import "math"

// Posterior is q(z|R,Q) = N(Mu, diag exp(LogVar)), the encoder's Gaussian over
// the latent z of one candidate.
type Posterior struct {
	Mu     []float32 // (d)
	LogVar []float32 // (d), ln σ²
}

// HalfLogVar returns the part of the entropy that differs between candidates,
//
//	½ Σⱼ LogVarⱼ
//
// in nats. Rank by it rather than by [Posterior.Entropy]: the constant would cost
// digits.
func (p Posterior) HalfLogVar() float64 {
	var sum float64
	for _, lv := range p.LogVar {
		sum += float64(lv)
	}
	return sum / 2
}

// Entropy returns the differential entropy in nats,
//
//	½ Σⱼ LogVarⱼ + d/2 · ln 2πe
func (p Posterior) Entropy() float64 {
	return p.HalfLogVar() + float64(len(p.LogVar))/2*(1+math.Log(2*math.Pi))
}

// KL returns the divergence from the standard normal prior in nats,
//
//	½ Σⱼ (exp LogVarⱼ + Muⱼ² − 1 − LogVarⱼ)
func (p Posterior) KL() float64 {
	var sum float64
	for j, lv := range p.LogVar {
		v, m := float64(lv), float64(p.Mu[j])
		sum += math.Expm1(v) - v + m*m
	}
	return sum / 2
}

// Norm returns ‖Mu‖.
func (p Posterior) Norm() float64 {
	var sum float64
	for _, m := range p.Mu {
		sum += float64(m) * float64(m)
	}
	return math.Sqrt(sum)
}

// Model maps one question and its n solutions, all embedded by the model's own
// embedder, to n posteriors in input order. The result for a solution does not
// depend on the other solutions.
type Model interface {
	Posteriors(question Embedding, solutions []Embedding) ([]Posterior, error)
}

// Likelihood holds what the decoder says of one candidate, in nats of the
// standardised embedding. Higher is better, but for Recon.
type Likelihood struct {
	Recon float64 // ½|r − r̂|², at z = Mu; lower is better
	ELBO  float64 // evidence lower bound on ln p(r|q), at z = Mu
	IWAE  float64 // importance-weighted bound on ln p(r|q)
	Ratio float64 // ln p(r|q, right) − ln p(r|q, wrong); NaN for models without classes
}

// LikelihoodModel is a [Model] that can also rebuild the solutions.
type LikelihoodModel interface {
	Model
	Likelihoods(question Embedding, solutions []Embedding) ([]Likelihood, error)
}

// FamiliarModel is a [Model] that can tell how familiar solutions are to it: 1 like
// those that it was trained on, 0 so unlike them that its scores say nothing. With
// the squared Mahalanobis distance a dimension d² of the solution's embedding from
// the training samples', and [Calibration].Near and Far,
//
//	f = clip((ln Far − ln d²) / (ln Far − ln Near), 0, 1)
//
// for n solutions in input order. A model that cannot tell returns ones.
//
// Source: Lee, Lee, Lee, Shin 2018, "A simple unified framework for detecting
// out-of-distribution samples and adversarial attacks".
type FamiliarModel interface {
	Model
	Familiarity(question Embedding, solutions []Embedding) ([]float64, error)
}

// Calibration turns a posterior into a score that votes can be weighted with.
type Calibration struct {
	Objective string  `json:"objective"` // the objective that the model was trained with
	Scale     float64 `json:"scale"`     // score = −Scale · HalfLogVar, per nat; e^α/5 where α was learned
	Tau       float64 `json:"tau"`       // vote weight = exp(Tau · score)

	// Distances d² up to which a solution is familiar and from which it is not, see
	// [FamiliarModel]; both 0 for models that cannot tell.
	Near float64 `json:"near,omitempty"`
	Far  float64 `json:"far,omitempty"`
}
