// Package block holds the parts that transformer encoders are composed of: norms,
// rotary positions, attention, feed-forward layers and embedding tables, over a ragged
// batch whose tokens are the rows of one matrix (T, H). Nothing is spent on padding.
//
// A result is the same, to the bit, for any number of workers and whatever other texts
// are in the batch.
//
// Source: Vaswani et al., "Attention Is All You Need" (2017); Su et al., "RoFormer"
// (2021); Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019); Shazeer,
// "GLU Variants Improve Transformer" (2020); Ainslie et al., "GQA" (2023).
package block

import "rcvae/internal/gemm"

// Batch is the memory of forward passes, one after the other. It grows as needed.
type Batch struct {
	Pool *gemm.Pool // shares the work of a pass

	Starts []int   // (n+1): text i has the rows [Starts[i], Starts[i+1])
	after  []int   // (n): see [Batch.BeginAfter]
	pasts  []*Past // that texts go on from
	starts []int   // (p+1): past i has the rows [starts[i], starts[i+1]) behind the T of the texts in qkv
	kept   map[int]*Past
	depth  int       // attentions so far in this pass
	X      []float32 // (T, H), the tokens' states

	ids      []int32
	y, z     []float32   // (T, H)
	qkv      []float32   // (T+P, (A+2K)·w), P tokens of pasts without queries
	context  []float32   // (T, A·w), attention's weighted values
	up       []float32   // (T, F) or (T, 2F)
	scores   [][]float32 // of each worker: attention weights of some rows of one text and head
	scratch  [][]float32 // of each worker: one row
	position []int32     // (T), of each row in its text
}

// NewBatch returns memory for passes on the workers of pool.
func NewBatch(pool *gemm.Pool) *Batch {
	n := pool.Workers()
	return &Batch{Pool: pool, scores: make([][]float32, n), scratch: make([][]float32, n)}
}

// Begin lays out tokenised texts of hidden size h.
func (b *Batch) Begin(texts [][]int32, h int) { b.BeginAfter(texts, nil, nil, h) }

// BeginAfter is [Batch.Begin] for texts of which some go on from another one: text i from
// text after[i], or from past after[i]-n, n being the number of texts, and from none if
// after[i] is negative or after nil. Their tokens see those before, whose states are
// computed once for all that go on from them, so every attention must be causal. A text
// that is gone on from goes on from none itself.
func (b *Batch) BeginAfter(texts [][]int32, after []int, pasts []*Past, h int) {
	b.pasts, b.kept, b.depth = pasts, nil, 0
	b.Starts, b.after, b.ids, b.position = append(b.Starts[:0], 0), b.after[:0], b.ids[:0], b.position[:0]
	for i, ids := range texts {
		from, before := -1, 0
		if after != nil && after[i] >= 0 {
			if from = after[i]; from < len(texts) {
				before = len(texts[from])
			} else {
				before = pasts[from-len(texts)].tokens
			}
		}
		b.Starts, b.after = append(b.Starts, b.Starts[i]+len(ids)), append(b.after, from)
		b.ids = append(b.ids, ids...)
		for p := range ids {
			b.position = append(b.position, int32(before+p))
		}
	}
	b.starts = append(b.starts[:0], len(b.ids))
	for i, p := range pasts {
		b.starts = append(b.starts, b.starts[i]+p.tokens)
	}
	b.X, b.y, b.z = resize(b.X, len(b.ids)*h), resize(b.y, len(b.ids)*h), resize(b.z, len(b.ids)*h)
}

// Tokens returns T.
func (b *Batch) Tokens() int { return len(b.ids) }

// longest returns the number of tokens of the longest text, what it goes on from included.
func (b *Batch) longest() int {
	n := int32(0)
	for _, p := range b.position {
		n = max(n, p+1)
	}
	return int(n)
}

// rowsAtOnce is how many rows a worker takes of a loop over rows.
const rowsAtOnce = 64

// rows calls f for every row, on all workers.
func (b *Batch) rows(f func(worker, row int)) {
	tokens := b.Tokens()
	b.Pool.Run((tokens+rowsAtOnce-1)/rowsAtOnce, func(worker, task int) {
		for row := task * rowsAtOnce; row < min(tokens, (task+1)*rowsAtOnce); row++ {
			f(worker, row)
		}
	})
}

// row returns a worker's scratch of n elements.
func (b *Batch) row(worker, n int) []float32 {
	b.scratch[worker] = resize(b.scratch[worker], n)
	return b.scratch[worker]
}

// Sublayer is attention or a feed-forward layer. Apply sets y, (T, H), to its value at
// x without the last bias, which is Bias.
type Sublayer interface {
	Apply(b *Batch, x, y []float32)
	Bias() []float32
}

var (
	_ Sublayer = (*Attention)(nil)
	_ Sublayer = (*FeedForward)(nil)
)

// Post computes x = norm(x + f(x)).
func (b *Batch) Post(f Sublayer, norm *Norm) {
	f.Apply(b, b.X, b.y)
	h, bias := norm.size(), f.Bias()
	b.rows(func(_, i int) { norm.addRow(b.y[i*h:(i+1)*h], b.X[i*h:(i+1)*h], bias) })
	b.X, b.y = b.y, b.X
}

// Pre computes x = x + f(norm(x)); a nil norm is none.
func (b *Batch) Pre(f Sublayer, norm *Norm) {
	b.apply(f, norm)
	bias := f.Bias()
	b.addRows(bias, nil)
}

// Sandwich computes x = x + after(f(before(x))).
func (b *Batch) Sandwich(f Sublayer, before, after *Norm) {
	b.apply(f, before)
	b.addRows(f.Bias(), after)
}

// apply sets y = f(norm(x)).
func (b *Batch) apply(f Sublayer, norm *Norm) {
	if norm == nil {
		f.Apply(b, b.X, b.y)
		return
	}
	copy(b.z, b.X)
	b.normalize(b.z, norm)
	f.Apply(b, b.z, b.y)
}

// addRows computes x += norm(y + bias).
func (b *Batch) addRows(bias []float32, norm *Norm) {
	h := len(bias)
	b.rows(func(_, i int) {
		y := b.y[i*h : (i+1)*h]
		gemm.AddBias(y, bias)
		if norm != nil {
			norm.row(y)
		}
		gemm.AddBias(b.X[i*h:(i+1)*h], y)
	})
}

// Normalize computes x = norm(x).
func (b *Batch) Normalize(norm *Norm) { b.normalize(b.X, norm) }

func (b *Batch) normalize(x []float32, norm *Norm) {
	h := norm.size()
	b.rows(func(_, i int) { norm.row(x[i*h : (i+1)*h]) })
}

func resize(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, n)
	}
	return x[:n]
}
