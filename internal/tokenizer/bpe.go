package tokenizer

import (
	"fmt"
	"unicode/utf8"
)

// bpe is byte pair encoding: a piece starts as single bytes or characters, and of all
// neighbours that have a merge the pair with the lowest rank, leftmost first, is merged
// until none is left.
//
// Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units"
// (2016); Radford et al., "Language Models are Unsupervised Multitask Learners" (2019)
// for bytes.
type bpe struct {
	ids    map[string]int32 // of tokens, as the bytes of text that they stand for
	merges map[pair]merge
	bytes  [256]int32 // ids of single bytes, or of the tokens <0x00> … <0xFF>; -1 for none

	byBytes bool  // pieces start as bytes; else as characters, with bytes for unknown ones
	whole   bool  // a piece that is a token needs no merges
	unk     int32 // -1 for none
	fuse    bool  // unknown neighbours are one

	// Without merges, any two neighbours that make a token are merged, by its rank.
	tokens []string
	ranks  []int32 // -1 for tokens that no merge makes
}

type pair struct{ left, right int32 }

// merge is what becomes of a pair.
type merge struct{ rank, id int32 }

// newBPE returns byte pair encoding over the bytes or the characters of text. The tokens
// of byBytes are written with a printable character for each byte, see [printableBytes].
func newBPE(ids map[string]int32, pairs [][2]string, byBytes bool) (*bpe, error) {
	b := &bpe{ids: ids, byBytes: byBytes, unk: -1}
	if byBytes {
		b.ids = make(map[string]int32, len(ids))
		for t, id := range ids {
			b.ids[unprintable(t)] = id
		}
		for i := range pairs {
			pairs[i] = [2]string{unprintable(pairs[i][0]), unprintable(pairs[i][1])}
		}
	}
	if err := b.addMerges(pairs); err != nil {
		return nil, err
	}
	for c := range b.bytes {
		name := string([]byte{byte(c)})
		if !byBytes {
			name = fmt.Sprintf("<0x%02X>", c)
		}
		id, ok := b.ids[name]
		if !ok {
			id = -1
		}
		b.bytes[c] = id
		if !ok && byBytes {
			return nil, fmt.Errorf("the vocabulary has no token for the byte %#02x", c)
		}
	}
	return b, nil
}

// noBytes makes characters that are not in the vocabulary unknown.
func (b *bpe) noBytes() {
	for c := range b.bytes {
		b.bytes[c] = -1
	}
}

// addMerges reads a list of pairs in the order of their ranks.
func (b *bpe) addMerges(pairs [][2]string) error {
	b.merges = make(map[pair]merge, len(pairs))
	for rank, p := range pairs {
		left, okLeft := b.ids[p[0]]
		right, okRight := b.ids[p[1]]
		both, ok := b.ids[p[0]+p[1]]
		if !okLeft || !okRight || !ok {
			return fmt.Errorf("merge %d of %q and %q is of tokens that the vocabulary does not have", rank, p[0], p[1])
		}
		key := pair{left, right}
		if _, seen := b.merges[key]; !seen {
			b.merges[key] = merge{int32(rank), both}
		}
	}
	return nil
}

// encode appends the ids of a piece.
func (b *bpe) encode(dst []int32, piece string) []int32 {
	if b.whole {
		if id, ok := b.ids[piece]; ok {
			return append(dst, id)
		}
	}
	start := len(dst)
	if b.byBytes {
		for i := range len(piece) {
			dst = append(dst, b.bytes[piece[i]])
		}
	} else {
		dst = b.characters(dst, piece)
	}
	return append(dst[:start], b.mergeAll(dst[start:])...)
}

// characters appends the ids of single characters.
func (b *bpe) characters(dst []int32, piece string) []int32 {
	start := len(dst)
	for piece != "" {
		_, n := utf8.DecodeRuneInString(piece)
		if id, ok := b.ids[piece[:n]]; ok {
			dst = append(dst, id)
		} else if ids, ok := b.fallback(piece[:n]); ok {
			dst = append(dst, ids...)
		} else if b.unk >= 0 && (!b.fuse || len(dst) == start || dst[len(dst)-1] != b.unk) {
			dst = append(dst, b.unk)
		}
		piece = piece[n:]
	}
	return dst
}

// fallback returns the ids of a character's bytes.
func (b *bpe) fallback(char string) ([]int32, bool) {
	ids := make([]int32, 0, utf8.UTFMax)
	for i := range len(char) {
		if b.bytes[char[i]] < 0 {
			return nil, false
		}
		ids = append(ids, b.bytes[char[i]])
	}
	return ids, true
}

// candidate is a pair of neighbours that can be merged.
type candidate struct {
	merge
	at          int32 // the place of the left one
	left, right int32 // the ids when the pair was found
}

func (c candidate) less(d candidate) bool {
	return c.rank < d.rank || c.rank == d.rank && c.at < d.at
}

// mergeAll merges ids in place and returns what is left. Its time is n log n.
func (b *bpe) mergeAll(ids []int32) []int32 {
	n := int32(len(ids))
	next, previous := make([]int32, 2*n), []int32(nil)
	next, previous = next[:n:n], next[n:]
	var queue heap
	for i := range n {
		next[i], previous[i] = i+1, i-1
		b.push(&queue, ids, i, i+1, n)
	}
	for len(queue) > 0 {
		c := queue.pop()
		right := next[c.at]
		if ids[c.at] != c.left || right >= n || ids[right] != c.right {
			continue // one of them has been merged meanwhile
		}
		ids[c.at], ids[right] = c.id, -1
		next[c.at] = next[right]
		if next[c.at] < n {
			previous[next[c.at]] = c.at
		}
		if previous[c.at] >= 0 {
			b.push(&queue, ids, previous[c.at], c.at, n)
		}
		b.push(&queue, ids, c.at, next[c.at], n)
	}
	out := ids[:0]
	for i := int32(0); i < n; i = next[i] {
		out = append(out, ids[i])
	}
	return out
}

// push queues the pair at left and right if it has a merge.
func (b *bpe) push(queue *heap, ids []int32, left, right, n int32) {
	if right >= n {
		return
	}
	m, ok := b.merges[pair{ids[left], ids[right]}]
	if b.ranks != nil {
		m, ok = b.byRank(ids[left], ids[right])
	}
	if ok {
		queue.push(candidate{merge: m, at: left, left: ids[left], right: ids[right]})
	}
}

// byRank returns the token that two tokens make.
func (b *bpe) byRank(left, right int32) (merge, bool) {
	var few [64]byte
	both := append(append(few[:0], b.tokens[left]...), b.tokens[right]...)
	id, ok := b.ids[string(both)]
	if !ok || b.ranks[id] < 0 {
		return merge{}, false
	}
	return merge{b.ranks[id], id}, true
}

// heap is a binary heap of candidates, the least first.
type heap []candidate

func (h *heap) push(c candidate) {
	*h = append(*h, c)
	q := *h
	i := len(q) - 1
	for i > 0 && c.less(q[(i-1)/2]) {
		q[i] = q[(i-1)/2]
		i = (i - 1) / 2
	}
	q[i] = c
}

func (h *heap) pop() candidate {
	q := *h
	top, last := q[0], q[len(q)-1]
	q = q[:len(q)-1]
	*h = q
	i := 0
	for {
		child := 2*i + 1
		if child >= len(q) {
			break
		}
		if child+1 < len(q) && q[child+1].less(q[child]) {
			child++
		}
		if !q[child].less(last) {
			break
		}
		q[i] = q[child]
		i = child
	}
	if len(q) > 0 {
		q[i] = last
	}
	return top
}
