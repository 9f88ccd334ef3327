package eval

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/combin"
)

// subsets returns subsets of size k of the indices 0 … n−1, each increasing: all
// of them if there are no more than limit, else limit random ones, which depend on
// the seed, the question's id and k alone. Subsets that follow each other are cut from
// one permutation, so that candidates are in about equally many, which lowers the chance
// in a mean over the subsets.
func subsets(n, k, limit int, seed uint64, id string) [][]int {
	if combin.GeneralizedBinomial(float64(n), float64(k)) < float64(limit)+0.5 {
		return combin.Combinations(n, k)
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // a hash never fails
	rng := rand.New(rand.NewPCG(seed, h.Sum64()+uint64(k)))
	out := make([][]int, limit)
	var order []int
	for s := range out {
		if len(order) < k {
			order = rng.Perm(n)
		}
		out[s], order = order[:k:k], order[k:]
		slices.Sort(out[s])
	}
	return out
}
