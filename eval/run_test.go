package eval_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/combin"

	"rcvae"
	"rcvae/eval"
	"rcvae/selector"
)

// All of mean@1, majority and oracle, over all subsets, against plain enumeration.
func TestByKIsTheMeanOverAllSubsets(t *testing.T) {
	const n, k = 5, 3
	questions := simulate(8, n, 3)
	var mean, majority, pass float64
	for _, q := range questions {
		sets := combin.Combinations(n, k)
		for _, set := range sets {
			votes := map[string]int{}
			right, most := 0, 0
			for _, i := range set {
				if q.Correct[i] {
					right++
				}
				if a := q.Candidates[i].Answer; a != "" {
					votes[a]++
					most = max(most, votes[a])
				}
			}
			winners := 0
			for _, v := range votes {
				if v == most {
					winners++
				}
			}
			share := 1 / float64(len(sets)*len(questions))
			mean += share * float64(right) / k
			if right > 0 {
				pass += share
			}
			if most > 0 && votes["1"] == most {
				majority += share / float64(winners)
			}
		}
	}
	c := config(k)
	c.Selectors = []string{"oracle", "random", "majority"}
	at := run(t, c, questions, selector.Sources{}).ByK[0]
	for _, tt := range []struct {
		name      string
		got, want float64
	}{
		{"mean_at_1", at.MeanAt1, mean}, {"random", at.Selectors[1].Accuracy, mean}, {"majority", at.Majority, majority},
		{"majority rule", at.Selectors[2].Accuracy, majority}, {"pass_at_k", at.PassAtK, pass}, {"oracle", at.Selectors[0].Accuracy, pass},
	} {
		if !near(tt.got, tt.want) {
			t.Errorf("%s = %v, want %v by enumeration", tt.name, tt.got, tt.want)
		}
	}
}

// With few random subsets, accuracy at k is near that over all of them.
func TestRandomSubsetsAreUnbiased(t *testing.T) {
	questions := simulate(150, 10, 4)
	c := config(4)
	sampled := run(t, c, questions, sources(1)).ByK[0]
	c.Subsets = 210 // C(10, 4)
	all := run(t, c, questions, sources(1)).ByK[0]
	for i, s := range sampled.Selectors {
		if want := all.Selectors[i].Accuracy; math.Abs(s.Accuracy-want) > 0.02 {
			t.Errorf("%s at k = 4: %v with 32 subsets, %v with all", s.Name, s.Accuracy, want)
		}
	}
}

func TestByKOfAllIsTheAccuracy(t *testing.T) {
	p := run(t, config(7), simulate(20, 7, 5), sources(1, 2))
	for i, s := range p.Selectors {
		at := p.ByK[0].Selectors[i]
		if at.Name != s.Name || at.Accuracy != s.Accuracy || at.CI95 != s.CI95 || at.VsMajority.CI95 != s.VsMajority.CI95 {
			t.Errorf("%s: %+v with all, %+v at k = n", s.Name, s, at)
		}
	}
	if got, want := p.ByK[0].PassAtK, p.PassAtK; !near(got, want) {
		t.Errorf("pass@7 = %v, want %v", got, want)
	}
	if got := find(t, p, "oracle").Accuracy; !near(got, p.PassAtK) {
		t.Errorf("oracle = %v, want pass@k = %v", got, p.PassAtK)
	}
	if got := find(t, p, "random").Accuracy; !near(got, p.MeanAt1) {
		t.Errorf("random = %v, want mean@1 = %v", got, p.MeanAt1)
	}
}

func TestUngradedAreLeftOut(t *testing.T) {
	questions := simulate(10, 4, 7)
	want := run(t, config(2), questions, selector.Sources{})
	for q := range questions {
		questions[q].Candidates = append(questions[q].Candidates, rcvae.Candidate{Answer: "1"})
		questions[q].Correct = append(questions[q].Correct, true)
		questions[q].Graded = []bool{true, true, true, true, false}
	}
	questions = append(questions, eval.Question{ID: "none", Candidates: questions[0].Candidates[:1], Correct: []bool{true}, Graded: []bool{false}})
	got := run(t, config(2), questions, selector.Sources{})
	if got.Ungraded != 11 || got.Questions != 10 || got.MeanAt1 != want.MeanAt1 || !reflect.DeepEqual(got.Selectors[0].CI95, want.Selectors[0].CI95) {
		t.Errorf("Run() = %d ungraded, %d questions, mean@1 %v, want 11, 10, %v", got.Ungraded, got.Questions, got.MeanAt1, want.MeanAt1)
	}
	for _, w := range []string{"11 candidates could not be graded", "1 questions have no graded candidate"} {
		if !strings.Contains(strings.Join(got.Warnings, "\n"), w) {
			t.Errorf("warnings %q lack %q", got.Warnings, w)
		}
	}
}

func TestSmallQuestionsAreLeftOutAtK(t *testing.T) {
	p := run(t, config(6), append(simulate(7, 6, 8), simulate(3, 4, 9)...), selector.Sources{})
	if p.ByK[0].N != 7 || p.K != 6 || p.KMin != 4 {
		t.Errorf("n at k = 6 is %d of candidates %d to %d, want 7 of 4 to 6", p.ByK[0].N, p.KMin, p.K)
	}
	if want := "k = 6: 3 of 10 questions have fewer candidates and are left out"; !strings.Contains(strings.Join(p.Warnings, "\n"), want) {
		t.Errorf("warnings %q lack %q", p.Warnings, want)
	}
	few := run(t, config(6), append(simulate(2, 6, 8), simulate(8, 4, 9)...), selector.Sources{})
	if ci := few.ByK[0].Selectors[0].CI95; ci != (eval.Interval{0, 1}) || !strings.Contains(strings.Join(few.Warnings, "\n"), "k = 6: 2 questions: need at least 6 for an interval") {
		t.Errorf("interval of two questions = %v, warnings %q, want [0, 1] and a warning", ci, few.Warnings)
	}
	if p := run(t, config(9), simulate(7, 6, 8), selector.Sources{}); len(p.ByK) != 0 {
		t.Errorf("by_k at k > n = %+v, want none", p.ByK)
	}
}

// Two models: the ensemble and each alone; the collapsed one is told of.
func TestSeedsAndCollapse(t *testing.T) {
	questions := simulate(30, 6, 10)
	c := config(3)
	c.Selectors, c.ModelNames = []string{"entropy", "majority"}, []string{"good", "flat"}
	p := run(t, c, questions, sources(2, 0))
	c.ModelNames = nil
	alone := run(t, c, questions, sources(2))
	if len(p.Seeds) != 2 || len(p.Seeds[0].Selectors) != 1 || p.Seeds[0].Selectors[0].Accuracy != alone.Selectors[0].Accuracy {
		t.Errorf("seed 1 = %+v, want the accuracy %v of the model alone", p.Seeds, alone.Selectors[0].Accuracy)
	}
	if d := p.Diagnostics; d[0].ActiveUnits != 1 || d[1].ActiveUnits != 0 || d[1].EntropySD != 0 || d[0].EntropySD < 0.1 || d[0].LatentDim != 2 {
		t.Errorf("diagnostics = %+v, want one active unit in the first of two, none in the second", d)
	}
	if w := strings.Join(p.Warnings, "\n"); !strings.Contains(w, "flat: the posterior has collapsed (0 of 2 units active") {
		t.Errorf("warnings %q do not tell of the collapse", w)
	}
	if p.SeedAgreement != nil {
		t.Errorf("agreement with a constant = %v, want none", *p.SeedAgreement)
	}
	if a := run(t, c, questions, sources(1, 2)).SeedAgreement; a == nil || !near(*a, 1) {
		t.Errorf("agreement of two models that order alike = %v, want 1", a)
	}
}

// McNemar on service choices, by hand: the rule is right alone 6 times, and
// majority never; ties of the vote go to the earlier candidate.
func TestVsMajority(t *testing.T) {
	var questions []eval.Question
	for q := range 8 {
		a := []rcvae.Candidate{{Text: "long text", Answer: "2"}, {Text: "x", Answer: "2"}, {Text: "longest text", Answer: "1"}}
		if q >= 6 { // a tie, which the earlier and right one wins in service
			a = []rcvae.Candidate{{Text: "longest text", Answer: "1"}, {Text: "x", Answer: "2"}}
		}
		question := eval.Question{ID: fmt.Sprint(q), Candidates: a}
		for _, c := range a {
			question.Correct = append(question.Correct, c.Answer == "1")
		}
		questions = append(questions, question)
	}
	c := config()
	c.Selectors = []string{"longest"}
	p := run(t, c, questions, selector.Sources{})
	s := find(t, p, "longest")
	if s.Accuracy != 1 || p.Majority != 1.0/8 || s.VsMajority.Diff != 7.0/8 || !near(s.VsMajority.P, 2.0/64) || s.VsMajority.Test != "mcnemar" {
		t.Errorf("longest = %+v, majority %v, want 1 and 1/8, p = 2/64", s, p.Majority)
	}
	if s.AUROC == nil || *s.AUROC != 1 || s.AUROCN != 8 {
		t.Errorf("AUROC = %v of %d, want 1 of 8", s.AUROC, s.AUROCN)
	}
}

func TestTiming(t *testing.T) {
	c := config()
	if got := find(t, run(t, c, simulate(8, 4, 1), sources(1)), "vote:entropy").MicrosPerQuestion; got != 0 {
		t.Errorf("us_per_question without timing = %v, want none", got)
	}
	c.Timing = true
	if got := find(t, run(t, c, simulate(8, 4, 1), sources(1)), "vote:entropy").MicrosPerQuestion; got <= 0 {
		t.Errorf("us_per_question = %v, want more than 0", got)
	}
}

func TestRunRefuses(t *testing.T) {
	good := simulate(6, 4, 1)
	for _, tt := range []struct {
		name, want string
		questions  []eval.Question
		change     func(*eval.Config)
	}{
		{"empty pool", "the pool has no graded candidates", nil, func(*eval.Config) {}},
		{"selector", `unknown selector "magic"`, good, func(c *eval.Config) { c.Selectors = []string{"magic"} }},
		{"no model", "selector entropy: an embedder is needed\na trained model is needed", good, func(c *eval.Config) { c.Selectors = []string{"entropy"} }},
		{"fields", "k is 0, want at least 1\nsubsets is 0, want at least 1", good, func(c *eval.Config) { c.K, c.Subsets = []int{0}, 0 }},
		{"verdicts", "question q: 1 candidates, 0 verdicts", []eval.Question{{ID: "q", Candidates: make([]rcvae.Candidate, 1)}}, func(*eval.Config) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config()
			tt.change(&c)
			if _, err := eval.Run(t.Context(), c, tt.questions, selector.Sources{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Run() = %v, want %q", err, tt.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := eval.Run(ctx, config(), good, sources(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Run() after cancel = %v, want context.Canceled", err)
	}
}

func TestProgress(t *testing.T) {
	c := config()
	last := 0
	c.OnQuestion = func(done, total int) {
		if done != last+1 || total != 40 {
			t.Errorf("progress = %d of %d after %d", done, total, last)
		}
		last = done
	}
	run(t, c, simulate(40, 3, 1), sources(1))
	if last != 40 {
		t.Errorf("last progress = %d, want 40", last)
	}
}
