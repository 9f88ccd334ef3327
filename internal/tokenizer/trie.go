package tokenizer

import (
	"cmp"
	"slices"
)

// trie finds tokens byte by byte. The children of node n are the nodes
// [first[n], first[n+1]), in the order of their labels; node 0 is the root.
type trie struct {
	first  []uint32
	labels []byte
	ids    []int32    // of the token that ends at a node, -1 for none
	root   [256]int32 // children of the root by label, -1 for none
}

// newTrie builds the trie level by level from the sorted tokens. Of equal tokens the
// last counts.
func newTrie(tokens []string) trie {
	order := make([]int32, 0, len(tokens))
	for i, t := range tokens {
		if t != "" {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(tokens[a], tokens[b]), cmp.Compare(a, b)) })
	type span struct{ from, to, depth int32 } // tokens with a common prefix
	t := trie{labels: []byte{0}, ids: []int32{-1}}
	queue := []span{{0, int32(len(order)), 0}}
	for n := 0; n < len(queue); n++ {
		s := queue[n]
		t.first = append(t.first, uint32(len(queue)))
		for s.from < s.to && int32(len(tokens[order[s.from]])) == s.depth {
			t.ids[n] = order[s.from]
			s.from++
		}
		for s.from < s.to {
			label, end := tokens[order[s.from]][s.depth], s.from+1
			for end < s.to && tokens[order[end]][s.depth] == label {
				end++
			}
			queue = append(queue, span{s.from, end, s.depth + 1})
			t.labels, t.ids = append(t.labels, label), append(t.ids, -1)
			s.from = end
		}
	}
	t.first = append(t.first, uint32(len(queue)))
	for i := range t.root {
		t.root[i] = -1
	}
	for c := t.first[0]; c < t.first[1]; c++ {
		t.root[t.labels[c]] = int32(c)
	}
	return t
}

// child returns the child of node n with a label, -1 for none.
func (t *trie) child(n int32, label byte) int32 {
	if n == 0 {
		return t.root[label]
	}
	low, high := t.first[n], t.first[n+1]
	for high-low > 8 {
		middle := (low + high) / 2
		if t.labels[middle] <= label {
			low = middle
		} else {
			high = middle
		}
	}
	for i := low; i < high; i++ {
		if t.labels[i] == label {
			return int32(i)
		}
	}
	return -1
}
