package encoder

import (
	"cmp"
	"encoding/binary"
	"slices"

	"rcvae/embed/encoder/internal/block"
)

// batchTokens is about how many tokens a batch has: enough rows to keep the matrix
// kernels busy, few enough for the states to stay in the second-level cache.
const batchTokens = 512

// A batch whose texts share their first tokens has sharedTokens more for each of these, so
// that few batches repeat them.
const sharedTokens = 4

// uneven is how much more than its even share of a small call's tokens a worker may have.
// With more, all workers share each product, which costs about as much in waiting.
const uneven = 1.15

// batch is what is computed at once: the tokens of texts, or what is left of them behind
// shared tokens, and those shared tokens.
type batch struct {
	ids    [][]int32
	after  []int          // of each: index in ids of what it goes on from, -1 for none, -2-i for past i
	pasts  []*block.Past  // that texts go on from
	recent map[string]int // index in pasts of shared tokens
	rows   map[int]int    // of each of the run's texts: its index in ids
	shared map[string]int // index in ids of shared tokens
	tokens int
}

func newBatch() *batch {
	return &batch{rows: make(map[int]int), shared: make(map[string]int), recent: make(map[string]int)}
}

// key returns tokens as a key of a map.
func key(ids []int32) string {
	b := make([]byte, 0, 4*len(ids))
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	return string(b)
}

// add appends text number i. Its shared tokens are laid out apart even if no other text
// has them, so that its embedding, to the bit, does not depend on the others.
func (b *batch) add(i int, s sequence) {
	after := -1
	switch {
	case s.past != nil:
		prefix := key(s.ids[:s.shared])
		at, ok := b.recent[prefix]
		if !ok {
			at = len(b.pasts)
			b.pasts, b.recent[prefix] = append(b.pasts, s.past), at
		}
		after = -2 - at
	case s.shared > 0:
		prefix := key(s.ids[:s.shared])
		at, ok := b.shared[prefix]
		if !ok {
			at = b.append(s.ids[:s.shared], -1)
			b.shared[prefix] = at
		}
		after = at
	case len(b.shared) > 0:
		if at, ok := b.shared[key(s.ids)]; ok {
			b.rows[i] = at // a question whose solution is here
			return
		}
	}
	b.rows[i] = b.append(s.ids[s.shared:], after)
}

// begin lays the texts out in memory. It returns what will be kept of shared tokens.
func (b *batch) begin(memory *block.Batch, h int) map[string]*block.Past {
	after := make([]int, len(b.after))
	for i, a := range b.after {
		if after[i] = a; a < -1 {
			after[i] = len(b.ids) - 2 - a
		}
	}
	memory.BeginAfter(b.ids, after, b.pasts, h)
	kept := make(map[string]*block.Past, len(b.shared))
	for prefix, text := range b.shared {
		kept[prefix] = memory.Keep(text)
	}
	return kept
}

func (b *batch) append(ids []int32, after int) int {
	b.ids, b.after, b.tokens = append(b.ids, ids), append(b.after, after), b.tokens+len(ids)
	return len(b.ids) - 1
}

// batchesOf divides texts among batches: a few equal parts, one for each worker, or else
// batches of batchTokens.
func batchesOf(texts []sequence, workers int) []*batch {
	order := inOrder(texts)
	if parts := evenParts(texts, order, workers); parts != nil {
		return parts
	}
	var batches []*batch
	current := newBatch()
	for _, i := range order {
		current.add(i, texts[i])
		if current.tokens >= batchTokens+sharedTokens*texts[i].shared {
			batches, current = append(batches, current), newBatch()
		}
	}
	if len(current.ids) > 0 {
		batches = append(batches, current)
	}
	return batches
}

// inOrder returns the indices of texts, the longest first, so that the last and smallest
// pieces of work even out the workers. Those that share tokens stand together, with the
// text that has no others behind them.
func inOrder(texts []sequence) []int {
	type group struct{ longest, first int }
	sharing := make(map[string]*group)
	for i, s := range texts {
		if s.shared == 0 {
			continue
		}
		k := key(s.ids[:s.shared])
		if sharing[k] == nil {
			sharing[k] = &group{first: i}
		}
		sharing[k].longest = max(sharing[k].longest, len(s.ids))
	}
	groups, order := make([]*group, len(texts)), make([]int, len(texts))
	for i, s := range texts {
		order[i], groups[i] = i, &group{len(s.ids), i}
		if s.shared > 0 {
			groups[i] = sharing[key(s.ids[:s.shared])]
		} else if g := sharing[key(s.ids)]; g != nil {
			groups[i] = g
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		g, h := groups[a], groups[b]
		return cmp.Or(cmp.Compare(h.longest, g.longest), cmp.Compare(g.first, h.first),
			cmp.Compare(len(texts[b].ids), len(texts[a].ids)), cmp.Compare(a, b))
	})
	return order
}

// evenParts gives each worker a batch of about the same number of tokens, the next text
// always to the one that has the fewest. It returns nil where there is work for more
// batches, or where the texts do not divide evenly.
func evenParts(texts []sequence, order []int, workers int) []*batch {
	if workers < 2 || len(texts) < workers {
		return nil
	}
	parts, all := make([]*batch, workers), newBatch()
	for i := range parts {
		parts[i] = newBatch()
	}
	for _, i := range order {
		all.add(i, texts[i])
		least := slices.MinFunc(parts, func(a, b *batch) int { return cmp.Compare(a.tokens, b.tokens) })
		least.add(i, texts[i])
		if all.tokens >= workers*batchTokens {
			return nil
		}
	}
	for _, part := range parts {
		if float64(part.tokens*workers) > uneven*float64(all.tokens) {
			return nil
		}
	}
	return parts
}
