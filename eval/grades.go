package eval

import (
	"rcvae"
	"rcvae/eval/stats"
	"rcvae/selector"
)

// grades are what the candidates of a question are worth, see the package's comment.
type grades struct {
	graded, correct int       // candidates
	mean            float64   // of the graded
	value           []float64 // (n)
	class           []int     // (n), classes of equal answers; −1: does not vote
	answers         []stats.Class
	silent          int // candidates that do not vote
}

// gradesOf needs at least one graded candidate.
func gradesOf(candidates []rcvae.Candidate, e *selector.Evidence) grades {
	g := grades{value: make([]float64, len(candidates)), class: make([]int, len(candidates))}
	var graded []float64 // (classes)
	for i, c := range candidates {
		k := e.Class(i)
		if g.class[i] = k; k < 0 {
			g.silent++
		}
		for k >= len(g.answers) {
			g.answers, graded = append(g.answers, stats.Class{}), append(graded, 0)
		}
		if k >= 0 {
			g.answers[k].Size++
		}
		if c.Verdict == rcvae.Ungraded {
			continue
		}
		g.graded++
		if k >= 0 {
			graded[k]++
		}
		if c.Verdict == rcvae.Correct {
			g.correct++
			g.value[i] = 1
			if k >= 0 {
				g.answers[k].Value++
			}
		}
	}
	g.mean = float64(g.correct) / float64(g.graded)
	g.settle(candidates, graded)
	return g
}

// settle turns sums into means, and sets the values of the ungraded.
func (g *grades) settle(candidates []rcvae.Candidate, graded []float64) {
	for k := range g.answers {
		if graded[k] > 0 {
			g.answers[k].Value /= graded[k]
		} else {
			g.answers[k].Value = g.mean
		}
	}
	for i, c := range candidates {
		if c.Verdict != rcvae.Ungraded {
			continue
		}
		if g.value[i] = g.mean; g.class[i] >= 0 {
			g.value[i] = g.answers[g.class[i]].Value
		}
	}
}

// of returns what a choice among a subset of the candidates is worth; votes says that
// the rule chose an answer.
func (g grades) of(c selector.Choice, subset []int, votes bool) float64 {
	if len(c.Tied) == 0 {
		return 0
	}
	var sum float64
	for _, t := range c.Tied {
		i := subset[t]
		if k := g.class[i]; votes && k >= 0 {
			sum += g.answers[k].Value
		} else {
			sum += g.value[i]
		}
	}
	return sum / float64(len(c.Tied))
}

// majority returns what the most frequent answer of a subset is worth.
func (g grades) majority(subset []int) float64 {
	votes, most := make([]int, len(g.answers)), 1
	for _, i := range subset {
		if k := g.class[i]; k >= 0 {
			votes[k]++
			most = max(most, votes[k])
		}
	}
	var sum, ties float64
	for k, v := range votes {
		if v == most {
			sum += g.answers[k].Value
			ties++
		}
	}
	return sum / max(ties, 1)
}

// exact returns what a random candidate, the majority and the oracle are worth on
// average over all subsets of size k.
func (g grades) exact(k int) (mean, majority, pass float64) {
	return g.mean, stats.MajorityAtK(g.answers, g.silent, k), stats.PassAtK(g.graded, g.correct, min(k, g.graded))
}
