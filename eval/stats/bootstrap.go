// Package stats says how good a selection rule is and how sure that is.
//
// Everything rests on one assumption: the questions of a pool are a random draw of the
// questions that one would like to know about, independent but for those with one id,
// which are drawn together. [Bootstrap.Resample] repeats that draw, and every estimate,
// interval and p-value of a [Resampled] is read off the same repetitions, so that an
// interval and a p-value cannot contradict each other: p < 0.05 exactly when the 95 %
// interval excludes 0. What an estimate lacks it says in its warnings.
//
// The rest are functions that need no assumption: [PassAtK], [MajorityAtK], [AUROC],
// [Spearman].
package stats

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// MinClusters is the number of different questions below which there is neither an
	// interval nor a p-value.
	MinClusters = 6

	// MinResamples is the smallest number of resamples that has 2.5 % quantiles.
	MinResamples = 100

	// negligible is the size up to which a difference of means is rounding.
	negligible = 1e-12
)

// Interval is a 95 % interval, [low, high].
type Interval [2]float64

// Estimate is a number with what is known of it.
type Estimate struct {
	Value    float64   // NaN where it is undefined
	CI95     *Interval // percentiles of the bootstrap; nil where it is undefined
	P        *float64  // two-sided, of the hypothesis that the value is 0; nil where it is undefined
	N        int       // questions
	Clusters int       // questions of different ids
	Warnings []string
}

// Sample holds what was measured: values by question and column.
type Sample struct {
	n     int
	sums  [][]float64 // (clusters) (columns), over a cluster's questions
	sizes []float64   // (clusters), their number
}

// NewSample returns the sample of rows[q], the values of question q in every column,
// whose id is clusters[q]. The order of the questions does not matter.
func NewSample(clusters []string, rows [][]float64) (*Sample, error) {
	if len(clusters) != len(rows) || len(rows) == 0 {
		return nil, fmt.Errorf("a sample of %d questions with %d ids: want one id per question, and at least one", len(rows), len(clusters))
	}
	order := make([]int, len(rows))
	for q, row := range rows {
		order[q] = q
		if len(row) != len(rows[0]) {
			return nil, fmt.Errorf("question %s has %d values, others %d", clusters[q], len(row), len(rows[0]))
		}
		for c, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("value %d of question %s is %v", c+1, clusters[q], v)
			}
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(clusters[a], clusters[b]), slices.Compare(rows[a], rows[b]))
	})
	s := &Sample{n: len(rows)}
	for i, q := range order {
		if i == 0 || clusters[q] != clusters[order[i-1]] {
			s.sums, s.sizes = append(s.sums, make([]float64, len(rows[q]))), append(s.sizes, 0)
		}
		last := len(s.sizes) - 1
		s.sizes[last]++
		for c, v := range rows[q] {
			s.sums[last][c] += v
		}
	}
	return s, nil
}

// Bootstrap says how often and with which seed to resample.
type Bootstrap struct {
	Resamples int // at least MinResamples
	Seed      uint64
}

// Resampled is a sample with its bootstrap distribution: the means of all columns over
// questions drawn with replacement, those of one id together.
type Resampled struct {
	sample *Sample
	means  []float64   // (columns)
	boot   [][]float64 // (columns) (resamples); entry b of every column is of the same draw
}

// Resample draws the bootstrap distribution. It depends on the sample and the seed
// alone; samples with the same ids see the same draws.
func (b Bootstrap) Resample(s *Sample) (*Resampled, error) {
	if b.Resamples < MinResamples {
		return nil, fmt.Errorf("%d resamples, want at least %d", b.Resamples, MinResamples)
	}
	every := make([]int, len(s.sizes))
	for i := range every {
		every[i] = i
	}
	r := &Resampled{sample: s, means: s.mean(every, make([]float64, len(s.sums[0])))}
	r.boot = make([][]float64, len(r.means))
	for c := range r.boot {
		r.boot[c] = make([]float64, b.Resamples)
	}
	rng := rand.New(rand.NewPCG(b.Seed, 0))
	drawn, means := make([]int, len(every)), make([]float64, len(r.means))
	for at := range b.Resamples {
		for i := range drawn {
			drawn[i] = rng.IntN(len(drawn))
		}
		for c, v := range s.mean(drawn, means) {
			r.boot[c][at] = v
		}
	}
	return r, nil
}

// mean sets and returns the means of all columns over the clusters.
func (s *Sample) mean(clusters []int, means []float64) []float64 {
	clear(means)
	var n float64
	for _, i := range clusters {
		n += s.sizes[i]
		for c, v := range s.sums[i] {
			means[c] += v
		}
	}
	for c := range means {
		means[c] /= n
	}
	return means
}

// Mean estimates the mean of a column.
func (r *Resampled) Mean(column int) Estimate {
	return r.estimate(func(at func(column int) float64) float64 { return at(column) })
}

// Difference estimates the mean of a column minus that of another, base.
func (r *Resampled) Difference(column, base int) Estimate {
	return r.estimate(func(at func(column int) float64) float64 { return at(column) - at(base) })
}

// Share estimates how much of the way from base to top a column goes,
//
//	(column − base) / (top − base)
//
// of the means. It is undefined unless the interval of top − base lies above 0.
func (r *Resampled) Share(column, base, top int) Estimate {
	gap := r.Difference(top, base)
	if gap.CI95 == nil || gap.CI95[0] <= 0 {
		e := Estimate{Value: math.NaN(), N: gap.N, Clusters: gap.Clusters, Warnings: gap.Warnings}
		if gap.CI95 != nil {
			e.Warnings = []string{"the interval of the gap includes 0: a share of it is undefined"}
		}
		return e
	}
	return r.estimate(func(at func(column int) float64) float64 {
		part, whole := snap(at(column)-at(base)), snap(at(top)-at(base))
		if whole <= 0 { // in less than 2.5 % of the resamples, so no quantile is infinite
			return math.Copysign(math.Inf(1), part)
		}
		return part / whole
	})
}

// estimate applies f to the means, and to those of every resample.
func (r *Resampled) estimate(f func(at func(column int) float64) float64) Estimate {
	e := Estimate{N: r.sample.n, Clusters: len(r.sample.sizes)}
	e.Value = snap(f(func(column int) float64 { return r.means[column] }))
	if e.Clusters < MinClusters {
		e.Warnings = []string{fmt.Sprintf("%d questions: at least %d are needed for an interval", e.Clusters, MinClusters)}
		return e
	}
	values := make([]float64, len(r.boot[0]))
	for b := range values {
		values[b] = snap(f(func(column int) float64 { return r.boot[column][b] }))
	}
	slices.Sort(values)
	e.CI95, e.P = percentiles(values), new(invert(values))
	return e
}

// snap makes 0 of what is rounding.
func snap(x float64) float64 {
	if math.Abs(x) < negligible {
		return 0
	}
	return x
}

// percentiles returns the values of rank m from either end of B sorted ones, with m the
// largest number of which 2m/(1+B) < 0.05.
func percentiles(sorted []float64) *Interval {
	m := len(sorted) / 40
	return &Interval{sorted[m-1], sorted[len(sorted)-m]}
}

// invert returns the smallest level at which an interval of the sorted values excludes 0,
//
//	p = min(1, 2·(1 + min(#{v ≤ 0}, #{v ≥ 0})) / (1 + B))
func invert(sorted []float64) float64 {
	below, _ := slices.BinarySearch(sorted, 0) // values < 0
	notAbove, _ := slices.BinarySearch(sorted, math.SmallestNonzeroFloat64)
	tail := min(notAbove, len(sorted)-below)
	return min(1, 2*float64(1+tail)/float64(1+len(sorted)))
}
