package encoder

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"rcvae"
	"rcvae/embed/encoder/internal/block"
	"rcvae/internal/gemm"
)

// sequence is a tokenised text and the range of its tokens whose states are pooled. Its
// first tokens may be shared with others: the states of those are computed once.
type sequence struct {
	ids      []int32
	from, to int
	shared   int
	past     *block.Past // of the shared tokens, if they have been computed before
}

// EmbedTokens returns the embeddings of tokenised texts of a role, special tokens
// included, over all of their tokens. Each text has at least one and at most
// [Model.MaxTokens] tokens. A text's embedding does not depend, to the bit, on the others
// nor on the number of workers.
func (m *Model) EmbedTokens(ctx context.Context, role rcvae.Role, texts [][]int32) ([]rcvae.Embedding, error) {
	sequences := make([]sequence, len(texts))
	for i, ids := range texts {
		sequences[i] = sequence{ids: ids, to: len(ids)}
	}
	return m.embed(ctx, m.network(role), sequences)
}

// embed runs sequences through a network in batches, each on one worker. Where there are
// fewer batches than workers, they are run one after the other, each on all workers.
func (m *Model) embed(ctx context.Context, n *network, texts []sequence) ([]rcvae.Embedding, error) {
	for i, s := range texts {
		if len(s.ids) < 1 || len(s.ids) > m.limit {
			return nil, fmt.Errorf("text %d: %d tokens, want 1 to %d", i, len(s.ids), m.limit)
		}
		if err := n.embeddings.Check(s.ids); err != nil {
			return nil, fmt.Errorf("text %d: %w", i, err)
		}
	}
	select {
	case m.turns <- struct{}{}:
		defer func() { <-m.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m.recall(n, texts)
	r := run{model: m, network: n, texts: texts, out: make([]rcvae.Embedding, len(texts))}
	pool := gemm.NewPool(m.options.Workers)
	defer pool.Close()
	batches := batchesOf(texts, pool.Workers())
	if len(batches) < pool.Workers() {
		b := block.NewBatch(pool)
		for _, batch := range batches {
			r.batch(ctx, b, batch)
		}
		return r.result()
	}
	memory := make([]*block.Batch, pool.Workers())
	pool.Run(len(batches), func(worker, i int) {
		if memory[worker] == nil {
			memory[worker] = block.NewBatch(gemm.NewPool(1))
		}
		r.batch(ctx, memory[worker], batches[i])
	})
	for _, b := range memory {
		if b != nil {
			b.Pool.Close()
		}
	}
	return r.result()
}

// run is one call of embed.
type run struct {
	model   *Model
	network *network
	texts   []sequence
	out     []rcvae.Embedding

	mu  sync.Mutex
	err error
}

// batch encodes one batch and sets its embeddings.
func (r *run) batch(ctx context.Context, b *block.Batch, batch *batch) {
	h := r.network.embeddings.Hidden
	kept := batch.begin(b, h)
	if err := r.network.forward(ctx, b); err != nil {
		r.fail(err)
		return
	}
	r.model.pasts.add(r.network, kept)
	for text, i := range batch.rows {
		s := r.texts[text]
		first := b.Starts[i]
		if batch.after[i] != -1 {
			first -= s.shared
		}
		embedding, err := r.model.head.embed(b.X[(first+s.from)*h:(first+s.to)*h], h)
		if err != nil {
			r.fail(fmt.Errorf("text %d: %w", text, err))
		}
		r.out[text] = embedding
	}
}

func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = cmp.Or(r.err, err)
}

func (r *run) result() ([]rcvae.Embedding, error) {
	if r.err != nil {
		return nil, r.err
	}
	return r.out, nil
}
