package dataset

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"rcvae"
)

// Doubled are questions of one text, but for white space, that stand under several ids.
// An evaluation takes them for different ones, so that its intervals are too narrow, and
// training may learn from one and be measured on the other.
type Doubled struct {
	Texts       int    // that stand under several ids
	First, Last string // ids of the first pair
}

// FindDoubled looks for questions of one text under several ids.
func FindDoubled(questions []rcvae.Question) (d Doubled) {
	first, counted := make(map[[sha256.Size]byte]string), make(map[[sha256.Size]byte]bool)
	for _, q := range questions {
		text := sha256.Sum256([]byte(strings.Join(strings.Fields(q.Question), " ")))
		id, ok := first[text]
		switch {
		case !ok:
			first[text] = q.ID
		case id != q.ID && !counted[text]:
			counted[text] = true
			if d.Texts++; d.Texts == 1 {
				d.First, d.Last = id, q.ID
			}
		}
	}
	return d
}

// String says it in one sentence, with what to do, or returns "" if there are none.
func (d Doubled) String() string {
	if d.Texts == 0 {
		return ""
	}
	return fmt.Sprintf("questions of one text stand under several ids: %d, the first as %q and %q; they count as different questions, so give them one id or leave one out", d.Texts, d.First, d.Last)
}
