package selector_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"rcvae"
	"rcvae/selector"
)

const everything = ^selector.Needs(0) &^ selector.NeedVerdicts &^ selector.NeedLogProbs

// servable are the rules that need no verdicts.
func servable() []selector.Rule {
	return slices.DeleteFunc(selector.Rules(), selector.Rule.EvaluationOnly)
}

func everySource(outOfDistribution bool) selector.Sources {
	return sourcesOf(newLinear(1, outOfDistribution), newLinear(3, false))
}

// drawCandidates draws candidates, the first of which has log-probabilities.
func drawCandidates(t *rapid.T) []rcvae.Candidate {
	n := rapid.IntRange(1, 12).Draw(t, "n")
	out := make([]rcvae.Candidate, n)
	for i := range out {
		answer := rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, "answer")
		out[i] = rcvae.Candidate{
			Text: fmt.Sprintf("text %d of %s", rapid.IntRange(0, 5).Draw(t, "text"), answer), Answer: answer,
			Tokens: rapid.IntRange(0, 4).Draw(t, "tokens"), LogProb: &rcvae.LogProb{Sum: -float64(rapid.IntRange(0, 9).Draw(t, "sum")), Tail: -1},
		}
	}
	out[0].Tokens = 2
	return out
}

// world is a question with evidence of everything, in-distribution or not.
type world struct {
	candidates []rcvae.Candidate
	sources    selector.Sources
}

func drawWorld(t *rapid.T) world {
	return world{drawCandidates(t), everySource(rapid.Bool().Draw(t, "out-of-distribution"))}
}

func (w world) prepare(t *rapid.T, candidates []rcvae.Candidate) *selector.Prepared {
	p, err := selector.Prepare(t.Context(), "question", candidates, w.sources, everything|selector.NeedLogProbs)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w world) evidence(t *rapid.T, candidates []rcvae.Candidate) *selector.Evidence {
	return subsetOf(t, w.prepare(t, candidates), nil)
}

func subsetOf(t *rapid.T, p *selector.Prepared, subset []int) *selector.Evidence {
	e, err := p.Evidence(subset)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func ruleOn(t *rapid.T, rule selector.Rule, e *selector.Evidence) selector.Choice {
	c, err := rule.Choose(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Permuting the candidates permutes the scores, and the choice up to ties.
func TestPermutationLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		order := rapid.Permutation(indices(len(w.candidates))).Draw(t, "order")
		permuted := make([]rcvae.Candidate, len(order))
		for a, i := range order {
			permuted[a] = w.candidates[i]
		}
		if !permuted[0].Votes() && permuted[0].Text == "" {
			return
		}
		e, p := w.evidence(t, w.candidates), w.evidence(t, permuted)
		for _, rule := range servable() {
			if rule.Name() == "first" {
				continue
			}
			c, d := ruleOn(t, rule, e), ruleOn(t, rule, p)
			for a, i := range order {
				if math.Abs(c.Scores[i]-d.Scores[a]) > 1e-9 {
					t.Fatalf("%s: score of candidate %d = %v, permuted %v", rule.Name(), i, c.Scores[i], d.Scores[a])
				}
			}
			if len(c.Tied) == 1 && len(d.Tied) == 1 && !same(w.candidates, rule, c, c.Best, order[d.Best]) {
				t.Fatalf("%s: chose candidate %d, permuted %d; scores %v", rule.Name(), c.Best, order[d.Best], c.Scores)
			}
		}
	})
}

// same reports whether two candidates are as good a choice: one text, one answer of a
// vote whose candidates are equals, or scores and weights that differ by rounding.
func same(candidates []rcvae.Candidate, rule selector.Rule, c selector.Choice, i, j int) bool {
	near := func(x, y float64) bool { return math.Abs(x-y) < 1e-9 }
	if candidates[i].Text == candidates[j].Text || near(c.Scores[i], c.Scores[j]) {
		return true
	}
	return rule.Weighted() && c.Class[i] >= 0 && c.Class[j] >= 0 && c.Class[i] != c.Class[j] && near(c.Weights[c.Class[i]], c.Weights[c.Class[j]])
}

// The evidence of a subset is that of a question with the subset's candidates alone.
func TestSubsetLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		subset := []int{0}
		for i := 1; i < len(w.candidates); i++ {
			if rapid.Bool().Draw(t, "keep") {
				subset = append(subset, i)
			}
		}
		var alone []rcvae.Candidate
		for _, i := range subset {
			alone = append(alone, w.candidates[i])
		}
		e, s := subsetOf(t, w.prepare(t, w.candidates), subset), w.evidence(t, alone)
		for _, rule := range servable() {
			got, want := ruleOn(t, rule, e), ruleOn(t, rule, s)
			if got.Best != want.Best || !slices.Equal(got.Tied, want.Tied) || !slices.Equal(got.Scores, want.Scores) || !slices.Equal(got.Weights, want.Weights) {
				t.Fatalf("%s of %v: %+v, want %+v", rule.Name(), subset, got, want)
			}
		}
	})
}

// A copy of a candidate has its score, and is chosen only after it.
func TestDuplicateLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		i := rapid.IntRange(0, len(w.candidates)-1).Draw(t, "copied")
		copied := len(w.candidates)
		e := w.evidence(t, append(slices.Clone(w.candidates), w.candidates[i]))
		for _, rule := range servable() {
			c := ruleOn(t, rule, e)
			if rule.Name() != "first" && math.Abs(c.Scores[i]-c.Scores[copied]) > 1e-9 {
				t.Fatalf("%s: scores of a candidate and its copy are %v and %v", rule.Name(), c.Scores[i], c.Scores[copied])
			}
			if c.Best == copied && c.Scores[i] == c.Scores[copied] {
				t.Fatalf("%s: chose the copy before its original", rule.Name())
			}
		}
	})
}

// A candidate that does not vote changes no vote, unless scores compare candidates.
func TestNonVoterLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if !w.candidates[0].Votes() {
			return // nobody else may have log-probabilities
		}
		silent := rcvae.Candidate{Text: rapid.StringN(0, 9, -1).Draw(t, "text"), Tokens: 1, LogProb: &rcvae.LogProb{Sum: -1}}
		e, more := w.evidence(t, w.candidates), w.evidence(t, append(slices.Clone(w.candidates), silent))
		for _, rule := range servable() {
			if !rule.Votes() || rule.Score.Name == "consensus" {
				continue
			}
			c, d := ruleOn(t, rule, e), ruleOn(t, rule, more)
			if c.Best != d.Best || !slices.Equal(c.Tied, d.Tied) || !slices.Equal(c.Weights, d.Weights) {
				t.Fatalf("%s: chose %d of %v by %v, with a silent candidate %d of %v by %v", rule.Name(), c.Best, c.Tied, c.Weights, d.Best, d.Tied, d.Weights)
			}
		}
	})
}

// Verdicts change nothing, of a rule of the project and of one that looks for them.
func TestVerdictLaw(t *testing.T) {
	peeping := selector.Rule{Score: selector.Score{Name: "peeping", Values: func(_ context.Context, e *selector.Evidence) ([]float64, error) {
		values := make([]float64, e.Len())
		for i, c := range e.Candidates() {
			values[i] = float64(c.Verdict)
		}
		return values, nil
	}}}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		graded := slices.Clone(w.candidates)
		for i := range graded {
			graded[i].Verdict = rapid.SampledFrom([]rcvae.Verdict{rcvae.Ungraded, rcvae.Incorrect, rcvae.Correct}).Draw(t, "verdict")
		}
		e, g := w.evidence(t, w.candidates), w.evidence(t, graded)
		for _, rule := range append(servable(), peeping) {
			c, d := ruleOn(t, rule, e), ruleOn(t, rule, g)
			if c.Best != d.Best || !slices.Equal(c.Scores, d.Scores) || !slices.Equal(c.Tied, d.Tied) {
				t.Fatalf("%s: %+v, with verdicts %+v", rule.Name(), c, d)
			}
		}
	})
}

// Best is the first winner, voters are chosen before others, representatives are of
// their class, and τ → 0 makes a vote a tie-break's class.
func TestChoiceInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		e := w.evidence(t, w.candidates)
		for _, rule := range servable() {
			c := ruleOn(t, rule, e)
			if len(c.Tied) > 0 && c.Best != c.Tied[0] {
				t.Fatalf("%s: best %d is not the first of %v", rule.Name(), c.Best, c.Tied)
			}
			if len(c.Weights) > 0 && e.Class(c.Best) < 0 {
				t.Fatalf("%s: chose candidate %d, which does not vote", rule.Name(), c.Best)
			}
			for k, i := range c.Representatives {
				if e.Class(i) != k {
					t.Fatalf("%s: candidate %d of class %d represents class %d", rule.Name(), i, e.Class(i), k)
				}
			}
			if margin := c.Margin(); !(margin >= 0 && margin <= 1) {
				t.Fatalf("%s: margin %v", rule.Name(), margin)
			}
		}
		for _, s := range selector.Scores() {
			majority := ruleOn(t, selector.Rule{Aggregate: selector.Majority}, e)
			vote := ruleOn(t, selector.Rule{Score: s, Aggregate: selector.Vote, Tau: new(1e-9)}, e)
			if len(majority.Tied) == 1 && e.Class(vote.Best) != e.Class(majority.Best) {
				t.Fatalf("vote:%s at τ → 0 chose class %d, the majority is %d", s.Name, e.Class(vote.Best), e.Class(majority.Best))
			}
		}
	})
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// The consensus score agrees with its formula, term by term.
func TestConsensusFormula(t *testing.T) {
	candidates := answers("1", "2", "3", "4")
	p := prepare(t, candidates, everySource(false), selector.NeedEmbeddings)
	r, _ := (&hashEmbedder{}).Embed(t.Context(), rcvae.Question{Candidates: candidates}.Texts()) // the question first
	subset := []int{0, 2, 3}
	got := choose(t, "consensus", evidenceOf(t, p, subset)).Scores
	for a, i := range subset {
		var sum float64
		for _, j := range subset {
			var dot float64
			for d := range r[i+1] {
				dot += float64(r[i+1][d]) * float64(r[j+1][d])
			}
			sum += math.Exp(20 * dot)
		}
		if want := math.Log(sum / 3); math.Abs(got[a]-want) > 1e-9 {
			t.Errorf("consensus of candidate %d = %v, want %v", i, got[a], want)
		}
	}
}
