package transformer

import (
	"fmt"
	"math"
	"slices"

	"rcvae/internal/gemm"
)

// Encoder is a BERT encoder with its weights packed for [gemm]. It may be used
// concurrently.
type Encoder struct {
	config    Config
	words     []float32 // (V, H)
	positions []float32 // (P, H), with the segment embedding added
	norm      Norm
	layers    []packedLayer
}

// packedLayer is a [Layer] ready for matrix products.
type packedLayer struct {
	qkv           *gemm.Packed // (H, 3H); the query part is scaled by 1/√(H/A)
	qkvBias       []float32    // (3H)
	attention     *gemm.Packed // (H, H)
	attentionBias []float32
	attentionNorm Norm
	up            *gemm.Packed // (H, F)
	upBias        []float32
	down          *gemm.Packed // (F, H)
	downBias      []float32
	outputNorm    Norm
}

// New packs the weights. It keeps references to the embedding tables and biases and
// none to the matrices of the layers.
func New(c Config, w Weights) (*Encoder, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("transformer config: %w", err)
	}
	if len(w.Layers) != c.Layers || len(w.Words) != c.Vocabulary*c.Hidden || len(w.Positions) != c.Positions*c.Hidden || len(w.Type) != c.Hidden {
		return nil, fmt.Errorf("transformer weights do not fit the config %+v", c)
	}
	e := &Encoder{config: c, words: w.Words, positions: slices.Clone(w.Positions), norm: w.Norm, layers: make([]packedLayer, c.Layers)}
	for p := range c.Positions {
		gemm.AddBias(e.positions[p*c.Hidden:(p+1)*c.Hidden], w.Type)
	}
	pool := gemm.NewPool(0)
	defer pool.Close()
	pool.Run(c.Layers, func(_, i int) { e.layers[i] = packLayer(c, w.Layers[i]) })
	return e, nil
}

func packLayer(c Config, l Layer) packedLayer {
	h, f := c.Hidden, c.Intermediate
	scale := float32(1 / math.Sqrt(float64(h/c.Heads)))
	qkv := slices.Concat(l.Query.Weight, l.Key.Weight, l.Value.Weight)
	bias := slices.Concat(l.Query.Bias, l.Key.Bias, l.Value.Bias)
	gemm.Scale(scale, qkv[:h*h])
	gemm.Scale(scale, bias[:h])
	return packedLayer{
		qkv: gemm.Pack(gemm.Trans, h, 3*h, qkv, h), qkvBias: bias,
		attention: gemm.Pack(gemm.Trans, h, h, l.Attention.Weight, h), attentionBias: l.Attention.Bias, attentionNorm: l.AttentionNorm,
		up: gemm.Pack(gemm.Trans, h, f, l.Intermediate.Weight, h), upBias: l.Intermediate.Bias,
		down: gemm.Pack(gemm.Trans, f, h, l.Output.Weight, f), downBias: l.Output.Bias, outputNorm: l.OutputNorm,
	}
}

// Config returns the encoder's sizes.
func (e *Encoder) Config() Config { return e.config }
