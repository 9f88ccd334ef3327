package gemm

import "math"

// AddBias computes x += bias. The slices have one length.
func AddBias(x, bias []float32) {
	for i, b := range bias {
		x[i] += b
	}
}

// AddBiasReLU computes x = max(0, x+bias). The slices have one length.
func AddBiasReLU(x, bias []float32) {
	for i, b := range bias {
		x[i] = max(0, x[i]+b)
	}
}

// AddBiasGELU computes
//
//	y = x + bias;  x = y · ½ (1 + erf(y/√2))
//
// with an absolute error below 2e-6. The slices have one length.
func AddBiasGELU(x, bias []float32) {
	for i, b := range bias {
		y := float64(x[i] + b)
		x[i] = float32(y * 0.5 * math.Erfc(-y/math.Sqrt2))
	}
}

// LayerNorm normalises one row in place,
//
//	x = gamma · (x − mean x) / √(var x + eps) + beta
//
// with the biased variance.
func LayerNorm(x, gamma, beta []float32, eps float32) {
	var sum, sq float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		d := float64(v) - mean
		sq += d * d
	}
	inv := 1 / math.Sqrt(sq/float64(len(x))+float64(eps))
	for i, v := range x {
		x[i] = float32((float64(v)-mean)*inv)*gamma[i] + beta[i]
	}
}

// AddLayerNorm computes x = LayerNorm(x + residual + bias) of one row.
func AddLayerNorm(x, residual, bias, gamma, beta []float32, eps float32) {
	for i := range x {
		x[i] += residual[i] + bias[i]
	}
	LayerNorm(x, gamma, beta, eps)
}

// Softmax computes x = exp(x) / Σ exp(x) of one row, in place.
func Softmax(x []float32) {
	if len(x) == 0 {
		return
	}
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	var sum float32
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v - top)))
		sum += x[i]
	}
	Scale(1/sum, x)
}

// Exp computes dst = exp(src). The slices have one length and may be the same.
func Exp(dst, src []float32) {
	for i, v := range src {
		dst[i] = float32(math.Exp(float64(v)))
	}
}

// Dot returns Σ x·y. The slices have one length.
func Dot(x, y []float32) float32 {
	y = y[:len(x)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += x[i] * y[i]
		s1 += x[i+1] * y[i+1]
		s2 += x[i+2] * y[i+2]
		s3 += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		s0 += x[i] * y[i]
	}
	return s0 + s1 + (s2 + s3)
}

// Axpy computes y += alpha·x. The slices have one length.
func Axpy(alpha float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += alpha * v
	}
}

// Scale computes x = alpha·x.
func Scale(alpha float32, x []float32) {
	for i := range x {
		x[i] *= alpha
	}
}

// SumSquares returns Σ x², accumulated in float64.
func SumSquares(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

// ReLUGrad sets dx to 0 where y <= 0. The slices have one length.
func ReLUGrad(dx, y []float32) {
	for i, v := range y {
		if v <= 0 {
			dx[i] = 0
		}
	}
}

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
//
// The slices have one length.
func Adam(s AdamStep, param, grad, m, v []float32) {
	for i := range param {
		g := s.GradScale * grad[i]
		m[i] = s.Beta1*m[i] + (1-s.Beta1)*g
		v[i] = s.Beta2*v[i] + (1-s.Beta2)*g*g
		root := float32(math.Sqrt(float64(v[i] / s.Correction2)))
		param[i] = param[i]*(1-s.LR*s.WeightDecay) - s.LR*(m[i]/s.Correction1)/(root+s.Epsilon)
	}
}
