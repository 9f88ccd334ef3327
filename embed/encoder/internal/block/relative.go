package block

import (
	"fmt"
	"math"
)

// RelativeBias adds a learned number to each score, by head and by the bucket of the
// distance between key and query: near distances have buckets of their own, far ones
// share them on a logarithmic scale.
//
// Source: Raffel et al., "Exploring the Limits of Transfer Learning with a Unified
// Text-to-Text Transformer" (2020), as MPNet uses it.
type RelativeBias struct {
	heads, buckets int
	table          []float32 // (buckets, heads)
}

// furthest is the distance from which on all share the last bucket.
const furthest = 128

// NewRelativeBias returns the bias of a table of shape (buckets, heads).
func NewRelativeBias(buckets, heads int, table []float32) (*RelativeBias, error) {
	if buckets < 4 || buckets%2 != 0 || buckets > furthest {
		return nil, fmt.Errorf("a relative bias of %d buckets: want an even number from 4 to %d", buckets, furthest)
	}
	return &RelativeBias{heads: heads, buckets: buckets, table: table}, nil
}

// add adds the biases to the scores of neighbouring keys, of which the first is at the
// given distance from the query (negative: before it).
func (r *RelativeBias) add(scores []float32, head, distance int) {
	for j := range scores {
		scores[j] += r.table[r.bucket(distance+j)*r.heads+head]
	}
}

// bucket returns the bucket of a distance, key − query.
func (r *RelativeBias) bucket(distance int) int {
	half := r.buckets / 2
	first := 0
	if distance > 0 {
		first = half
	} else {
		distance = -distance
	}
	exact := half / 2
	if distance < exact {
		return first + distance
	}
	far := math.Log(float64(distance)/float64(exact)) / math.Log(furthest/float64(exact)) * float64(half-exact)
	return first + min(half-1, exact+int(far))
}
