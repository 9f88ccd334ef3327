package selector_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"rcvae"
	"rcvae/grade"
	"rcvae/selector"
)

// TestAVoteEndsWithItsContext and refuses more expressions than can be compared.
func TestAVoteEndsWithItsContext(t *testing.T) {
	grader, err := grade.New("math")
	if err != nil {
		t.Fatal(err)
	}
	var candidates []rcvae.Candidate
	for i := range 600 {
		candidates = append(candidates, rcvae.Candidate{Text: "t", Answer: fmt.Sprintf(`x^{%d}+\sqrt{%d}`, i+2, i+3)})
	}
	sources := selector.Sources{Grader: grader}
	_, err = selector.Prepare(t.Context(), "q", candidates, sources, selector.NeedAnswers)
	if !errors.Is(err, grade.ErrTooMany) {
		t.Errorf("600 expressions: %v, want ErrTooMany", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := selector.Prepare(ctx, "q", candidates[:100], sources, selector.NeedAnswers); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v, want context.Canceled", err)
	}
}

// TestConsensusIsBounded: its time grows with the square of the candidates, so more than
// 4,096 are an error at once.
func TestConsensusIsBounded(t *testing.T) {
	rule, err := selector.Parse("consensus")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]bool{4096: true, 4097: false} {
		e := rcvae.Encoded{Embedding: rcvae.Embedding{1, 0}}
		for range n {
			e.Candidates = append(e.Candidates, rcvae.Candidate{Text: "t"})
			e.Solutions = append(e.Solutions, rcvae.Solution{Embedding: rcvae.Embedding{1, 0}})
		}
		prepared, err := selector.PrepareEncoded(e, selector.Sources{}, rule.Needs())
		if err != nil {
			t.Fatal(err)
		}
		evidence, err := prepared.Evidence(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = rule.Choose(evidence); (err == nil) != want || err != nil && !strings.Contains(err.Error(), "4096 at most") {
			t.Errorf("%d candidates: %v, want an answer: %t", n, err, want)
		}
	}
}
