package block

import (
	"math"

	"rcvae/internal/gemm"
)

// Norm is a layer norm or a root-mean-square norm of rows.
type Norm struct {
	gamma, beta []float32
	epsilon     float32
	rms         bool
}

// LayerNorm returns the norm
//
//	gamma · (x − mean x) / √(var x + epsilon) + beta
//
// A nil beta is zero.
func LayerNorm(gamma, beta []float32, epsilon float32) *Norm {
	if beta == nil {
		beta = make([]float32, len(gamma))
	}
	return &Norm{gamma: gamma, beta: beta, epsilon: epsilon}
}

// RMSNorm returns the norm gamma · x / √(mean x² + epsilon).
func RMSNorm(gamma []float32, epsilon float32) *Norm {
	return &Norm{gamma: gamma, epsilon: epsilon, rms: true}
}

// Scale multiplies what the norm returns by s.
func (n *Norm) Scale(s float32) *Norm {
	gemm.Scale(s, n.gamma)
	if n.beta != nil {
		gemm.Scale(s, n.beta)
	}
	return n
}

func (n *Norm) size() int { return len(n.gamma) }

// row normalises one row in place.
func (n *Norm) row(x []float32) {
	if !n.rms {
		gemm.LayerNorm(x, n.gamma, n.beta, n.epsilon)
		return
	}
	mean := gemm.SumSquares(x) / float64(len(x))
	gemm.Scale(float32(1/math.Sqrt(mean+float64(n.epsilon))), x)
	for i, g := range n.gamma[:len(x)] {
		x[i] *= g
	}
}

// addRow computes x = norm(x + residual + bias).
func (n *Norm) addRow(x, residual, bias []float32) {
	if !n.rms {
		gemm.AddLayerNorm(x, residual, bias, n.gamma, n.beta, n.epsilon)
		return
	}
	gemm.AddBias(x, bias)
	gemm.AddBias(x, residual)
	n.row(x)
}
