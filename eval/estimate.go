package eval

import (
	"math"
	"math/rand/v2"
)

// Random streams of one seed; subsets use numbers of their own.
const (
	streamBootstrap = math.MaxUint64 - iota
	streamVsMean
	streamVsMajority
)

// estimate is what a table of values says of every contender.
type estimate struct {
	mean               []float64
	ci                 []Interval
	vsMean, vsMajority []Comparison // by the sign-flip test
}

// estimateOf computes means, intervals and paired comparisons of all columns.
// Tables of equal size see the same resamples.
func (p plan) estimateOf(t table) estimate {
	e := estimate{mean: t.means()}
	boot := t.bootstrap(p.config.Resamples, rand.New(rand.NewPCG(p.config.Seed, streamBootstrap)))
	flips := [2][]float64{
		t.signFlip(columnMean, p.config.Resamples, rand.New(rand.NewPCG(p.config.Seed, streamVsMean))),
		t.signFlip(columnMajority, p.config.Resamples, rand.New(rand.NewPCG(p.config.Seed, streamVsMajority))),
	}
	enough := len(t.rows) >= minForInterval // else the interval is all there is
	compare := func(c, base int) Comparison {
		x := Comparison{Diff: e.mean[c] - e.mean[base], P: flips[base][c], Test: "sign-flip", CI95: Interval{-1, 1}}
		if enough {
			diff := make([]float64, len(boot[c]))
			for b := range diff {
				diff[b] = boot[c][b] - boot[base][b]
			}
			x.CI95 = percentiles(diff)
		}
		return x
	}
	for c := range t.columns {
		ci := Interval{0, 1}
		if enough {
			ci = percentiles(boot[c])
		}
		e.ci = append(e.ci, ci)
		e.vsMean = append(e.vsMean, compare(c, columnMean))
		e.vsMajority = append(e.vsMajority, compare(c, columnMajority))
	}
	return e
}
