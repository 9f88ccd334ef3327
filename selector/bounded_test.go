package selector_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
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

// many returns evidence of so many candidates for the rule, with embeddings of some
// directions in the plane.
func many(t *testing.T, rule selector.Rule, n int) *selector.Evidence {
	t.Helper()
	e := rcvae.Encoded{Embedding: rcvae.Embedding{1, 0}}
	for i := range n {
		sin, cos := math.Sincos(float64(i%7) / 10)
		e.Candidates = append(e.Candidates, rcvae.Candidate{Text: "t"})
		e.Solutions = append(e.Solutions, rcvae.Solution{Embedding: rcvae.Embedding{float32(cos), float32(sin)}})
	}
	prepared, err := selector.PrepareEncoded(t.Context(), e, selector.Sources{}, rule.Needs())
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := prepared.Evidence(nil)
	if err != nil {
		t.Fatal(err)
	}
	return evidence
}

// TestConsensusIsBounded: its time grows with the square of the candidates, so more than
// 16,384 are an error at once. Of 10,000 it keeps a few numbers each.
func TestConsensusIsBounded(t *testing.T) {
	rule := mustParse(t, "consensus")
	evidence := many(t, rule, 10_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	choice, err := rule.Choose(t.Context(), evidence)
	runtime.ReadMemStats(&after)
	if err != nil || choice.Best%7 != 3 {
		t.Errorf("the best of 10,000 is %d, %v, want one of the middle direction", choice.Best, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 10_000*100 {
		t.Errorf("%d bytes were allocated, want at most 100 a candidate", used)
	}
	if _, err = rule.Choose(t.Context(), many(t, rule, 16_385)); err == nil || !strings.Contains(err.Error(), "16384 at most") {
		t.Errorf("16,385 candidates: %v, want the limit", err)
	}
}

// ending is a context that ends when it was asked so many times whether it has.
type ending struct {
	context.Context
	left int
}

func (e *ending) Err() error {
	if e.left--; e.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestConsensusEndsWithItsContext inside a question, of which it looks at the context
// often enough: between comparisons of some thousand pairs.
func TestConsensusEndsWithItsContext(t *testing.T) {
	rule := mustParse(t, "consensus")
	const n, pairs = 2000, 2000 * 2000 / 2
	evidence := many(t, rule, n)
	looks := &ending{t.Context(), pairs}
	if _, err := rule.Choose(looks, evidence); err != nil {
		t.Fatal(err)
	}
	asked := pairs - looks.left
	if asked < pairs/5000 {
		t.Errorf("the context was asked %d times in %d pairs", asked, pairs)
	}
	if _, err := rule.Choose(&ending{t.Context(), asked / 2}, evidence); !errors.Is(err, context.Canceled) {
		t.Errorf("ended in the middle: %v, want context.Canceled", err)
	}
}
