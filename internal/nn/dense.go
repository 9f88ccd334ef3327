package nn

import (
	"fmt"
	"math"

	"rcvae/internal/gemm"
)

// Dense is a fully connected layer,
//
//	y = x·Weightᵀ + Bias
//
// with x (rows, In) and y (rows, Out).
type Dense struct {
	In, Out  int
	Weight   View // (Out, In)
	Bias     View // (Out)
	BFloat16 bool // products round both factors to bfloat16
}

// NewDense adds the layer's parameters, name.weight and name.bias, to the layout.
func NewDense(l *Layout, name string, in, out int) Dense {
	return Dense{In: in, Out: out,
		Weight: l.Add(name+".weight", out, in), Bias: l.Add(name+".bias", out)}
}

// Init draws weights and biases uniformly within ±1/√In, as PyTorch's Linear does.
func (d Dense) Init(params []float32, key uint64) {
	bound := float32(1 / math.Sqrt(float64(d.In)))
	Uniform(d.Weight.Of(params), bound, Key(key, 0))
	Uniform(d.Bias.Of(params), bound, Key(key, 1))
}

// Forward sets y, and applies a ReLU to it when relu is true.
func (d Dense) Forward(pool *gemm.Pool, params []float32, rows int, x, y []float32, relu bool) {
	d.check(rows, x, y)
	bias := d.Bias.Of(params)
	finish := gemm.AddBias
	if relu {
		finish = gemm.AddBiasReLU
	}
	d.product(pool)(gemm.NoTrans, gemm.Trans, rows, d.Out, d.In, x, d.In, d.Weight.Of(params), d.In, y, d.Out, false,
		func(row, n, col, cols int) {
			for i := row; i < row+n; i++ {
				finish(y[i*d.Out+col:i*d.Out+col+cols], bias[col:col+cols])
			}
		})
}

// BackwardParams overwrites the layer's part of grads with the gradient for the
// inputs x (rows, In) and the gradient dy (rows, Out) of the output.
func (d Dense) BackwardParams(pool *gemm.Pool, grads []float32, rows int, x, dy []float32) {
	d.check(rows, x, dy)
	d.product(pool)(gemm.Trans, gemm.NoTrans, d.Out, d.In, rows, dy, d.Out, x, d.In, d.Weight.Of(grads), d.In, false, nil)
	columnSums(pool, d.Bias.Of(grads), rows, dy)
}

// BackwardInput sets dx (rows, to−from) to the gradient of the input's columns
// [from, to). When y is not nil the input was y = dropout(ReLU(·)), scaled by
// scale where kept, and dx becomes the gradient before both.
func (d Dense) BackwardInput(pool *gemm.Pool, params []float32, rows int, dy, dx []float32, from, to int, y []float32, scale float32) {
	n := to - from
	var finish func(row, rows, col, cols int)
	if y != nil {
		finish = func(row, count, col, cols int) {
			for i := row; i < row+count; i++ {
				block := dx[i*n+col : i*n+col+cols]
				// A dropped element is 0 in y, so the mask of the ReLU is also that of the dropout.
				gemm.ReLUGrad(block, y[i*n+col:i*n+col+cols])
				if scale != 1 {
					gemm.Scale(scale, block)
				}
			}
		}
	}
	d.product(pool)(gemm.NoTrans, gemm.NoTrans, rows, n, d.Out, dy, d.Out, d.Weight.Of(params)[from:], d.In, dx, n, false, finish)
}

// product returns the layer's matrix product.
func (d Dense) product(pool *gemm.Pool) func(opA, opB gemm.Op, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool, epilogue func(row, rows, col, cols int)) {
	if d.BFloat16 {
		return pool.MulBF16
	}
	return pool.Mul
}

func (d Dense) check(rows int, x, y []float32) {
	if len(x) < rows*d.In || len(y) < rows*d.Out {
		panic(fmt.Sprintf("nn: %s takes (%d, %d) to (%d, %d), got %d and %d elements",
			d.Weight.Name, rows, d.In, rows, d.Out, len(x), len(y)))
	}
}

// columnSums sets sums (n) to the sums over the rows of x (rows, n). Each task owns
// some columns and adds their rows in order.
func columnSums(pool *gemm.Pool, sums []float32, rows int, x []float32) {
	const block = 256
	n := len(sums)
	pool.Run((n+block-1)/block, func(_, task int) {
		from, to := task*block, min((task+1)*block, n)
		clear(sums[from:to])
		for i := range rows {
			gemm.AddBias(sums[from:to], x[i*n+from:i*n+to])
		}
	})
}
