package nn

import (
	"strconv"

	"rcvae/internal/gemm"
)

// MLP is a stack of dense layers with a ReLU, and optionally dropout, after every
// layer but the last.
type MLP struct {
	Layers []Dense
}

// NewMLP adds layers of the given widths to the layout: in → hidden… → out,
// named name.0, name.1, ….
func NewMLP(l *Layout, name string, in int, hidden []int, out int) MLP {
	var m MLP
	for i, width := range append(append([]int{}, hidden...), out) {
		m.Layers = append(m.Layers, NewDense(l, name+"."+strconv.Itoa(i), in, width))
		in = width
	}
	return m
}

// RoundToBFloat16 makes the products of all layers round both factors to bfloat16.
func (m MLP) RoundToBFloat16() {
	for i := range m.Layers {
		m.Layers[i].BFloat16 = true
	}
}

// Init draws the initial weights of all layers.
func (m MLP) Init(params []float32, key uint64) {
	for i, d := range m.Layers {
		d.Init(params, Key(key, uint64(i)))
	}
}

// Tape holds what a forward pass leaves for the backward pass. It is reused from
// batch to batch and grows as needed; the zero Tape is ready to use.
type Tape struct {
	outputs [][]float32 // one per layer, (rows, Out)
	grads   [][]float32 // one per hidden layer, (rows, Out), by its output
}

// Forward runs x (rows, in) through the layers and returns the output (rows, out),
// which belongs to the tape. Hidden layers are dropped out by keys (rows), unless
// the dropout is inactive.
func (m MLP) Forward(pool *gemm.Pool, params []float32, rows int, x []float32, tape *Tape, dropout Dropout, keys []uint64) []float32 {
	last := len(m.Layers) - 1
	tape.outputs = resizeAll(tape.outputs, len(m.Layers))
	for i, d := range m.Layers {
		tape.outputs[i] = Resize(tape.outputs[i], rows*d.Out)
		y := tape.outputs[i]
		d.Forward(pool, params, rows, x, y, i < last)
		if i < last && dropout.Active() {
			EachRow(pool, rows, func(_, row int) {
				dropout.Apply(y[row*d.Out:(row+1)*d.Out], Key(keys[row], uint64(i)))
			})
		}
		x = y
	}
	return x
}

// Backward overwrites the stack's part of grads, given the input x and the
// gradient dy (rows, out) of the output of the last Forward. When dx is not nil it
// becomes the gradient (rows, to−from) of the input's columns [from, to).
func (m MLP) Backward(pool *gemm.Pool, params, grads []float32, rows int, x, dy []float32, tape *Tape, dropout Dropout, dx []float32, from, to int) {
	scale := float32(1)
	if dropout.Active() {
		scale = dropout.scale
	}
	tape.grads = resizeAll(tape.grads, len(m.Layers))
	for i := len(m.Layers) - 1; i > 0; i-- {
		d, input := m.Layers[i], tape.outputs[i-1]
		tape.grads[i-1] = Resize(tape.grads[i-1], rows*d.In)
		d.BackwardParams(pool, grads, rows, input, dy)
		d.BackwardInput(pool, params, rows, dy, tape.grads[i-1], 0, d.In, input, scale)
		dy = tape.grads[i-1]
	}
	m.Layers[0].BackwardParams(pool, grads, rows, x, dy)
	if dx != nil {
		m.Layers[0].BackwardInput(pool, params, rows, dy, dx, from, to, nil, 1)
	}
}

// EachRow calls f once for each row, in blocks of rows spread over the pool's workers.
func EachRow(pool *gemm.Pool, rows int, f func(worker, row int)) {
	const block = 8
	pool.Run((rows+block-1)/block, func(worker, task int) {
		for row := task * block; row < min((task+1)*block, rows); row++ {
			f(worker, row)
		}
	})
}

// Resize returns a slice of n elements, reusing x's memory when it suffices. The
// content is unspecified.
func Resize[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

func resizeAll(x [][]float32, n int) [][]float32 {
	if len(x) < n {
		return append(x, make([][]float32, n-len(x))...)
	}
	return x
}
