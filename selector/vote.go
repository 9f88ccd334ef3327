package selector

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"rcvae"
)

const (
	// weightTolerance is the relative difference below which two sums of vote weights
	// are a tie: they may be the same terms in another order.
	weightTolerance = 1e-12

	// knownWeight is the in-distribution weight from which a model's score is rather
	// known than not.
	knownWeight = 0.5
)

// vote weighs the answers and takes the representatives of those that win. If nobody
// votes, the best score is taken, and by majority the first candidate.
func (c *Choice) vote(e *Evidence, r Rule) error {
	tau, err := r.tau(e)
	if err != nil {
		return err
	}
	c.Class = e.class
	c.weigh(e, tau)
	c.represent(e, r)
	switch winners := c.winners(); {
	case len(winners) > 0:
		if r.Aggregate == Tiebreak {
			best := slices.MaxFunc(winners, func(i, j int) int { return c.compare(e, r, i, j) })
			winners = slices.DeleteFunc(winners, func(i int) bool { return c.compare(e, r, i, best) < 0 })
		}
		c.Tied, c.Best = winners, winners[0]
	case r.scored():
		c.pick()
	}
	if r.Aggregate == Majority {
		for i, k := range c.Class {
			if k >= 0 {
				c.Scores[i] = c.Weights[k]
			}
		}
	}
	return nil
}

// tau returns the τ of the rule's vote; 0 counts votes.
func (r Rule) tau(e *Evidence) (float64, error) {
	switch {
	case !r.Weighted():
		return 0, nil
	case r.Tau != nil:
		return *r.Tau, nil
	case r.Score.Tau != nil:
		return *r.Score.Tau, nil
	case len(e.models) == 0:
		return 0, errors.New("there is neither a τ nor a model that is calibrated; set the Tau of the score or of the rule")
	}
	return e.meanOverModels(0, func(_ rcvae.Inference, c rcvae.Calibration) float64 { return c.Tau }), nil
}

// weigh sets the weight of each class a to
//
//	W(a) = Σ over i with answer a of exp(τ·(sᵢ − max s))
//
// which for τ = 0 is its number of votes.
//
// Note: the maximum is that of the candidates which vote. It scales all weights
// alike, and taken over all candidates it could let every weight underflow.
func (c *Choice) weigh(e *Evidence, tau float64) {
	c.Weights = make([]float64, e.classes)
	highest := math.Inf(-1)
	for i, k := range c.Class {
		if k >= 0 {
			highest = max(highest, c.Scores[i])
		}
	}
	for i, k := range c.Class {
		switch {
		case k < 0:
		case tau == 0: // scores may be infinitely far apart
			c.Weights[k]++
		default:
			c.Weights[k] += math.Exp(tau * (c.Scores[i] - highest))
		}
	}
}

// represent finds the candidate that stands for each class: the best one, the earliest
// among equals.
func (c *Choice) represent(e *Evidence, r Rule) {
	c.Representatives = slices.Repeat([]int{-1}, e.classes)
	for i, k := range c.Class {
		if k >= 0 && (c.Representatives[k] < 0 || c.compare(e, r, i, c.Representatives[k]) > 0) {
			c.Representatives[k] = i
		}
	}
}

// compare returns a positive number if candidate i is better than j, a negative one if
// j is, and 0 for equals. The higher score is better; but candidates that the model
// knows come before out-of-distribution ones, whose discounted scores are the mean and
// so would beat a known one below it.
func (c *Choice) compare(e *Evidence, r Rule, i, j int) int {
	if r.Score.ofModel() {
		known, other := e.InDistribution(i) >= knownWeight, e.InDistribution(j) >= knownWeight
		switch {
		case known && !other:
			return 1
		case other && !known:
			return -1
		}
	}
	return cmp.Compare(c.Scores[i], c.Scores[j])
}

// winners returns the representatives of the classes of the largest weight, the earliest
// first.
func (c *Choice) winners() (winners []int) {
	first, _, _ := leaders(c.Weights)
	for k, w := range c.Weights {
		if w >= first*(1-weightTolerance) {
			winners = append(winners, c.Representatives[k])
		}
	}
	slices.Sort(winners)
	return winners
}
