package selector

import (
	"fmt"
	"math"
)

// Choice is what a [Rule] makes of the candidates of an [Evidence]. Candidates are
// named by their position in the evidence.
type Choice struct {
	Best   int       // the chosen candidate; among equals the earliest
	Tied   []int     // one candidate per winner, Best included; empty when majority found no answer
	Scores []float64 // (n), what the rule ranked or weighted by, higher is better

	Class           []int     // (n), classes of equal answers; −1: does not vote. Nil for rules that do not vote
	Weights         []float64 // (classes), what each answer's votes weigh; empty for rules that do not vote
	Representatives []int     // (classes), the candidate that stands for each answer

	counted bool   // every vote weighs 1
	column  Column // of the rule's score
}

// Margin returns the difference of the two largest weights of a vote, as a share of
// all weights; 0 without voters.
func (c Choice) Margin() float64 {
	first, second, sum := leaders(c.Weights)
	if sum == 0 {
		return 0
	}
	return (first - second) / sum
}

// Decided is [Decided] for rules whose votes count the same. Of weighted votes it is
// never true: a candidate to come may have any score, and weights are relative to the
// highest score, so it can make all earlier weights as small as it likes.
func (c Choice) Decided(remaining int) bool { return c.counted && Decided(c.Weights, remaining) }

// Decided reports whether so many candidates to come, with a vote of weight 1 each,
// can neither change the answer with the largest weight nor make it a tie: whether its
// lead is larger than their number.
func Decided(weights []float64, remaining int) bool {
	first, second, _ := leaders(weights)
	return first-second > float64(remaining)
}

// Share returns the share of the largest weight in the sum of all; 0 without voters.
func Share(weights []float64) float64 {
	first, _, sum := leaders(weights)
	if sum == 0 {
		return 0
	}
	return first / sum
}

// leaders returns the two largest weights and the sum of all.
func leaders(weights []float64) (first, second, sum float64) {
	for _, w := range weights {
		sum += w
		second = max(second, min(first, w))
		first = max(first, w)
	}
	return first, second, sum
}

// Choose applies the rule to the evidence's candidates. It depends on nothing else.
// Scores that are not finite are an error, and so is evidence that was not prepared
// for the rule's needs.
//
// In an evaluation ties count at their expected value: the mean over Tied. The rule
// "random" ties all.
func (r Rule) Choose(e *Evidence) (Choice, error) {
	c, err := r.choose(e)
	if err == nil {
		err = e.checkFinite(r.Name(), c.Scores)
	}
	if err != nil {
		return Choice{}, fmt.Errorf("selector %s: %w", r.Name(), err)
	}
	return c, nil
}

func (r Rule) choose(e *Evidence) (c Choice, err error) {
	if err := r.check(); err != nil {
		return c, err
	}
	if !e.need.Has(r.Needs()) {
		return c, fmt.Errorf("it needs %v, the evidence was prepared for %v", r.Needs(), e.need)
	}
	if !r.scored() {
		c.column = Column{Raw: make([]float64, e.Len()), Scores: make([]float64, e.Len())}
	} else if c.column, err = e.Column(r.Score); err != nil {
		return c, err
	}
	c.Scores = c.column.Scores
	if !r.Votes() {
		c.Scores = c.column.Raw
		c.pick()
		return c, nil
	}
	c.Class, c.counted = e.class, !r.Weighted()
	tau, err := r.tau(e)
	if err != nil {
		return c, err
	}
	c.weigh(e, tau)
	c.represent(e, r.Needs().Has(NeedModel))
	c.take(e, r)
	return c, nil
}

// pick takes the highest score.
func (c *Choice) pick() {
	for i, s := range c.Scores {
		if s > c.Scores[c.Best] {
			c.Best = i
		}
	}
	for i, s := range c.Scores {
		if s == c.Scores[c.Best] {
			c.Tied = append(c.Tied, i)
		}
	}
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
