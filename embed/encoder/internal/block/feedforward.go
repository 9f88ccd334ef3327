package block

import (
	"fmt"
	"math"

	"rcvae/internal/gemm"
)

// Activation is the function between the two products of a feed-forward layer.
type Activation int

// The activations.
const (
	GELU     Activation = iota // x · Φ(x), with the error function
	GELUTanh                   // its approximation with tanh
	SiLU                       // x · σ(x)
	ReLU
)

// ParseActivation reads Hugging Face's name of an activation.
func ParseActivation(name string) (Activation, error) {
	switch name {
	case "gelu":
		return GELU, nil
	case "gelu_new", "gelu_pytorch_tanh", "gelu_fast":
		return GELUTanh, nil
	case "silu", "swish", "swiglu":
		return SiLU, nil
	case "relu":
		return ReLU, nil
	}
	return 0, fmt.Errorf("activation %q is not supported: gelu, gelu_new, gelu_pytorch_tanh, silu and relu are", name)
}

// FeedForward is Down(act(Up(x))), or gated, Down(act(gate(x)) · up(x)).
type FeedForward struct {
	Up         *Linear // (H, F); gated: (H, 2F), the gate before up
	Down       *Linear // (F, H)
	Activation Activation
	Gated      bool
}

// Bias returns the bias of the output.
func (f *FeedForward) Bias() []float32 { return f.Down.bias }

// Apply sets y to the layer's output at x, without its bias.
func (f *FeedForward) Apply(b *Batch, x, y []float32) {
	stride, wide := f.Up.out, f.Down.in()
	b.up = resize(b.up, b.Tokens()*stride)
	if f.Activation == GELU && !f.Gated {
		f.Up.product(b, x, f.Up.in(), b.up, gemm.AddBiasGELU)
	} else {
		f.Up.biased(b, x, f.Up.in(), b.up)
		b.rows(func(worker, i int) {
			row := b.up[i*stride : (i+1)*stride]
			if f.Gated && f.Activation == SiLU {
				gemm.SiLUTimes(row[:wide], row[wide:])
				return
			}
			f.Activation.apply(row[:wide], b.row(worker, wide))
			if f.Gated {
				gate, up := row[:wide], row[wide:2*wide]
				for j, v := range up {
					gate[j] *= v
				}
			}
		})
	}
	f.Down.product(b, b.up, stride, y, nil)
}

// apply computes x = act(x); scratch has the length of x.
func (a Activation) apply(x, scratch []float32) {
	switch a {
	case GELU:
		clear(scratch)
		gemm.AddBiasGELU(x, scratch)
	case GELUTanh: // ½ (1 + tanh u) = σ(2u)
		c := float32(2 * math.Sqrt(2/math.Pi))
		for i, v := range x {
			scratch[i] = -c * (v + 0.044715*v*v*v)
		}
		timesSigmoid(x, scratch)
	case SiLU:
		for i, v := range x {
			scratch[i] = -v
		}
		timesSigmoid(x, scratch)
	case ReLU:
		for i, v := range x {
			x[i] = max(0, v)
		}
	}
}

// timesSigmoid computes x = x / (1 + exp(minus)).
func timesSigmoid(x, minus []float32) {
	gemm.Exp(minus, minus)
	for i, e := range minus {
		x[i] /= 1 + e
	}
}
