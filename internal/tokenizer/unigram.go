package tokenizer

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// unigram is a Unigram language model: of all ways to cut a piece it takes the one whose
// tokens have the highest sum of scores.
//
// Source: Kudo, "Subword Regularization" (2018); Hugging Face's unigram model for the
// score of unknown characters and their fusion.
type unigram struct {
	trie    trie
	scores  []float64
	unk     int32
	unknown float64 // score of an unknown rune
}

// unknownPenalty is how much an unknown rune scores below the worst token.
const unknownPenalty = 10

func newUnigram(tokens []string, scores []float64, unk int32) (*unigram, error) {
	if len(scores) != len(tokens) || unk < 0 || int(unk) >= len(tokens) {
		return nil, fmt.Errorf("a unigram vocabulary of %d tokens has %d scores and the unknown token %d", len(tokens), len(scores), unk)
	}
	lowest := math.Inf(1)
	for i, s := range scores {
		if s-s != 0 {
			return nil, fmt.Errorf("the score of token %q is %v", tokens[i], s)
		}
		lowest = min(lowest, s)
	}
	return &unigram{trie: newTrie(tokens), scores: scores, unk: unk, unknown: lowest - unknownPenalty}, nil
}

// cell is the best way to cut a piece up to some byte.
type cell struct {
	score float64
	from  int32 // where its last token starts
	id    int32
}

// encode is Viterbi's algorithm. The first of equal ways wins.
func (u *unigram) encode(dst []int32, piece string) []int32 {
	var few [64]cell
	best := few[:0]
	if len(piece) >= len(few) {
		best = make([]cell, 0, len(piece)+1)
	}
	best = append(best, cell{})
	for range len(piece) {
		best = append(best, cell{score: math.Inf(-1)})
	}
	for i := 0; i < len(piece); {
		_, width := utf8.DecodeRuneInString(piece[i:])
		u.extend(best, piece, i, width)
		i += width
	}
	start := len(dst)
	for at := int32(len(piece)); at > 0; at = best[at].from {
		id := best[at].id
		if id == u.unk && len(dst) > start && dst[len(dst)-1] == u.unk {
			continue // unknown neighbours are one
		}
		dst = append(dst, id)
	}
	slices.Reverse(dst[start:])
	return dst
}

// extend tries all tokens that start at byte i, whose rune has the given width.
func (u *unigram) extend(best []cell, piece string, i, width int) {
	base, known := best[i].score, false
	node := int32(0)
	for j := i; j < len(piece); j++ {
		if node = u.trie.child(node, piece[j]); node < 0 {
			break
		}
		id := u.trie.ids[node]
		if id < 0 {
			continue
		}
		if s := base + u.scores[id]; s > best[j+1].score {
			best[j+1] = cell{s, int32(i), id}
		}
		known = known || j+1 == i+width
	}
	if !known {
		if s := base + u.unknown; s > best[i+width].score {
			best[i+width] = cell{s, int32(i), u.unk}
		}
	}
}
