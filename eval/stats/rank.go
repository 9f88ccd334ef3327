package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// AUROC returns the chance that a correct candidate's score is above an incorrect one's,
// ties counting one half. It is NaN without both kinds.
//
// Source: Mann and Whitney 1947, by the sum of the ranks of the correct ones.
func AUROC(scores []float64, correct []bool) float64 {
	var sum, n float64
	for i, rank := range ranks(scores) {
		if correct[i] {
			sum += rank
			n++
		}
	}
	return (sum - n*(n+1)/2) / (n * (float64(len(scores)) - n))
}

// Spearman returns the correlation of the ranks of x and y, tied values having the
// mean of their ranks. It is NaN where one of them is constant.
func Spearman(x, y []float64) float64 {
	if len(x) < 2 {
		return math.NaN()
	}
	return stat.Correlation(ranks(x), ranks(y), nil)
}

// ranks returns each value's rank from 1, ties having the mean rank.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	out := make([]float64, len(x))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && x[order[to]] == x[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+1+to) / 2
		}
		from = to
	}
	return out
}
