package bestof_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rcvae"
	"rcvae/bestof"
	"rcvae/selector"
)

// texts samples the texts in turn; those that start with "fail" do not come.
func texts(list ...string) bestof.SamplerFunc {
	return func(_ context.Context, first, k int, arrived chan<- bestof.Candidate) error {
		sent := 0
		for i := range k {
			if text := list[(first+i)%len(list)]; !strings.HasPrefix(text, "fail") {
				arrived <- bestof.Candidate{Candidate: rcvae.Candidate{Text: text}, Place: first + i}
				sent++
			}
		}
		if sent == 0 {
			return errFailed
		}
		return nil
	}
}

var errFailed = errors.New("all failed")

// calls is texts for candidates that call tools; "text:…" are texts.
func calls(list ...string) bestof.SamplerFunc {
	return func(_ context.Context, first, k int, arrived chan<- bestof.Candidate) error {
		for i := range k {
			c := bestof.Candidate{Place: first + i, Calls: list[first+i]}
			if text, ok := strings.CutPrefix(c.Calls, "text:"); ok {
				c.Text, c.Calls = text, ""
			}
			arrived <- c
		}
		return nil
	}
}

type selectorFunc func(ctx context.Context, question string, candidates []rcvae.Candidate) (rcvae.Selection, error)

func (f selectorFunc) Select(ctx context.Context, question string, candidates []rcvae.Candidate) (rcvae.Selection, error) {
	return f(ctx, question, candidates)
}

var _ rcvae.Selector = selectorFunc(nil)

// majority is the simplest rule.
func majority() bestof.Rule {
	rule := selector.Rule{Aggregate: selector.Majority}
	bound, err := selector.New(rule, selector.Sources{}, selector.Options{})
	if err != nil {
		panic(err)
	}
	return bestof.Rule{Name: "majority", Selector: bound, Decided: rule.Decided}
}

// last finds the last word of a text.
func last(text string) (answer, from string) {
	if strings.Contains(text, "panic") {
		panic("a bug of the grader")
	}
	return text[strings.LastIndexByte(text, ' ')+1:], "last word"
}

func TestItSamplesExtractsAndChooses(t *testing.T) {
	e := &bestof.Engine{Extract: last}
	r, err := e.Run(t.Context(), bestof.Request{Question: "q", K: 4, Rule: majority(), Sampler: texts("so 5", "so 7", "fail", "it is 7")})
	if err != nil {
		t.Fatal(err)
	}
	if r.Chosen != 1 || r.Drawn != 4 || len(r.Candidates) != 3 || r.Candidates[2].Place != 3 || r.Candidates[2].Answer != "7" || r.Candidates[2].AnswerFrom != "last word" {
		t.Errorf("result %+v, want the 7 of place 1 among three", r)
	}
	if want := []int{1, 2, 0}; !slices.Equal(r.Order, want) || r.Rule != "majority" || r.Fallback != "" || r.Stopped != "" {
		t.Errorf("order %v by %s (%s), want %v by majority", r.Order, r.Rule, r.Fallback, want)
	}
}

// TestDecidedMeansDecided: whenever sampling stops because the leader is out of reach,
// all k candidates give the same choice.
func TestDecidedMeansDecided(t *testing.T) {
	stopped := 0
	for code := range 3 * 3 * 3 * 3 * 3 * 3 {
		list := make([]string, 6)
		for i, c := 0, code; i < len(list); i, c = i+1, c/3 {
			list[i] = fmt.Sprint("so ", c%3)
		}
		e := &bestof.Engine{Extract: last}
		all, err := e.Run(t.Context(), bestof.Request{K: 6, Rule: majority(), Sampler: texts(list...)})
		if err != nil {
			t.Fatal(err)
		}
		early, err := e.Run(t.Context(), bestof.Request{K: 6, Round: 2, Rule: majority(), Sampler: texts(list...)})
		if err != nil {
			t.Fatal(err)
		}
		if early.Stopped != "" {
			stopped++
		}
		if (early.Stopped == bestof.StopDecided) != (early.Drawn < 6) || early.Candidates[early.Chosen].Answer != all.Candidates[all.Chosen].Answer {
			t.Errorf("%v: stopped (%s) after %d with %q, all give %q", list, early.Stopped, early.Drawn, early.Candidates[early.Chosen].Answer, all.Candidates[all.Chosen].Answer)
		}
	}
	if stopped == 0 {
		t.Error("sampling never stopped early")
	}
}

func TestMarginAndKeep(t *testing.T) {
	e := &bestof.Engine{Extract: last}
	q := bestof.Request{K: 8, Round: 2, Margin: 0.9, Rule: majority(), Sampler: texts("so 7")}
	if r, err := e.Run(t.Context(), q); err != nil || r.Stopped != bestof.StopMargin || r.Drawn != 2 {
		t.Errorf("%+v, %v, want it to stop after 2", r, err)
	}
	q.Keep = 4
	if r, err := e.Run(t.Context(), q); err != nil || r.Drawn != 4 {
		t.Errorf("%d drawn, %v, want the 4 that must be there", r.Drawn, err)
	}
	pick := func(context.Context, string, []rcvae.Candidate) (rcvae.Selection, error) {
		return rcvae.Selection{Scores: make([]float64, 4), Reason: "a rule that does not vote"}, nil
	}
	q.Rule.Selector = selectorFunc(pick)
	if r, err := e.Run(t.Context(), q); err != nil || r.Drawn != 8 || r.Stopped != "" {
		t.Errorf("%d drawn (%s), %v, want all of a rule without weights", r.Drawn, r.Stopped, err)
	}
	calls := 0
	q.Rule.Selector = selectorFunc(func(ctx context.Context, question string, c []rcvae.Candidate) (rcvae.Selection, error) {
		if calls++; calls < 3 { // of the rounds 4 and 6
			panic("bug")
		}
		return pick(ctx, question, c)
	})
	if r, err := e.Run(t.Context(), q); err != nil || r.Drawn != 8 || r.Fallback != "" {
		t.Errorf("%d drawn (%s), %v, want all where the rule panics at first", r.Drawn, r.Fallback, err)
	}
}

func TestToolCallsVote(t *testing.T) {
	for name, tt := range map[string]struct {
		list   []string
		chosen int
		rule   string
	}{
		"the majority":            {[]string{"a", "b", "b", "c"}, 1, bestof.ToolVote},
		"a tie goes to the first": {[]string{"a", "b", "c", "d"}, 0, bestof.ToolVote},
		"most call tools":         {[]string{"text:1", "a", "b", "b"}, 2, bestof.ToolVote},
		"most are text":           {[]string{"a", "text:so 1", "text:so 2", "text:so 2"}, 2, "majority"},
		"as many, text first":     {[]string{"text:so 1", "a", "text:so 1", "a"}, 0, "majority"},
		"as many, tools first":    {[]string{"a", "text:so 1", "text:so 1", "a"}, 0, bestof.ToolVote},
		"one text":                {[]string{"text:so 1"}, 0, "majority"},
	} {
		r, err := (&bestof.Engine{Extract: last}).Run(t.Context(), bestof.Request{K: len(tt.list), Rule: majority(), Sampler: calls(tt.list...)})
		if err != nil || r.Chosen != tt.chosen || r.Rule != tt.rule {
			t.Errorf("%s: chosen %d by %s, %v, want %d by %s", name, r.Chosen, r.Rule, err, tt.chosen, tt.rule)
		}
	}
	r, err := (&bestof.Engine{}).Run(t.Context(), bestof.Request{K: 8, Round: 4, Rule: majority(), Sampler: calls("a", "a", "a", "a", "a", "a", "a", "a")})
	if err != nil || r.Stopped != "" && r.Drawn != 4 || r.Drawn == 8 && r.Stopped != "" {
		t.Errorf("%d calls drawn (%s), %v", r.Drawn, r.Stopped, err)
	}
	r, err = (&bestof.Engine{}).Run(t.Context(), bestof.Request{K: 6, Round: 4, Rule: majority(), Sampler: calls("a", "a", "a", "a", "a", "a")})
	if err != nil || r.Stopped != bestof.StopDecided || r.Drawn != 4 {
		t.Errorf("%d calls drawn (%s), %v, want 4: two to come cannot catch up", r.Drawn, r.Stopped, err)
	}
}

func TestFallbacks(t *testing.T) {
	long := func(e *bestof.Engine) { e.MaxText = 5 }
	for kind, tt := range map[string]struct {
		selector selectorFunc
		change   func(*bestof.Engine)
	}{
		bestof.FallbackSelector: {func(context.Context, string, []rcvae.Candidate) (rcvae.Selection, error) {
			return rcvae.Selection{Index: 9}, nil
		}, nil},
		bestof.FallbackTimeout: {func(ctx context.Context, _ string, _ []rcvae.Candidate) (rcvae.Selection, error) {
			<-ctx.Done()
			return rcvae.Selection{}, ctx.Err()
		}, nil},
		bestof.FallbackPanic:   {func(context.Context, string, []rcvae.Candidate) (rcvae.Selection, error) { panic("bug") }, nil},
		bestof.FallbackTooLong: {nil, long},
	} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told []string
				e := &bestof.Engine{SelectTimeout: time.Second, OnPanic: func(value any, stack []byte) { told = append(told, fmt.Sprint(value)+string(stack)) }}
				if tt.change != nil {
					tt.change(e)
				}
				rule := majority()
				if tt.selector != nil {
					rule.Selector = tt.selector
				}
				// The second finishes first.
				sampler := bestof.SamplerFunc(func(_ context.Context, _, _ int, arrived chan<- bestof.Candidate) error {
					for _, place := range []int{1, 0, 2} {
						arrived <- bestof.Candidate{Candidate: rcvae.Candidate{Text: "text"}, Place: place}
					}
					return nil
				})
				r, err := e.Run(t.Context(), bestof.Request{K: 3, Rule: rule, Sampler: sampler})
				if err != nil || r.Kind != kind || r.Fallback == "" || r.Chosen != 1 || r.Order[0] != 1 {
					t.Errorf("%+v, %v, want the first that finished", r, err)
				}
				if (len(told) == 1) != (kind == bestof.FallbackPanic) || kind == bestof.FallbackPanic && !strings.Contains(told[0], "engine_test.go") {
					t.Errorf("the hook was told %q", told)
				}
				for _, score := range r.Scores {
					if !math.IsNaN(score) {
						t.Errorf("scores %v, want none", r.Scores)
					}
				}
			})
		})
	}
}

// TestPanicsCostTheirCandidate and leak nothing: synctest fails when a goroutine is left.
func TestPanicsCostTheirCandidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		e := &bestof.Engine{Extract: last, OnPanic: func(any, []byte) { told++ }}
		r, err := e.Run(t.Context(), bestof.Request{K: 4, Rule: majority(), Sampler: texts("panic", "so 7", "panic", "so 7")})
		if err != nil || r.Lost != 2 || told != 2 || len(r.Candidates) != 2 || r.Candidates[r.Chosen].Answer != "7" {
			t.Errorf("%+v, %v, want the two that are left", r, err)
		}
		if _, err := e.Run(t.Context(), bestof.Request{K: 2, Rule: majority(), Sampler: texts("panic")}); !errors.Is(err, bestof.ErrLost) {
			t.Errorf("all lost: %v, want ErrLost", err)
		}
		sampler := bestof.SamplerFunc(func(context.Context, int, int, chan<- bestof.Candidate) error { panic("a bug of the sampler") })
		if _, err := e.Run(t.Context(), bestof.Request{K: 2, Rule: majority(), Sampler: sampler}); err == nil || !strings.Contains(err.Error(), "panicked") {
			t.Errorf("a sampler that panics: %v", err)
		}
	})
}

func TestFailuresOfTheSampler(t *testing.T) {
	e := &bestof.Engine{Extract: last}
	if _, err := e.Run(t.Context(), bestof.Request{K: 2, Rule: majority(), Sampler: texts("fail")}); !errors.Is(err, errFailed) {
		t.Errorf("all fail: %v, want the cause", err)
	}
	r, err := e.Run(t.Context(), bestof.Request{K: 4, Round: 2, Rule: majority(), Sampler: texts("so 1", "so 2", "fail", "fail")})
	if err != nil || len(r.Candidates) != 2 || !errors.Is(r.Err, errFailed) || r.Drawn != 4 {
		t.Errorf("%+v, %v, want the first round and the cause", r, err)
	}
	for _, q := range []bestof.Request{{K: 0, Rule: majority(), Sampler: texts("a")}, {K: 1, Rule: majority()}, {K: 1, Sampler: texts("a")}} {
		if _, err := e.Run(t.Context(), q); err == nil {
			t.Errorf("%+v gives no error", q)
		}
	}
}

// TestCancelEndsTheRun: no goroutine is left, and who does not read arrivals holds
// nothing up.
func TestCancelEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		sampler := bestof.SamplerFunc(func(ctx context.Context, _, k int, arrived chan<- bestof.Candidate) error {
			arrived <- bestof.Candidate{Candidate: rcvae.Candidate{Text: "so 1"}}
			<-ctx.Done()
			return ctx.Err()
		})
		go func() {
			synctest.Wait()
			cancel()
		}()
		_, err := (&bestof.Engine{}).Run(ctx, bestof.Request{K: 2, Rule: majority(), Sampler: sampler, Arrivals: make(chan bestof.Arrival)})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want context.Canceled", err)
		}
	})
}

func TestArrivalsAreTold(t *testing.T) {
	arrivals := make(chan bestof.Arrival, 8)
	_, err := (&bestof.Engine{Extract: last}).Run(t.Context(), bestof.Request{K: 4, Round: 2, Rule: majority(), Sampler: texts("so 5", "so 7", "so 7", "so 9"), Arrivals: arrivals})
	if err != nil {
		t.Fatal(err)
	}
	close(arrivals)
	var got []string
	for a := range arrivals {
		got = append(got, fmt.Sprintf("%d %s", a.Arrived, a.Answer))
	}
	if want := []string{"1 5", "2 7", "3 7", "4 9"}; !slices.Equal(got, want) {
		t.Errorf("arrivals %v, want %v", got, want)
	}
}

// TestSolutionsOfASampler: rounds go on where the one before stopped; a sampler that
// cannot is used in one round alone, and what is missing has its cause.
func TestSolutionsOfASampler(t *testing.T) {
	e := &bestof.Engine{Extract: last}
	q := bestof.Request{K: 4, Round: 2, Rule: majority(), Sampler: bestof.Solutions(&counting{}, "q")}
	r, err := e.Run(t.Context(), q)
	if err != nil || len(r.Candidates) != 4 || r.Candidates[3].Text != "q so 3" || r.Candidates[3].Place != 3 {
		t.Errorf("%+v, %v, want four that are all different", r.Candidates, err)
	}
	q.Sampler = bestof.Solutions(onlySample{&counting{}}, "q")
	if r, err := e.Run(t.Context(), q); err != nil || len(r.Candidates) != 2 || r.Err == nil {
		t.Errorf("%d candidates, %v, %v, want the first round and why there is no second", len(r.Candidates), err, r.Err)
	}
	q.Round, q.Sampler = 0, bestof.Solutions(&counting{fail: 1}, "q")
	if r, err := e.Run(t.Context(), q); err != nil || len(r.Candidates) != 3 || !errors.Is(r.Err, errFailed) {
		t.Errorf("%d candidates, %v, %v, want three and the cause", len(r.Candidates), err, r.Err)
	}
}

// counting draws "q so 0", "q so 1", …; fail of them do not come.
type counting struct{ fail int }

// Sample implements [rcvae.Sampler].
func (c *counting) Sample(ctx context.Context, question string, k int) ([]rcvae.Candidate, error) {
	return c.SampleFrom(ctx, question, 0, k)
}

func (c *counting) SampleFrom(_ context.Context, question string, first, k int) (list []rcvae.Candidate, err error) {
	for i := c.fail; i < k; i++ {
		list = append(list, rcvae.Candidate{Text: fmt.Sprintf("%s so %d", question, first+i)})
	}
	if c.fail > 0 {
		err = errFailed
	}
	return list, err
}

type onlySample struct{ rcvae.Sampler }

var _ rcvae.Sampler = (*counting)(nil)

func ExampleEngine_Run() {
	sampler := bestof.SamplerFunc(func(_ context.Context, first, k int, arrived chan<- bestof.Candidate) error {
		for i := range k { // in place of a language model
			arrived <- bestof.Candidate{Candidate: rcvae.Candidate{Text: []string{"It is 5.", "It is 7.", "So 7."}[i%3]}, Place: first + i}
		}
		return nil
	})
	longest := selectorFunc(func(_ context.Context, _ string, candidates []rcvae.Candidate) (rcvae.Selection, error) {
		best := 0
		for i, c := range candidates {
			if len(c.Text) > len(candidates[best].Text) {
				best = i
			}
		}
		return rcvae.Selection{Index: best, Reason: "the longest text"}, nil
	})
	result, err := (&bestof.Engine{}).Run(context.Background(), bestof.Request{Question: "What is 3 + 4?", K: 3, Rule: bestof.Rule{Name: "longest", Selector: longest}, Sampler: sampler})
	fmt.Println(result.Chosen, result.Reason, err)
	// Output: 0 the longest text <nil>
}
