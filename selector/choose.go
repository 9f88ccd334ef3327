package selector

import "fmt"

// Choice is what a [Rule] makes of one question's candidates.
type Choice struct {
	Best   int       // index of the chosen candidate; among equals the earliest
	Tied   []int     // one candidate for each winner, Best included; empty when a vote found no answer
	Scores []float64 // (len(subset)) what the rule ranked or weighted by, in the subset's order

	weights []float64 // (classes) votes, scratch
	leaders []int     // (classes) position in the subset of each class's best text, scratch
}

// Choose applies the rule to the candidates in subset, given as increasing
// indices, or to all candidates if subset is nil. The evidence must have been
// gathered for the rule's needs.
//
// In an evaluation ties count at their expected value: the mean over Tied, which
// holds one candidate for each of the tied winners. The rule "random" ties all.
func (r Rule) Choose(e *Evidence, subset []int) Choice {
	var c Choice
	r.ChooseInto(&c, e, subset)
	return c
}

// ChooseInto is [Rule.Choose] with the memory of an earlier choice.
func (r Rule) ChooseInto(c *Choice, e *Evidence, subset []int) {
	if subset == nil {
		subset = e.all
	}
	if len(subset) == 0 {
		panic("selector: choice from an empty subset")
	}
	if !e.need.Has(r.Needs &^ NeedAnswers) {
		panic(fmt.Sprintf("selector: rule %s needs %v, the evidence was gathered for %v", r.Name, r.Needs, e.need))
	}
	c.Tied = c.Tied[:0]
	c.Scores = resize(c.Scores, len(subset))
	switch r.kind {
	case kindPick:
		r.fillScores(c, e, subset)
		c.pick(subset)
	case kindMajority:
		c.countVotes(e, subset)
		c.takeEarliest(e, subset)
	case kindVote:
		r.fillScores(c, e, subset)
		r.discountStrangers(c, e, subset)
		c.weighVotes(e, subset, r.tauFor(e))
		c.takeLeaders(e, subset)
	case kindTiebreak:
		c.countVotes(e, subset)
		r.fillScores(c, e, subset)
		r.discountStrangers(c, e, subset)
		c.breakTies(e, subset)
	case kindFirst:
		for a := range subset {
			c.Scores[a] = -float64(a)
		}
		c.pick(subset)
	case kindRandom:
		clear(c.Scores)
		c.pick(subset)
	case kindOracle:
		for a, i := range subset {
			c.Scores[a] = 0
			if e.verdicts[i] {
				c.Scores[a] = 1
			}
		}
		c.pick(subset)
	}
}

// fillScores sets Scores to the rule's score of each candidate of the subset.
func (r Rule) fillScores(c *Choice, e *Evidence, subset []int) {
	if r.score == scoreConsensus {
		e.consensus(c.Scores, subset)
		return
	}
	column := e.columns[r.score]
	for a, i := range subset {
		c.Scores[a] = column[i]
	}
}

// discountStrangers draws the scores sᵢ that come from a model towards s̄, the mean of
// those that vote, the more the less familiar fᵢ the candidate's text is to the model:
//
//	sᵢ ← s̄ + fᵢ·(sᵢ − s̄)
//
// The score of a stranger (f = 0) says nothing, and a vote among strangers is a
// majority vote. Where nobody votes, and for rules that pick by score alone, there is
// nothing to fall back on and scores stay.
func (r Rule) discountStrangers(c *Choice, e *Evidence, subset []int) {
	if e.familiar == nil || !r.Needs.Has(NeedModel) {
		return
	}
	var mean, voters float64
	for a, i := range subset {
		if e.class[i] >= 0 {
			mean += c.Scores[a]
			voters++
		}
	}
	if voters == 0 {
		return
	}
	mean /= voters
	for a, i := range subset {
		if f := e.familiar[i]; f == 0 {
			c.Scores[a] = mean // exactly: strangers are equals
		} else {
			c.Scores[a] -= (1 - f) * (c.Scores[a] - mean)
		}
	}
}

// tauFor returns the τ of the rule's vote.
func (r Rule) tauFor(e *Evidence) float64 {
	switch {
	case r.tau != 0:
		return r.tau
	case scores[r.score].tau != 0:
		return scores[r.score].tau
	default:
		return e.tau
	}
}

// pick takes the highest score.
func (c *Choice) pick(subset []int) {
	best := 0
	for a, s := range c.Scores {
		if s > c.Scores[best] {
			best = a
		}
	}
	c.Best = subset[best]
	for a, s := range c.Scores {
		if s == c.Scores[best] {
			c.Tied = append(c.Tied, subset[a])
		}
	}
}

// resize returns a slice of length n, in the memory of s if that is enough. Its
// contents are undefined.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
