package bestof_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"rcvae"
	"rcvae/bestof"
)

// staged samples texts, each but the first after a token has been read from next.
func staged(next <-chan struct{}, list ...string) bestof.SamplerFunc {
	return func(ctx context.Context, first, k int, arrived chan<- bestof.Candidate) error {
		for i := range k {
			if first+i > 0 {
				select {
				case <-next:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if list[first+i] == "fail" {
				return errFailed
			}
			arrived <- bestof.Candidate{Candidate: rcvae.Candidate{Text: list[first+i]}, Place: first + i}
		}
		return nil
	}
}

// TestPreparingRunsBesideSampling: what has arrived is prepared before the next candidate
// has come, never beside a selection, and the choice is the one without it.
func TestPreparingRunsBesideSampling(t *testing.T) {
	list := []string{"so 5", "so 7", "so 8", "it is 7"}
	want, err := (&bestof.Engine{Extract: last}).Run(t.Context(), bestof.Request{K: 4, Rule: majority(), Sampler: texts(list...)})
	if err != nil {
		t.Fatal(err)
	}
	for _, round := range []int{0, 2} {
		next := make(chan struct{}, len(list))
		var prepared []string
		var busy atomic.Int32
		alone := func() func() {
			if busy.Add(1) > 1 {
				t.Error("a rule prepares and selects at once")
			}
			return func() { busy.Add(-1) }
		}
		rule := majority()
		inner := rule.Selector
		rule.Selector = selectorFunc(func(ctx context.Context, q string, c []rcvae.Candidate) (rcvae.Selection, error) {
			defer alone()()
			select {
			case next <- struct{}{}: // for what settles a round without having prepared it
			default:
			}
			return inner.Select(ctx, q, c)
		})
		rule.Prepare = func(_ context.Context, question string, c []rcvae.Candidate) error {
			defer alone()()
			if question != "q" {
				t.Errorf("prepared for question %q, want q", question)
			}
			for _, one := range c {
				prepared = append(prepared, one.Text)
				next <- struct{}{}
			}
			return errors.New("of no consequence")
		}
		got, err := (&bestof.Engine{Extract: last}).Run(t.Context(), bestof.Request{Question: "q", K: 4, Round: round, Rule: rule, Sampler: staged(next, list...)})
		if err != nil {
			t.Fatal(err)
		}
		if got.Chosen != want.Chosen || !slices.Equal(got.Scores, want.Scores) || got.Fallback != "" {
			t.Errorf("rounds of %d: chosen %d by %v (%s), want %d by %v", round, got.Chosen, got.Scores, got.Fallback, want.Chosen, want.Scores)
		}
		if len(prepared) == 0 || prepared[0] != list[0] || len(prepared) > 3 || slices.Contains(prepared, list[3]) {
			t.Errorf("rounds of %d: prepared %q, want the first on, and not the last, after which none comes", round, prepared)
		}
	}
}

// TestPreparingEndsWithTheRun: when the caller goes, when all fail, and when the rule's time
// is over while something is still being prepared.
func TestPreparingEndsWithTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		list  []string
		leave bool
		kind  string
	}{
		"the caller goes":         {list: []string{"so 5", "so 7"}, leave: true},
		"the sampler fails":       {list: []string{"so 5", "fail"}},
		"the selection has to go": {list: []string{"so 5", "so 7"}, kind: bestof.FallbackTimeout},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		next, ended := make(chan struct{}, 2), false
		rule := majority()
		rule.Prepare = func(ctx context.Context, _ string, _ []rcvae.Candidate) error {
			if c.leave {
				cancel()
			} else {
				next <- struct{}{}
			}
			<-ctx.Done()
			ended = true
			return ctx.Err()
		}
		e := &bestof.Engine{Extract: last, SelectTimeout: 1}
		r, err := e.Run(ctx, bestof.Request{K: 2, Rule: rule, Sampler: staged(next, c.list...)})
		cancel()
		if !ended || r.Kind != c.kind && c.kind != "" || c.leave != errors.Is(err, context.Canceled) {
			t.Errorf("%s: ended %v, fallback %q, error %v", name, ended, r.Kind, err)
		}
	}
}

// TestAPanicOfPreparingIsTold: and costs nothing.
func TestAPanicOfPreparingIsTold(t *testing.T) {
	next, told := make(chan struct{}, 2), 0
	rule := majority()
	rule.Prepare = func(context.Context, string, []rcvae.Candidate) error {
		next <- struct{}{}
		panic("a bug of the rule")
	}
	e := &bestof.Engine{Extract: last, OnPanic: func(any, []byte) { told++ }}
	r, err := e.Run(t.Context(), bestof.Request{K: 2, Rule: rule, Sampler: staged(next, "so 5", "so 7")})
	if err != nil || told != 1 || r.Fallback != "" || len(r.Candidates) != 2 {
		t.Errorf("%d candidates, fallback %q, error %v, %d panics told; want 2, none, none and 1", len(r.Candidates), r.Fallback, err, told)
	}
}
