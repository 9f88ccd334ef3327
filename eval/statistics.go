package eval

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// McNemar returns the exact two-sided p-value of the hypothesis that of the
// questions which only one of two selectors gets right, each selector gets half:
//
//	p = min(1, 2 · P(X ≤ min(b, c))),  X ~ Binomial(b+c, ½)
//
// b and c count the questions that only the first, and only the second, gets right.
func McNemar(b, c int) float64 {
	if b == c {
		return 1
	}
	return min(1, 2*distuv.Binomial{N: float64(b + c), P: 0.5}.CDF(float64(min(b, c))))
}

// PassAtK returns the unbiased estimate of the chance that at least one of k
// samples is right, from n samples of which c are:
//
//	1 − C(n−c, k) / C(n, k) = 1 − Πᵢ (1 − k/i),  i = n−c+1 … n
//
// It is NaN for k > n.
func PassAtK(n, c, k int) float64 {
	if k > n {
		return math.NaN()
	}
	if n-c < k {
		return 1
	}
	miss := 1.0
	for i := n - c + 1; i <= n; i++ {
		miss *= 1 - float64(k)/float64(i)
	}
	return 1 - miss
}

// AUROC returns the chance that a right candidate's score is above a wrong one's,
// ties counting one half. It is NaN without both kinds.
func AUROC(scores []float64, correct []bool) float64 {
	var wins float64
	pairs := 0
	for i, right := range scores {
		if !correct[i] {
			continue
		}
		for j, wrong := range scores {
			if correct[j] {
				continue
			}
			pairs++
			switch {
			case right > wrong:
				wins++
			case right == wrong:
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
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
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
