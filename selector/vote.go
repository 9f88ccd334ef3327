package selector

import (
	"math"
	"slices"
)

const (
	// weightTolerance is the relative difference below which two sums of vote weights
	// are a tie: they may be the same terms in another order.
	weightTolerance = 1e-12

	// knownWeight is the in-distribution weight from which a model's score is rather
	// known than not.
	knownWeight = 0.5
)

// represent finds the candidate that stands for each class: the highest-scored one, the
// earliest among equals. With a model, candidates that it knows come before
// out-of-distribution ones, whose discounted scores are the mean and so would beat a
// known one below it.
func (c *Choice) represent(e *Evidence, model bool) {
	c.Representatives = slices.Repeat([]int{-1}, e.classes)
	for i, k := range c.Class {
		if k >= 0 && (c.Representatives[k] < 0 || c.compare(e, model, i, c.Representatives[k]) > 0) {
			c.Representatives[k] = i
		}
	}
}

// compare returns a positive number if candidate i is to be preferred to j, a negative
// one if j is, and 0 for equals.
func (c *Choice) compare(e *Evidence, model bool, i, j int) int {
	if model {
		known, other := e.InDistribution(i) >= knownWeight, e.InDistribution(j) >= knownWeight
		switch {
		case known && !other:
			return 1
		case other && !known:
			return -1
		}
	}
	switch s, t := c.Scores[i], c.Scores[j]; {
	case s > t:
		return 1
	case s < t:
		return -1
	}
	return 0
}

// take takes the representatives of the classes that win. If nobody votes, the best
// score is taken, and by majority the first candidate.
func (c *Choice) take(e *Evidence, r Rule) {
	winners := c.winners()
	switch {
	case len(winners) > 0:
		if r.Aggregate == Tiebreak {
			winners = c.breakTie(e, r, winners)
		}
		slices.Sort(winners)
		c.Tied, c.Best = winners, winners[0]
	case r.scored():
		c.pick()
	}
	if r.Aggregate == Majority {
		c.Scores = make([]float64, e.Len())
		for i, k := range c.Class {
			if k >= 0 {
				c.Scores[i] = c.Weights[k]
			}
		}
	}
}

// winners returns the representatives of the classes of the largest weight.
func (c *Choice) winners() (winners []int) {
	first, _, _ := leaders(c.Weights)
	for k, w := range c.Weights {
		if w >= first*(1-weightTolerance) {
			winners = append(winners, c.Representatives[k])
		}
	}
	return winners
}

// breakTie keeps the best of several representatives.
func (c *Choice) breakTie(e *Evidence, r Rule, winners []int) (best []int) {
	model := r.Needs().Has(NeedModel)
	for _, i := range winners {
		order := math.MaxInt
		if len(best) > 0 {
			order = c.compare(e, model, i, best[0])
		}
		switch {
		case order > 0:
			best = []int{i}
		case order == 0:
			best = append(best, i)
		}
	}
	return best
}
