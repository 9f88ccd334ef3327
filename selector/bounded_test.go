package selector_test

import (
	"context"
	"errors"
	"fmt"
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
