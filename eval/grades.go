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
	n := len(candidates)
	g := grades{value: make([]float64, n), class: make([]int, n), answers: make([]stats.Class, n)}
	graded := make([]float64, n) // (classes)
	for i, c := range candidates {
		k := e.Class(i)
		if g.class[i] = k; k < 0 {
			g.silent++
		} else {
			g.answers[k].Size++
		}
		if c.Verdict == rcvae.Correct {
			g.correct++
			g.value[i] = 1
		}
		if c.Verdict != rcvae.Ungraded {
			g.graded++
		}
		if k >= 0 && c.Verdict != rcvae.Ungraded {
			graded[k]++
			g.answers[k].Value += g.value[i]
		}
	}
	g.mean = float64(g.correct) / float64(g.graded)
	for k := range g.answers {
		if g.answers[k].Value /= graded[k]; graded[k] == 0 {
			g.answers[k].Value = g.mean
		}
	}
	for i, c := range candidates {
		if c.Verdict == rcvae.Ungraded {
			g.value[i] = g.answer(i, g.mean)
		}
	}
	return g
}

// answer returns what the answer of candidate i is worth, or otherwise if it does not
// vote.
func (g grades) answer(i int, otherwise float64) float64 {
	if k := g.class[i]; k >= 0 {
		return g.answers[k].Value
	}
	return otherwise
}

// of returns what a choice among a subset of the candidates is worth; votes says that
// the rule chose an answer.
func (g grades) of(c selector.Choice, subset []int, votes bool) float64 {
	var sum float64
	for _, t := range c.Tied {
		i := subset[t]
		if votes {
			sum += g.answer(i, g.value[i])
		} else {
			sum += g.value[i]
		}
	}
	return sum / float64(max(len(c.Tied), 1))
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
