package encoder

import (
	"context"

	"rcvae/embed/encoder/internal/block"
	"rcvae/internal/gemm"
)

// network is an architecture with its weights: embeddings, layers, a last norm.
type network struct {
	embeddings block.Embeddings
	layers     []layer
	final      *block.Norm // nil for none
	causal     bool
}

// layer takes the states of a batch one layer further.
type layer interface{ run(b *block.Batch) }

// postNorm normalises after each sum, as the original transformer does.
type postNorm struct {
	attention     *block.Attention
	attentionNorm *block.Norm
	feedForward   *block.FeedForward
	outputNorm    *block.Norm
}

func (l *postNorm) run(b *block.Batch) {
	b.Post(l.attention, l.attentionNorm)
	b.Post(l.feedForward, l.outputNorm)
}

// preNorm normalises what each sublayer reads.
type preNorm struct {
	attentionNorm   *block.Norm // nil for none
	attention       *block.Attention
	feedForwardNorm *block.Norm
	feedForward     *block.FeedForward
}

func (l *preNorm) run(b *block.Batch) {
	b.Pre(l.attention, l.attentionNorm)
	b.Pre(l.feedForward, l.feedForwardNorm)
}

// sandwich normalises what each sublayer reads and what it returns.
type sandwich struct {
	beforeAttention   *block.Norm
	attention         *block.Attention
	afterAttention    *block.Norm
	beforeFeedForward *block.Norm
	feedForward       *block.FeedForward
	afterFeedForward  *block.Norm
}

func (l *sandwich) run(b *block.Batch) {
	b.Sandwich(l.attention, l.beforeAttention, l.afterAttention)
	b.Sandwich(l.feedForward, l.beforeFeedForward, l.afterFeedForward)
}

// forward leaves the last states of the texts that b was begun with, (T, H), in b.X. It
// stops between layers when ctx ends.
func (n *network) forward(ctx context.Context, b *block.Batch) error {
	n.embeddings.Apply(b)
	for _, l := range n.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		l.run(b)
	}
	if n.final != nil {
		b.Normalize(n.final)
	}
	return nil
}

// stackLayers builds n layers, several at once.
func stackLayers(n int, build func(i int) layer) []layer {
	layers := make([]layer, n)
	pool := gemm.NewPool(0)
	defer pool.Close()
	pool.Run(n, func(_, i int) { layers[i] = build(i) })
	return layers
}
