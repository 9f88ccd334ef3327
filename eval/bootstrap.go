package eval

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// minForInterval is the number of questions below which no interval is given.
const minForInterval = 6

// table holds values by question and contender.
type table struct {
	columns int
	rows    [][]float64 // (Q, columns)
}

// means returns the mean of each column.
func (t table) means() []float64 {
	means := make([]float64, t.columns)
	for _, row := range t.rows {
		for c, v := range row {
			means[c] += v
		}
	}
	for c := range means {
		means[c] /= float64(len(t.rows))
	}
	return means
}

// bootstrap returns the column means of resampled questions, (columns, resamples).
// Column pairs stay paired: entry b of every column is of the same resample.
func (t table) bootstrap(resamples int, rng *rand.Rand) [][]float64 {
	out := make([][]float64, t.columns)
	for c := range out {
		out[c] = make([]float64, resamples)
	}
	sum := make([]float64, t.columns)
	for b := range resamples {
		clear(sum)
		for range t.rows {
			for c, v := range t.rows[rng.IntN(len(t.rows))] {
				sum[c] += v
			}
		}
		for c := range sum {
			out[c][b] = sum[c] / float64(len(t.rows))
		}
	}
	return out
}

// percentiles returns the 2.5 and 97.5 % quantiles of the values.
func percentiles(values []float64) Interval {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return Interval{
		stat.Quantile(0.025, stat.LinInterp, sorted, nil),
		stat.Quantile(0.975, stat.LinInterp, sorted, nil),
	}
}

// signFlip returns for every column the two-sided p-value of the mean of
// column − column base, under the hypothesis that each question's difference is as
// likely to have the other sign:
//
//	p = (1 + #{flips with |Σ ±d| ≥ |Σ d|}) / (1 + flips)
func (t table) signFlip(base, flips int, rng *rand.Rand) []float64 {
	observed, sum := make([]float64, t.columns), make([]float64, t.columns)
	for _, row := range t.rows {
		for c, v := range row {
			observed[c] += v - row[base]
		}
	}
	count := make([]int, t.columns)
	for range flips {
		clear(sum)
		var bits uint64
		for q, row := range t.rows {
			if q%64 == 0 {
				bits = rng.Uint64()
			}
			sign := 1 - 2*float64(bits&1)
			bits >>= 1
			for c, v := range row {
				sum[c] += sign * (v - row[base])
			}
		}
		for c := range sum {
			if math.Abs(sum[c]) >= math.Abs(observed[c])-1e-9 {
				count[c]++
			}
		}
	}
	p := make([]float64, t.columns)
	for c := range p {
		p[c] = float64(1+count[c]) / float64(1+flips)
	}
	return p
}
