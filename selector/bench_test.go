package selector_test

import (
	"fmt"
	"testing"

	"rcvae"
	"rcvae/selector"
)

// sixteen makes the candidates of the usual question.
func sixteen() []rcvae.Candidate {
	out := make([]rcvae.Candidate, 16)
	for i := range out {
		out[i] = rcvae.Candidate{
			Text: fmt.Sprint("solution ", i), Answer: fmt.Sprint(i % 5), Tokens: 9, LogProb: &rcvae.LogProb{Sum: -float64(i), Tail: -1},
		}
	}
	return out
}

func BenchmarkChoose(b *testing.B) {
	e, err := selector.Gather(b.Context(), "q", sixteen(), everySource(), everything)
	if err != nil {
		b.Fatal(err)
	}
	subset := []int{0, 2, 3, 5, 8, 9, 12, 15}
	for _, name := range []string{"entropy", "majority", "vote:entropy", "tiebreak:entropy", "consensus"} {
		b.Run(name, func(b *testing.B) {
			rule := mustParse(b, name)
			var c selector.Choice
			for b.Loop() {
				rule.ChooseInto(&c, e, subset)
			}
		})
	}
}

// The cost of the evidence itself, beside what the model takes.
func BenchmarkWeigh(b *testing.B) {
	src, candidates := everySource(), sixteen()
	solutions := make([]rcvae.Embedding, len(candidates))
	for i := range solutions {
		solutions[i] = make(rcvae.Embedding, 384)
		solutions[i][i] = 1
	}
	for _, name := range []string{"vote:entropy", "vote:consensus"} {
		b.Run(name, func(b *testing.B) {
			need := mustParse(b, name).Needs
			for b.Loop() {
				if _, err := src.Weigh(solutions[0], solutions, candidates, need); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
