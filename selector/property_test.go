package selector_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"rcvae"
	"rcvae/selector"
)

const everything = ^selector.Needs(0) &^ selector.NeedVerdicts

func drawCandidates(t *rapid.T) []rcvae.Candidate {
	n := rapid.IntRange(1, 12).Draw(t, "n")
	out := make([]rcvae.Candidate, n)
	for i := range out {
		answer := rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, "answer")
		out[i] = rcvae.Candidate{
			Text: fmt.Sprintf("text %d of %s", rapid.IntRange(0, 5).Draw(t, "text"), answer), Answer: answer,
			Tokens: rapid.IntRange(1, 4).Draw(t, "tokens"), LogProb: &rcvae.LogProb{Sum: -float64(rapid.IntRange(0, 9).Draw(t, "sum")), Tail: -1},
		}
	}
	return out
}

func everySource() selector.Sources {
	calibration := rcvae.Calibration{Objective: "ratio", Scale: 2, Tau: 0.7}
	return selector.Sources{Embedder: &hashEmbedder{}, Models: []rcvae.Model{linearModel{1, calibration}, linearModel{3, calibration}}}
}

func gather(t *rapid.T, candidates []rcvae.Candidate) *selector.Evidence {
	e, err := selector.Gather(t.Context(), "question", candidates, everySource(), everything)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Permuting the candidates permutes the scores, and the choice up to ties.
func TestPermutationLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := drawCandidates(t)
		order := rapid.Permutation(indices(len(candidates))).Draw(t, "order")
		permuted := make([]rcvae.Candidate, len(candidates))
		for a, i := range order {
			permuted[a] = candidates[i]
		}
		e, p := gather(t, candidates), gather(t, permuted)
		for _, rule := range selector.Rules() {
			if rule.Name == "first" || rule.EvaluationOnly() {
				continue
			}
			c, d := rule.Choose(e, nil), rule.Choose(p, nil)
			for a, i := range order {
				if math.Abs(c.Scores[i]-d.Scores[a]) > 1e-9 {
					t.Fatalf("%s: score of candidate %d = %v, permuted %v", rule.Name, i, c.Scores[i], d.Scores[a])
				}
			}
			if len(c.Tied) == 1 && rule.Name != "majority" {
				if got := order[d.Best]; candidates[got].Text != candidates[c.Best].Text && !nearTie(c, got) {
					t.Fatalf("%s: chose candidate %d, permuted %d; scores %v", rule.Name, c.Best, got, c.Scores)
				}
			}
			if rule.Name == "majority" && len(c.Tied) == 1 && candidates[order[d.Best]].Answer != candidates[c.Best].Answer {
				t.Fatalf("majority: %q, permuted %q", candidates[c.Best].Answer, candidates[order[d.Best]].Answer)
			}
		}
	})
}

func nearTie(c selector.Choice, i int) bool { return math.Abs(c.Scores[i]-c.Scores[c.Best]) < 1e-9 }

// A choice from a subset is the choice from the subset's candidates alone.
func TestSubsetLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := drawCandidates(t)
		var subset []int
		var alone []rcvae.Candidate
		for i, c := range candidates {
			if rapid.Bool().Draw(t, "keep") {
				subset, alone = append(subset, i), append(alone, c)
			}
		}
		if len(subset) == 0 {
			return
		}
		e, s := gather(t, candidates), gather(t, alone)
		for _, rule := range selector.Rules() {
			if rule.EvaluationOnly() {
				continue
			}
			got, want := rule.Choose(e, subset), rule.Choose(s, nil)
			for a := range want.Tied {
				want.Tied[a] = subset[want.Tied[a]]
			}
			if got.Best != subset[want.Best] || !slices.Equal(got.Tied, want.Tied) || !slices.Equal(got.Scores, want.Scores) {
				t.Fatalf("%s of %v: %+v, want %+v", rule.Name, subset, got, want)
			}
		}
	})
}

// Best is always among the winners, and tau → 0 makes a vote a tie-break's class.
func TestChoiceInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := drawCandidates(t)
		e := gather(t, candidates)
		majority := mustRule("majority").Choose(e, nil)
		for _, rule := range selector.Rules() {
			if rule.EvaluationOnly() {
				continue
			}
			c := rule.Choose(e, nil)
			if len(c.Tied) > 0 && c.Best != c.Tied[0] {
				t.Fatalf("%s: best %d is not the first of %v", rule.Name, c.Best, c.Tied)
			}
			if rule.Needs.Has(selector.NeedAnswers) && len(majority.Tied) > 0 && e.Class(c.Best) < 0 {
				t.Fatalf("%s: chose candidate %d, which does not vote", rule.Name, c.Best)
			}
		}
		for _, score := range []string{"entropy", "consensus", "norm"} {
			vote := mustRule("vote:"+score).WithTau(1e-6).Choose(e, nil)
			tie := mustRule("tiebreak:"+score).Choose(e, nil)
			if len(majority.Tied) == 1 && e.Class(vote.Best) != e.Class(tie.Best) {
				t.Fatalf("vote:%s at τ → 0 chose class %d, the majority is %d", score, e.Class(vote.Best), e.Class(tie.Best))
			}
		}
	})
}

func mustRule(name string) selector.Rule {
	r, err := selector.Parse(name)
	if err != nil {
		panic(err)
	}
	return r
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
	e, err := selector.Gather(t.Context(), "q", candidates, everySource(), mustParse(t, "consensus").Needs)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{}
	for _, c := range candidates {
		texts = append(texts, c.Text)
	}
	r, _ := (&hashEmbedder{}).Embed(t.Context(), texts)
	subset := []int{0, 2, 3}
	got := mustParse(t, "consensus").Choose(e, subset).Scores
	for a, i := range subset {
		var sum float64
		for _, j := range subset {
			var dot float64
			for d := range r[i] {
				dot += float64(r[i][d]) * float64(r[j][d])
			}
			sum += math.Exp(20 * dot)
		}
		if want := math.Log(sum / 3); math.Abs(got[a]-want) > 1e-9 {
			t.Errorf("consensus of candidate %d = %v, want %v", i, got[a], want)
		}
	}
}
