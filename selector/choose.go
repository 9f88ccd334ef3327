package selector

import (
	"context"
	"fmt"
	"math"
)

// Choice is what a [Rule] makes of the candidates of an [Evidence], which it names by
// their position in the evidence.
type Choice struct {
	Best   int       // the chosen candidate; among equals the earliest
	Tied   []int     // one candidate per winner, Best included; empty when majority found no answer
	Scores []float64 // (n), what the rule ranked or weighted by, higher is better

	// Of rules that vote, and empty for others.
	Class           []int     // (n), classes of equal answers from 0; −1: does not vote
	Weights         []float64 // (classes), what each answer's votes weigh
	Representatives []int     // (classes), the candidate that stands for each answer

	raw []float64 // (n), the rule's score before the discount
}

// Margin returns the difference of the two largest weights of a vote, as a share of
// all weights; 0 without voters.
func (c Choice) Margin() float64 {
	first, second, sum := leaders(c.Weights)
	return (first - second) / max(sum, math.SmallestNonzeroFloat64)
}

// Share returns the share of the largest weight in the sum of all; 0 without voters.
func Share(weights []float64) float64 {
	first, _, sum := leaders(weights)
	return first / max(sum, math.SmallestNonzeroFloat64)
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
// for the rule's needs. It ends with the context.
//
// In an evaluation ties count at their expected value: the mean over Tied. The rule
// "random" ties all.
func (r Rule) Choose(ctx context.Context, e *Evidence) (Choice, error) {
	if ctx.Err() != nil {
		return Choice{}, ctx.Err()
	}
	c, err := r.choose(ctx, e)
	if err == nil {
		err = e.checkFinite(r.Name(), c.Scores)
	}
	if err != nil {
		return Choice{}, fmt.Errorf("selector %s: %w", r.Name(), err)
	}
	return c, nil
}

func (r Rule) choose(ctx context.Context, e *Evidence) (c Choice, err error) {
	e = e.seenBy(r.Score)
	if err := r.check(); err != nil {
		return c, err
	}
	if !e.need.Has(r.Needs()) {
		return c, fmt.Errorf("it needs %v, the evidence was prepared for %v", r.Needs(), e.need)
	}
	column := Column{Raw: make([]float64, e.Len()), Scores: make([]float64, e.Len())}
	if r.scored() {
		if column, err = e.Column(ctx, r.Score); err != nil {
			return c, err
		}
	}
	c.raw, c.Scores = column.Raw, column.Scores
	switch {
	case r.Votes():
		err = c.vote(e, r)
	case r.Aggregate == First:
		c.Tied = []int{0}
	default:
		c.Scores = c.raw
		c.pick()
	}
	return c, err
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
