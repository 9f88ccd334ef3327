package gemm

import "math"

// The loops below run on the caller's goroutine. Slices that belong together have
// one length: a shorter one panics, of a longer one the start is used.

// AddBias computes x += bias.
func AddBias(x, bias []float32) { active.addBias(x, bias[:len(x)]) }

// AddBiasReLU computes x = max(0, x+bias). NaN stays NaN.
func AddBiasReLU(x, bias []float32) { active.addBiasReLU(x, bias[:len(x)]) }

// AddBiasGELU computes
//
//	y = x + bias;  x = y · ½ (1 + erf(y/√2))
//
// with an absolute error below 2e-6, or 2e-6·y for y above 1.
func AddBiasGELU(x, bias []float32) { active.addBiasGELU(x, bias[:len(x)]) }

// SiLUTimes computes
//
//	x = y · x / (1 + exp(−x))
//
// with a relative error below 1e-6.
func SiLUTimes(x, y []float32) { active.siluTimes(x, y[:len(x)]) }

// LayerNorm normalises one row in place,
//
//	x = gamma · (x − mean x) / √(var x + eps) + beta
//
// with the biased variance.
func LayerNorm(x, gamma, beta []float32, eps float32) {
	finishNorm(x, gamma, beta, active.sum(x), eps)
}

// AddLayerNorm computes x = LayerNorm(x + residual + bias) of one row.
func AddLayerNorm(x, residual, bias, gamma, beta []float32, eps float32) {
	finishNorm(x, gamma, beta, active.addSum(x, residual[:len(x)], bias[:len(x)]), eps)
}

func finishNorm(x, gamma, beta []float32, sum, eps float32) {
	n := float32(len(x))
	mean := sum / n
	variance := active.squaredDeviations(x, mean) / n
	inverse := float32(1 / math.Sqrt(float64(variance+eps)))
	active.normalize(x, gamma[:len(x)], beta[:len(x)], mean, inverse)
}

// Softmax computes x = exp(x) / Σ exp(x) of one row, in place. Elements of −Inf
// become 0; a row that holds nothing else, +Inf or NaN becomes NaN.
func Softmax(x []float32) {
	active.scale(1/active.expSum(x, active.maximum(x)), x)
}

// Exp computes dst = exp(src) with a relative error below 3e-7. The slices may be
// the same.
func Exp(dst, src []float32) { active.exp(dst, src[:len(dst)]) }

// Dot returns Σ x·y.
func Dot(x, y []float32) float32 { return active.dot(x, y[:len(x)]) }

// Axpy computes y += alpha·x.
func Axpy(alpha float32, x, y []float32) { active.axpy(alpha, x, y[:len(x)]) }

// Scale computes x = alpha·x.
func Scale(alpha float32, x []float32) { active.scale(alpha, x) }

// SumSquares returns Σ x², accumulated in float64.
func SumSquares(x []float32) float64 { return active.sumSquares(x) }

// ReLUGrad sets dx to 0 where y <= 0.
func ReLUGrad(dx, y []float32) { active.reluGrad(dx, y[:len(dx)]) }

// AdamStep holds the scalars of one step of Adam with decoupled weight decay.
type AdamStep struct {
	LR, Beta1, Beta2, Epsilon, WeightDecay float32
	Correction1, Correction2               float32 // 1 − Beta1ᵗ and 1 − Beta2ᵗ at step t = 1, 2, …
	GradScale                              float32 // the gradient is multiplied by it first, for clipping
}

// Adam takes one step on param, with the moments m and v:
//
//	g     = GradScale · grad
//	m     = Beta1 · m + (1−Beta1) · g
//	v     = Beta2 · v + (1−Beta2) · g²
//	param = param · (1 − LR·WeightDecay) − LR · (m/Correction1) / (√(v/Correction2) + Epsilon)
func Adam(s AdamStep, param, grad, m, v []float32) {
	n := len(param)
	active.adam(param, grad[:n], m[:n], v[:n], s.GradScale, s.Beta1, 1-s.Beta1, s.Beta2, 1-s.Beta2,
		1-s.LR*s.WeightDecay, s.LR/s.Correction1, float32(1/math.Sqrt(float64(s.Correction2))), s.Epsilon)
}
