package cvae

import (
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// conditioned is a stack of layers made ready for inference on many inputs that
// share their first columns, the condition: the question's embedding. The
// condition's part of the first layer is computed once. Every output row depends
// on its own input row alone, bit by bit.
type conditioned struct {
	net     nn.MLP
	params  []float32
	shared  int            // columns of the condition
	columns int            // columns [shared, shared+columns) differ from row to row
	class   bool           // one column more, after these, holds the class
	packed  []*gemm.Packed // one per layer; the first without the condition and the class
}

func newConditioned(net nn.MLP, params []float32, shared, columns int) *conditioned {
	c := &conditioned{net: net, params: params, shared: shared, columns: columns, class: net.Layers[0].In > shared+columns}
	for i, layer := range net.Layers {
		weight, k := layer.Weight.Of(params), layer.In
		if i == 0 {
			weight, k = weight[shared:], columns
		}
		c.packed = append(c.packed, gemm.Pack(gemm.Trans, k, layer.Out, weight, layer.In))
	}
	return c
}

// condition returns in dst the first layer's bias plus the condition's part:
//
//	Bias + Weight[:, :shared] · x + class · Weight[:, shared+columns]
//
// where networks without classes lack the last term.
func (c *conditioned) condition(dst, x []float32, class float32) []float32 {
	layer := c.net.Layers[0]
	weight, bias := layer.Weight.Of(c.params), layer.Bias.Of(c.params)
	dst = nn.Resize(dst, layer.Out)
	for i := range dst {
		row := weight[i*layer.In : (i+1)*layer.In]
		dst[i] = bias[i] + gemm.Dot(row[:c.shared], x)
		if c.class {
			dst[i] += class * row[c.shared+c.columns]
		}
	}
	return dst
}

// forward runs x (rows, columns) under the condition's bias. The result, (rows,
// out), lies in one of the buffers.
func (c *conditioned) forward(pool *gemm.Pool, rows int, x, bias []float32, buffers *[2][]float32) []float32 {
	last := len(c.net.Layers) - 1
	width := c.columns
	for i, layer := range c.net.Layers {
		out := layer.Out
		y := nn.Resize(buffers[i%2], rows*out)
		buffers[i%2] = y
		if i > 0 {
			bias = layer.Bias.Of(c.params)
		}
		finish := gemm.AddBiasReLU
		if i == last {
			finish = gemm.AddBias
		}
		pool.MulPacked(rows, x, width, c.packed[i], y, out, false, func(row, n, col, cols int) {
			for r := row; r < row+n; r++ {
				finish(y[r*out+col:r*out+col+cols], bias[col:col+cols])
			}
		})
		x, width = y, out
	}
	return x
}
