package encoder

import (
	"fmt"
	"math"

	"rcvae"
	"rcvae/internal/gemm"
)

// Ways to make one vector of a text's states.
const (
	PoolMean = "mean" // their mean
	PoolCLS  = "cls"  // the first
	PoolLast = "last" // the last
)

// head makes an embedding of a text's last states: pooling, dense layers, a cut to the
// first dimensions, unit length.
type head struct {
	pooling   string
	dense     []dense
	dimension int // 0: all
}

// dense is y = f(x·Weightᵀ + bias).
type dense struct {
	weight []float32 // (out, in)
	bias   []float32 // (out)
	tanh   bool      // f; the identity otherwise
}

// embed returns the embedding of rows of states of width h.
func (d *head) embed(states []float32, h int) (rcvae.Embedding, error) {
	x := pool(d.pooling, states, h)
	for _, layer := range d.dense {
		x = layer.apply(x)
	}
	if d.dimension > 0 {
		x = x[:min(d.dimension, len(x))]
	}
	return unit(x)
}

// size returns the length of embeddings of states of width h.
func (d *head) size(h int) int {
	if n := len(d.dense); n > 0 {
		h = len(d.dense[n-1].bias)
	}
	if d.dimension > 0 {
		h = min(h, d.dimension)
	}
	return h
}

func pool(how string, states []float32, h int) []float64 {
	out := make([]float64, h)
	switch how {
	case PoolCLS:
		states = states[:h]
	case PoolLast:
		states = states[len(states)-h:]
	}
	for i := 0; i < len(states); i += h {
		for j, v := range states[i : i+h] {
			out[j] += float64(v)
		}
	}
	for j := range out {
		out[j] /= float64(len(states) / h)
	}
	return out
}

func (d *dense) apply(x []float64) []float64 {
	in := make([]float32, len(x))
	for i, v := range x {
		in[i] = float32(v)
	}
	out := make([]float64, len(d.bias))
	for i, b := range d.bias {
		y := float64(gemm.Dot(in, d.weight[i*len(in):(i+1)*len(in)]) + b)
		if d.tanh {
			y = math.Tanh(y)
		}
		out[i] = y
	}
	return out
}

// unit scales x to unit length.
func unit(x []float64) (rcvae.Embedding, error) {
	var square float64
	for _, v := range x {
		square += v * v
	}
	norm := math.Sqrt(square)
	if !(norm > 0) || math.IsInf(norm, 0) {
		return nil, fmt.Errorf("the embedding has length %v: the encoder's weights are damaged", norm)
	}
	embedding := make(rcvae.Embedding, len(x))
	for j, v := range x {
		embedding[j] = float32(v / norm)
	}
	return embedding, nil
}
