package eval

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/combin"
)

// subsets returns subsets of size k of the indices 0 … n−1, each increasing: all
// of them if there are no more than limit, else limit random ones, which depend on
// the seed, the question's id and k alone.
func subsets(n, k, limit int, seed uint64, id string) [][]int {
	if countAtMost(n, k, limit) {
		return combin.Combinations(n, k)
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // a hash never fails
	rng := rand.New(rand.NewPCG(seed, h.Sum64()+uint64(k)))
	out := make([][]int, limit)
	order := every(n)
	for s := range out {
		for i := range k {
			j := i + rng.IntN(n-i)
			order[i], order[j] = order[j], order[i]
		}
		out[s] = slices.Clone(order[:k])
		slices.Sort(out[s])
	}
	return out
}

// countAtMost reports whether C(n, k) ≤ limit, without overflow.
func countAtMost(n, k, limit int) bool {
	k = min(k, n-k)
	count := 1
	for i := range k {
		count = count * (n - i) / (i + 1)
		if count > limit {
			return false
		}
	}
	return true
}
