package selector_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"rcvae"
	"rcvae/selector"
)

// sixteen makes the usual question, of MiniLM's dimension.
func sixteen() rcvae.Encoded {
	rng := rand.New(rand.NewPCG(1, 2))
	q := rcvae.Encoded{Embedding: unit(rng, 384)}
	for i := range 16 {
		q.Candidates = append(q.Candidates, rcvae.Candidate{
			Text: fmt.Sprint("solution ", i), Answer: fmt.Sprint(i % 5), Tokens: 9, LogProb: &rcvae.LogProb{Sum: -float64(i), Tail: -1},
		})
		q.Solutions = append(q.Solutions, rcvae.Solution{Embedding: unit(rng, 384)})
	}
	return q
}

// The cost of a choice beside what the model takes: of everything from given
// embeddings, and of one more subset.
func BenchmarkChoose(b *testing.B) {
	sources := selector.Sources{Models: []rcvae.Model{newLinear(1, true)}}
	question := sixteen()
	for _, name := range []string{"entropy", "majority", "vote:entropy", "tiebreak:entropy", "vote:entropy+logprob", "vote:consensus"} {
		rule := mustParse(b, name)
		b.Run(name+"/prepared", func(b *testing.B) {
			p, err := selector.PrepareEncoded(b.Context(), question, sources, rule.Needs())
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				chooseBy(b, rule, evidenceOf(b, p, nil))
			}
		})
		b.Run(name+"/everything", func(b *testing.B) {
			for b.Loop() {
				p, err := selector.PrepareEncoded(b.Context(), question, sources, rule.Needs())
				if err != nil {
					b.Fatal(err)
				}
				chooseBy(b, rule, evidenceOf(b, p, nil))
			}
		})
	}
}
