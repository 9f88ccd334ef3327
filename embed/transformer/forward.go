package transformer

import (
	"context"

	"rcvae/internal/gemm"
)

// scratch is the memory of one worker's forward passes. It grows as needed and is
// reused from batch to batch.
type scratch struct {
	pool *gemm.Pool // of one worker: products run where they are called

	starts    []int     // (n+1), text i has the rows [starts[i], starts[i+1])
	x         []float32 // (T, H), the tokens' states
	qkv       []float32 // (T, 3H)
	context   []float32 // (T, H), attention's weighted values
	y         []float32 // (T, H), states after attention
	up        []float32 // (T, F)
	attention []float32 // (L, L), weights of one text and head
}

func newScratch() *scratch { return &scratch{pool: gemm.NewPool(1)} }

// encode runs a batch of tokenised texts through the encoder. The states of the
// last layer, (T, H), stay in s.x. It stops between layers when ctx ends.
func (e *Encoder) encode(ctx context.Context, s *scratch, batch [][]int32) error {
	s.starts = append(s.starts[:0], 0)
	for _, ids := range batch {
		s.starts = append(s.starts, s.starts[len(s.starts)-1]+len(ids))
	}
	tokens := s.starts[len(batch)]
	h, f := e.config.Hidden, e.config.Intermediate
	s.x, s.y = resize(s.x, tokens*h), resize(s.y, tokens*h)
	s.qkv, s.context, s.up = resize(s.qkv, tokens*3*h), resize(s.context, tokens*h), resize(s.up, tokens*f)
	e.embed(s, batch)
	for i := range e.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		e.attend(s, &e.layers[i], tokens)
		e.feedForward(s, &e.layers[i], tokens)
	}
	return nil
}

// embed sets x to LN(word + position + segment).
func (e *Encoder) embed(s *scratch, batch [][]int32) {
	h := e.config.Hidden
	row := 0
	for _, ids := range batch {
		for p, id := range ids {
			x := s.x[row*h : (row+1)*h]
			copy(x, e.words[int(id)*h:])
			gemm.AddBias(x, e.positions[p*h:(p+1)*h])
			gemm.LayerNorm(x, e.norm.Gamma, e.norm.Beta, e.config.Epsilon)
			row++
		}
	}
}

// attend sets y to LN(x + softmax(Q·Kᵀ/√w)·V·Wᵀ + b), with heads of width w.
func (e *Encoder) attend(s *scratch, l *packedLayer, tokens int) {
	h := e.config.Hidden
	s.pool.MulPacked(tokens, s.x, h, l.qkv, s.qkv, 3*h, false, func(row, rows, col, cols int) {
		for i := row; i < row+rows; i++ {
			gemm.AddBias(s.qkv[i*3*h+col:i*3*h+col+cols], l.qkvBias[col:col+cols])
		}
	})
	width := h / e.config.Heads
	for t := range len(s.starts) - 1 {
		first, n := s.starts[t], s.starts[t+1]-s.starts[t]
		s.attention = resize(s.attention, n*n)
		for head := range e.config.Heads {
			q := s.qkv[first*3*h+head*width:]
			gemm.Mul(gemm.NoTrans, gemm.Trans, n, n, width, q, 3*h, q[h:], 3*h, s.attention, n, false)
			for i := range n {
				gemm.Softmax(s.attention[i*n : (i+1)*n])
			}
			gemm.Mul(gemm.NoTrans, gemm.NoTrans, n, width, n, s.attention, n, q[2*h:], 3*h, s.context[first*h+head*width:], h, false)
		}
	}
	s.pool.MulPacked(tokens, s.context, h, l.attention, s.y, h, false, nil)
	e.addNorm(s.y, s.x, l.attentionBias, l.attentionNorm)
}

// feedForward sets x to LN(y + GELU(y·Uᵀ + a)·Dᵀ + b).
func (e *Encoder) feedForward(s *scratch, l *packedLayer, tokens int) {
	h, f := e.config.Hidden, e.config.Intermediate
	s.pool.MulPacked(tokens, s.y, h, l.up, s.up, f, false, func(row, rows, col, cols int) {
		for i := row; i < row+rows; i++ {
			gemm.AddBiasGELU(s.up[i*f+col:i*f+col+cols], l.upBias[col:col+cols])
		}
	})
	s.pool.MulPacked(tokens, s.up, f, l.down, s.x, h, false, nil)
	e.addNorm(s.x, s.y, l.downBias, l.outputNorm)
}

// addNorm sets every row of x to LN(x + bias + residual).
func (e *Encoder) addNorm(x, residual, bias []float32, n Norm) {
	h := e.config.Hidden
	for i := 0; i < len(x); i += h {
		gemm.AddLayerNorm(x[i:i+h], residual[i:i+h], bias, n.Gamma, n.Beta, e.config.Epsilon)
	}
}

func resize(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, n)
	}
	return x[:n]
}
