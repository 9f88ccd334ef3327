package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// AUROC returns the chance that a correct candidate's score is above an incorrect one's,
// ties counting one half. It is NaN without both kinds.
func AUROC(scores []float64, correct []bool) float64 {
	var wins float64
	pairs := 0
	for i, good := range scores {
		for j, bad := range scores {
			if !correct[i] || correct[j] {
				continue
			}
			pairs++
			switch {
			case good > bad:
				wins++
			case good == bad:
				wins += 0.5
			}
		}
	}
	return wins / float64(pairs)
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
