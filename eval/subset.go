package eval

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/combin"
)

// subsets returns subsets of size k of the indices 0 … n−1, each increasing: all
// of them if there are no more than limit, else limit random ones, which depend on
// the seed, the question's position and k alone.
func subsets(n, k, limit int, seed uint64, question int) [][]int {
	if countAtMost(n, k, limit) {
		return combin.Combinations(n, k)
	}
	rng := rand.New(rand.NewPCG(seed, uint64(question)<<20|uint64(k)))
	out := make([][]int, limit)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
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
