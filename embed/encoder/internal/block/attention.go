package block

import "rcvae/internal/gemm"

// Attention is multi-head attention within each text, of A query heads of width w over K
// heads of keys and values:
//
//	softmax(Q·Kᵀ + bias)·V·Outᵀ
//
// The factor 1/√w of the scores is in the weights and the bias of the queries.
type Attention struct {
	Heads, KVHeads, Width int
	QKV                   *Linear       // (H, (A+2K)·w): queries, keys, values
	Out                   *Linear       // (A·w, H)
	QueryNorm, KeyNorm    *Norm         // of each head before it is turned; nil for none
	Rotary                *Rotary       // nil for none
	Window                int           // the furthest token that is seen, on each side; 0: all
	Causal                bool          // tokens see those before them and themselves
	Relative              *RelativeBias // nil for none
}

// Bias returns the bias of the output.
func (a *Attention) Bias() []float32 { return a.Out.bias }

// queryRows is the most rows of scores of one text and head at once.
const queryRows = 256

// Apply sets y to the attention's output at x, without its bias.
func (a *Attention) Apply(b *Batch, x, y []float32) {
	stride := a.QKV.out
	b.qkv = resize(b.qkv, b.starts[len(b.pasts)]*stride)
	b.context = resize(b.context, b.Tokens()*a.Heads*a.Width)
	a.QKV.biased(b, x, a.QKV.in(), b.qkv)
	if a.Rotary != nil || a.QueryNorm != nil {
		a.turn(b, stride)
	}
	a.recall(b)
	tasks := a.tasks(b)
	b.Pool.Run(len(tasks)*a.Heads, func(worker, i int) {
		a.attend(b, worker, tasks[i/a.Heads], i%a.Heads)
	})
	a.Out.product(b, b.context, a.Heads*a.Width, y, nil)
}

// turn normalises and rotates queries and keys.
func (a *Attention) turn(b *Batch, stride int) {
	var table *rotaryTable
	if a.Rotary != nil {
		table = a.Rotary.upTo(b.longest())
	}
	b.rows(func(_, row int) {
		for head := range a.Heads + a.KVHeads {
			x := b.qkv[row*stride+head*a.Width:][:a.Width]
			norm := a.QueryNorm
			if head >= a.Heads {
				norm = a.KeyNorm
			}
			if norm != nil {
				norm.row(x)
			}
			if table != nil {
				table.turn(x, int(b.position[row]))
			}
		}
	})
}

// task is some queries of one text.
type task struct {
	before, seen int // the rows of what the text goes on from: the first and how many
	first, n     int // the text's rows
	from, to     int // the queries, among the n
}

func (a *Attention) tasks(b *Batch) []task {
	var tasks []task
	for t, after := range b.after {
		first, n := b.Starts[t], b.Starts[t+1]-b.Starts[t]
		before, seen := 0, 0
		if after >= len(b.after) {
			past := after - len(b.after)
			before, seen = b.starts[past], b.pasts[past].tokens
		} else if after >= 0 {
			before, seen = b.Starts[after], b.Starts[after+1]-b.Starts[after]
		}
		for from := 0; from < n; from += queryRows {
			tasks = append(tasks, task{before, seen, first, n, from, min(n, from+queryRows)})
		}
	}
	return tasks
}

// keys returns the range of the n keys that query i sees.
func (a *Attention) keys(i, n int) (from, to int) {
	from, to = 0, n
	if a.Window > 0 {
		from, to = max(0, i-a.Window), min(n, i+a.Window+1)
	}
	if a.Causal {
		to = i + 1
	}
	return from, to
}

// attend sets the context of one head for the queries of t. The keys before the text and
// its own are two products into the columns of one matrix of scores.
func (a *Attention) attend(b *Batch, worker int, t task, head int) {
	low, _ := a.keys(t.seen+t.from, t.seen+t.n)
	_, high := a.keys(t.seen+t.to-1, t.seen+t.n)
	queries, keys, stride, w := t.to-t.from, high-low, a.QKV.out, a.Width
	b.scores[worker] = resize(b.scores[worker], queries*keys)
	scores := b.scores[worker]
	kv := a.Heads + head/(a.Heads/a.KVHeads)
	before := max(0, t.seen-low) // keys
	ahead, own := (t.before+low)*stride, (t.first+max(0, low-t.seen))*stride
	q := b.qkv[(t.first+t.from)*stride+head*w:]
	if before > 0 {
		gemm.Mul(gemm.NoTrans, gemm.Trans, queries, before, w, q, stride, b.qkv[ahead+kv*w:], stride, scores, keys, false)
	}
	gemm.Mul(gemm.NoTrans, gemm.Trans, queries, keys-before, w, q, stride, b.qkv[own+kv*w:], stride, scores[before:], keys, false)
	a.weigh(t, head, low, keys, scores)
	kv += a.KVHeads
	context := b.context[(t.first+t.from)*a.Heads*w+head*w:]
	gemm.Mul(gemm.NoTrans, gemm.NoTrans, queries, w, keys-before, scores[before:], keys, b.qkv[own+kv*w:], stride, context, a.Heads*w, false)
	if before > 0 {
		gemm.Mul(gemm.NoTrans, gemm.NoTrans, queries, w, before, scores, keys, b.qkv[ahead+kv*w:], stride, context, a.Heads*w, true)
	}
}

// weigh makes the attention's weights of the scores of t's queries with the keys from low
// on.
func (a *Attention) weigh(t task, head, low, keys int, scores []float32) {
	for i := range t.to - t.from {
		query := t.seen + t.from + i
		from, to := a.keys(query, t.seen+t.n)
		row := scores[i*keys : (i+1)*keys]
		seen := row[from-low : to-low]
		if a.Relative != nil {
			a.Relative.add(seen, head, from-query)
		}
		gemm.Softmax(seen)
		clear(row[:from-low])
		clear(row[to-low:])
	}
}
