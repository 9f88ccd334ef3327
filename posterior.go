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
