package transformer

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"rcvae"
	"rcvae/internal/gemm"
)

// batchTokens is about how many tokens a batch has: enough rows to keep the matrix
// kernels busy, few enough for the states to stay in the second-level cache.
const batchTokens = 512

// MeanPool encodes tokenised texts on the given number of workers (0: all
// processors) and returns the mean of each text's last states, scaled to unit
// length. Every text has at least one and at most Config.Positions tokens. A text's
// embedding does not depend on the others but for rounding.
func (e *Encoder) MeanPool(ctx context.Context, texts [][]int32, workers int) ([]rcvae.Embedding, error) {
	for i, ids := range texts {
		if err := e.checkTokens(ids); err != nil {
			return nil, fmt.Errorf("text %d: %w", i, err)
		}
	}
	out := make([]rcvae.Embedding, len(texts))
	batches := batchesByLength(texts)
	pool := gemm.NewPool(workers)
	defer pool.Close()
	scratches := make([]*scratch, pool.Workers())
	var mu sync.Mutex
	var firstErr error
	pool.Run(len(batches), func(worker, b int) {
		if scratches[worker] == nil {
			scratches[worker] = newScratch()
		}
		if err := e.poolBatch(ctx, scratches[worker], texts, batches[b], out); err != nil {
			mu.Lock()
			firstErr = cmp.Or(firstErr, err)
			mu.Unlock()
		}
	})
	for _, s := range scratches {
		if s != nil {
			s.pool.Close()
		}
	}
	return out, firstErr
}

func (e *Encoder) checkTokens(ids []int32) error {
	if len(ids) < 1 || len(ids) > e.config.Positions {
		return fmt.Errorf("%d tokens, want 1 to %d", len(ids), e.config.Positions)
	}
	for _, id := range ids {
		if id < 0 || int(id) >= e.config.Vocabulary {
			return fmt.Errorf("token id %d is outside the vocabulary of %d", id, e.config.Vocabulary)
		}
	}
	return nil
}

// batchesByLength groups the indices of texts, longest first, so that the last and
// smallest pieces of work even out the workers.
func batchesByLength(texts [][]int32) [][]int {
	order := make([]int, len(texts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(texts[b]), len(texts[a])) })
	var batches [][]int
	first, tokens := 0, 0
	for i, text := range order {
		if tokens += len(texts[text]); tokens >= batchTokens {
			batches = append(batches, order[first:i+1])
			first, tokens = i+1, 0
		}
	}
	if first < len(order) {
		batches = append(batches, order[first:])
	}
	return batches
}

// poolBatch encodes one batch and sets its embeddings.
func (e *Encoder) poolBatch(ctx context.Context, s *scratch, texts [][]int32, batch []int, out []rcvae.Embedding) error {
	ids := make([][]int32, len(batch))
	for i, text := range batch {
		ids[i] = texts[text]
	}
	if err := e.encode(ctx, s, ids); err != nil {
		return err
	}
	h := e.config.Hidden
	for i, text := range batch {
		embedding, err := meanOfRows(s.x[s.starts[i]*h:s.starts[i+1]*h], h)
		if err != nil {
			return fmt.Errorf("text %d: %w", text, err)
		}
		out[text] = embedding
	}
	return nil
}

// meanOfRows returns the mean of the rows of x, scaled to unit length. The mean's
// 1/n cancels in the scaling.
func meanOfRows(x []float32, h int) (rcvae.Embedding, error) {
	sums := make([]float64, h)
	for i := 0; i < len(x); i += h {
		for j, v := range x[i : i+h] {
			sums[j] += float64(v)
		}
	}
	var square float64
	for _, v := range sums {
		square += v * v
	}
	norm := math.Sqrt(square)
	if !(norm > 0) || math.IsInf(norm, 0) {
		return nil, fmt.Errorf("the embedding has length %v: the encoder's weights are damaged", norm)
	}
	embedding := make(rcvae.Embedding, h)
	for j, v := range sums {
		embedding[j] = float32(v / norm)
	}
	return embedding, nil
}
