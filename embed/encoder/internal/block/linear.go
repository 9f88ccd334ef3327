package block

import (
	"fmt"

	"rcvae/internal/gemm"
)

// Linear is y = x·Weightᵀ + bias with its weight packed for products. In memory it takes
// four bytes per weight, and in eight bits one and the scales.
type Linear struct {
	weight *gemm.Packed // (in, out)
	bias   []float32    // (out)
	plain  bool         // bias is zero
	out    int
}

// NewLinear packs a weight of shape (out, in). A nil bias is zero.
func NewLinear(out, in int, weight, bias []float32) *Linear {
	plain := bias == nil
	if plain {
		bias = make([]float32, out)
	}
	if len(weight) != out*in || len(bias) != out {
		panic(fmt.Sprintf("block: linear layer (%d, %d) of %d weights and %d biases", out, in, len(weight), len(bias)))
	}
	return &Linear{weight: gemm.Pack(gemm.Trans, in, out, weight, in), bias: bias, plain: plain, out: out}
}

// NewLinear8 packs a weight of shape (out, in) in eight bits: value j of row i times
// scale j/group of that row, scales being (out, in/group). A nil bias is zero.
func NewLinear8(out, in int, values []int8, scales []float32, group int, bias []float32) *Linear {
	plain := bias == nil
	if plain {
		bias = make([]float32, out)
	}
	return &Linear{weight: gemm.Pack8(in, out, values, scales, group), bias: bias, plain: plain, out: out}
}

// biased sets y to the layer's value at x.
func (l *Linear) biased(b *Batch, x []float32, ldx int, y []float32) {
	if l.plain {
		l.product(b, x, ldx, y, nil)
	} else {
		l.product(b, x, ldx, y, gemm.AddBias)
	}
}

// product sets y, (T, out), to x·Weightᵀ. finish, if not nil, gets each finished piece of
// a row with its part of the bias.
func (l *Linear) product(b *Batch, x []float32, ldx int, y []float32, finish func(y, bias []float32)) {
	var epilogue func(row, rows, col, cols int)
	if finish != nil {
		epilogue = func(row, rows, col, cols int) {
			for i := row; i < row+rows; i++ {
				finish(y[i*l.out+col:i*l.out+col+cols], l.bias[col:col+cols])
			}
		}
	}
	b.Pool.MulPacked(b.Tokens(), x, ldx, l.weight, y, l.out, false, epilogue)
}

// in returns the width of x.
func (l *Linear) in() int {
	in, _ := l.weight.Shape()
	return in
}
