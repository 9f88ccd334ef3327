package eval_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
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
				if q.Candidates[i].Verdict == rcvae.Correct {
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

// With few random subsets, accuracy at k is near that over all of them, and the
// majority is exact.
func TestRandomSubsets(t *testing.T) {
	questions := simulate(150, 10, 4)
	c := config(4)
	sampled := run(t, c, questions, sources(1)).ByK[0]
	c.Subsets = 210 // C(10, 4)
	all := run(t, c, questions, sources(1)).ByK[0]
	for i, s := range sampled.Selectors {
		if want := all.Selectors[i].Accuracy; math.Abs(s.Accuracy-want) > 0.015 {
			t.Errorf("%s at k = 4: %v with 32 subsets, %v with all", s.Name, s.Accuracy, want)
		}
	}
	if !near(sampled.Majority, all.Majority) {
		t.Errorf("majority at k = 4: %v with 32 subsets, %v with all", sampled.Majority, all.Majority)
	}
}

// The order in which candidates stand in the pool moves the majority, the mean and the
// oracle at k by nothing, and no rule by more than the choice of subsets does.
func TestShuffledCandidates(t *testing.T) {
	questions := simulate(300, 12, 4)
	c := config(4, 8)
	c.Selectors = []string{"majority", "random", "oracle", "vote:entropy", "entropy", "logprob"}
	want := run(t, c, questions, sources(1))
	rng := rand.New(rand.NewPCG(5, 6))
	for _, q := range questions {
		rng.Shuffle(len(q.Candidates), func(i, j int) { q.Candidates[i], q.Candidates[j] = q.Candidates[j], q.Candidates[i] })
	}
	got := run(t, c, questions, sources(1))
	for i, at := range got.ByK {
		for j, s := range at.Selectors {
			tolerance := 0.015
			if j < 3 {
				tolerance = 1e-9
			}
			if before := want.ByK[i].Selectors[j].Accuracy; math.Abs(s.Accuracy-before) > tolerance {
				t.Errorf("%s at k = %d: %v, and %v shuffled", s.Name, at.K, before, s.Accuracy)
			}
		}
	}
	for j, s := range got.Selectors {
		if before := want.Selectors[j]; !near(s.Accuracy, before.Accuracy) {
			t.Errorf("%s: %v, and %v shuffled", s.Name, before.Accuracy, s.Accuracy)
		}
	}
}

func TestByKOfAllIsTheAccuracy(t *testing.T) {
	p := run(t, config(7), simulate(20, 7, 5), sources(1, 2))
	for i, s := range p.Selectors {
		if at := p.ByK[0].Selectors[i]; !reflect.DeepEqual(at, s.Measured) {
			t.Errorf("%s: %+v with all, %+v at k = n", s.Name, s, at)
		}
	}
	if got, want := p.ByK[0].PassAtK, p.PassAtK; !near(got, want) {
		t.Errorf("pass@7 = %v, want %v", got, want)
	}
	if got := find(t, p, "oracle").Accuracy; got != p.PassAtK {
		t.Errorf("oracle = %v, want pass@k = %v", got, p.PassAtK)
	}
	if got := find(t, p, "random").Accuracy; got != p.MeanAt1 {
		t.Errorf("random = %v, want mean@1 = %v", got, p.MeanAt1)
	}
}

// A vote whose weights are all 1 is the majority vote.
func TestVoteWithoutTauIsMajority(t *testing.T) {
	c := config(3)
	c.Tau, c.Selectors = new(0.0), []string{"vote:entropy"}
	p := run(t, c, simulate(40, 6, 5), sources(1))
	for name, d := range map[string]eval.Comparison{"all": p.Selectors[0].VsMajority, "k = 3": p.ByK[0].Selectors[0].VsMajority} {
		if !near(d.Diff, 0) || *d.P != 1 {
			t.Errorf("%s: vote:entropy with τ = 0 against majority = %+v, want 0", name, d)
		}
	}
}

// An answer is worth the mean of its graded candidates, whichever of them stands for it.
func TestAnswersOfMixedVerdicts(t *testing.T) {
	var questions []rcvae.Question
	for q := range 8 {
		questions = append(questions, rcvae.Question{Problem: rcvae.Problem{ID: fmt.Sprint(q), Question: "?"}, Candidates: []rcvae.Candidate{
			{Text: "longest", Answer: "1", Verdict: rcvae.Correct}, {Text: "a", Answer: "1", Verdict: rcvae.Incorrect},
		}})
	}
	c := config()
	c.Selectors = []string{"majority", "vote:longest", "longest"}
	for i, want := range []float64{0.5, 0.5, 1} {
		if s := run(t, c, questions, selector.Sources{}).Selectors[i]; s.Accuracy != want {
			t.Errorf("%s = %v, want %v", s.Name, s.Accuracy, want)
		}
	}
}

// Candidates without a verdict vote like any other; they count in no accuracy of their
// own. Here they cast the deciding votes.
func TestUngradedVote(t *testing.T) {
	var questions []rcvae.Question
	for q := range 8 {
		questions = append(questions, rcvae.Question{Problem: rcvae.Problem{ID: fmt.Sprint(q), Question: "?"}, Candidates: []rcvae.Candidate{
			{Text: "a", Answer: "1", Verdict: rcvae.Correct}, {Text: "b", Answer: "2", Verdict: rcvae.Incorrect},
			{Text: "longest", Answer: "1"}, {Text: "d", Answer: "3", Verdict: rcvae.Incorrect},
		}})
	}
	questions = append(questions, rcvae.Question{Problem: rcvae.Problem{ID: "none"}, Candidates: []rcvae.Candidate{{Text: "a"}}})
	c := config(4)
	c.Selectors = []string{"majority", "longest"}
	p := run(t, c, questions, selector.Sources{})
	if p.Majority != 1 || !near(p.MeanAt1, 1.0/3) || p.Ungraded != 8 || p.Questions != 8 || p.Candidates != 32 {
		t.Errorf("pool = %+v, want majority 1, mean@1 1/3, 8 ungraded of 32 candidates of 8 questions", p)
	}
	if s := find(t, p, "longest"); s.Accuracy != 1 || s.Ungraded != 8 {
		t.Errorf("longest = %+v, want what the graded candidate with its answer is worth, and 8 ungraded choices", s)
	}
	for _, w := range []string{"8 of 32 candidates could not be graded", "1 questions have no graded candidate"} {
		if !strings.Contains(strings.Join(p.Warnings, "\n"), w) {
			t.Errorf("warnings %q lack %q", p.Warnings, w)
		}
	}
}

// A candidate without a token count takes no rule out of the table; a question without
// any log-probability does, and both are said.
func TestMissingLogProbs(t *testing.T) {
	questions := simulate(20, 6, 1)
	all := run(t, config(3), questions, selector.Sources{})
	questions[0].Candidates[0].Tokens = 0
	one := run(t, config(3), questions, selector.Sources{})
	if len(one.Selectors) != len(all.Selectors) || !strings.Contains(strings.Join(one.Warnings, "\n"), "1 of 120 candidates have no log-probabilities or no token count") {
		t.Errorf("%d rules instead of %d, warnings %q", len(one.Selectors), len(all.Selectors), one.Warnings)
	}
	for i := range questions[0].Candidates {
		questions[0].Candidates[i].LogProb = nil
	}
	none := run(t, config(3), questions, selector.Sources{})
	if len(none.Selectors) >= len(all.Selectors) || !strings.Contains(strings.Join(none.Warnings, "\n"), "1 of 20 questions have no candidate with log-probabilities") {
		t.Errorf("%d rules of %d, warnings %q", len(none.Selectors), len(all.Selectors), none.Warnings)
	}
	c := config(3)
	c.Selectors = []string{"logprob"}
	if _, err := eval.Run(t.Context(), c, questions, selector.Sources{}); err == nil || !strings.Contains(err.Error(), "1 of 20 questions have no candidate with log-probabilities") {
		t.Errorf("Run() = %v, want an error about the question without log-probabilities", err)
	}
}

// The questions of one id are drawn together: asked twice, they say no more than once.
func TestClusteredByID(t *testing.T) {
	questions := simulate(30, 6, 3)
	once := run(t, config(), questions, sources(1))
	twice := run(t, config(), append(questions, questions...), sources(1))
	if twice.Questions != 60 || twice.Distinct != 30 {
		t.Errorf("%d questions, %d distinct, want 60 and 30", twice.Questions, twice.Distinct)
	}
	for i, s := range twice.Selectors {
		if want := once.Selectors[i]; !reflect.DeepEqual(s.Measured, want.Measured) {
			t.Errorf("%s: %+v, want the interval of each question once, %+v", s.Name, s, want)
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
	if s := few.ByK[0].Selectors[0]; s.CI95 != nil || s.VsMajority.P != nil || !strings.Contains(strings.Join(few.ByK[0].Warnings, "\n"), "2 questions: at least 6 are needed for an interval") {
		t.Errorf("interval of two questions = %v, p = %v, warnings %q, want none and a warning", s.CI95, s.VsMajority.P, few.ByK[0].Warnings)
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
	if d := p.Diagnostics; d[0].ActiveUnits != 1 || d[1].ActiveUnits != 0 || *d[1].EntropySD != 0 || *d[0].EntropySD < 0.1 || d[0].Latent != 2 || d[0].OutOfDistribution != nil {
		t.Errorf("diagnostics = %+v, want one active unit in the first of two, none in the second", d)
	}
	if w := strings.Join(p.Warnings, "\n"); !strings.Contains(w, "flat: the posterior has collapsed: 0 of 2 latent units are active") {
		t.Errorf("warnings %q do not tell of the collapse", w)
	}
	if p.SeedAgreement != nil {
		t.Errorf("agreement with a constant = %v, want none", *p.SeedAgreement)
	}
	if a := run(t, c, questions, sources(1, 2)).SeedAgreement; a == nil || !near(*a, 1) {
		t.Errorf("agreement of two models that order alike = %v, want 1", a)
	}
}

// Candidates that a model takes for out-of-distribution are told of.
func TestOutOfDistribution(t *testing.T) {
	src := selector.Sources{Embedder: fakeEmbedder{}, Models: []rcvae.Model{fakeModel{gain: 1, far: 2}}}
	d := run(t, config(), simulate(60, 6, 3), src).Diagnostics[0]
	if d.OutOfDistribution == nil || *d.OutOfDistribution < 0.02 || *d.OutOfDistribution > 0.15 || *d.OutOfDistributionQuestions != 0 {
		t.Errorf("out-of-distribution = %v, %v, want about 0.06 of the candidates and no question", d.OutOfDistribution, d.OutOfDistributionQuestions)
	}
}

// One candidate per question has no spread to warn of.
func TestOneCandidateHasNoSpread(t *testing.T) {
	p := run(t, config(), simulate(30, 1, 3), sources(1))
	if d := p.Diagnostics[0]; d.EntropySD != nil || strings.Contains(strings.Join(p.Warnings, "\n"), "entropies") {
		t.Errorf("diagnostics = %+v, warnings %q, want no entropy spread", d, p.Warnings)
	}
}

// Interval and p-value of a comparison are of one quantity: the earlier of two answers is
// always correct, majority is a tie, so "first" gains exactly half in every question.
func TestVsMajority(t *testing.T) {
	var questions []rcvae.Question
	for q := range 40 {
		questions = append(questions, rcvae.Question{Problem: rcvae.Problem{ID: fmt.Sprint(q), Question: "?"}, Candidates: []rcvae.Candidate{
			{Text: "long text", Answer: "1", Verdict: rcvae.Correct}, {Text: "x", Answer: "2", Verdict: rcvae.Incorrect},
		}})
	}
	c := config(1, 2)
	c.Selectors = []string{"first", "longest", "majority"}
	p := run(t, c, questions, selector.Sources{})
	half := eval.Interval{0.5, 0.5}
	for _, s := range p.Selectors[:2] {
		if s.VsMajority.Diff != 0.5 || *s.VsMajority.CI95 != half || !(*s.VsMajority.P < 0.02) || *s.GapShare.Share != 1 || *s.GapShare.CI95 != (eval.Interval{1, 1}) {
			t.Errorf("%s = %+v, want +0.5 [0.5, 0.5], a p below 0.02 and the whole gap", s.Name, s)
		}
	}
	if s := p.Selectors[2]; s.VsMajority.Diff != 0 || *s.VsMajority.P != 1 || *s.GapShare.Share != 0 {
		t.Errorf("majority = %+v, want no gain over itself", s)
	}
	if s := p.ByK[0].Selectors[0]; s.GapShare.Share != nil || s.GapShare.CI95 != nil || !near(s.Accuracy, 0.5) {
		t.Errorf("at k = 1: %+v, want accuracy 0.5 and no gap to share", s)
	}
	if s := find(t, p, "longest"); s.AUROC == nil || *s.AUROC != 1 || s.AUROCN != 40 {
		t.Errorf("AUROC = %v of %d, want 1 of 40", s.AUROC, s.AUROCN)
	}
}

// pass@k of questions that all have a correct candidate is 1, not nearly.
func TestPassAtKIsExact(t *testing.T) {
	var questions []rcvae.Question
	for q := range 10 {
		questions = append(questions, rcvae.Question{Problem: rcvae.Problem{ID: fmt.Sprint(q), Question: "?"}, Candidates: []rcvae.Candidate{{Text: "a", Answer: "1", Verdict: rcvae.Correct}}})
	}
	if p := run(t, config(), questions, selector.Sources{}); p.PassAtK != 1 || p.MeanAt1 != 1 {
		t.Errorf("pass@k = %v, mean@1 = %v, want 1", p.PassAtK, p.MeanAt1)
	}
}

// A rule of the program's own is measured beside those asked for by name.
func TestOwnRule(t *testing.T) {
	c := config(2)
	c.Selectors = []string{"majority"}
	last := selector.Score{Name: "last", About: "the last", Best: "the last", Values: func(_ context.Context, e *selector.Evidence) ([]float64, error) {
		return slices.Collect(func(yield func(float64) bool) {
			for i := range e.Len() {
				if !yield(float64(i)) {
					return
				}
			}
		}), nil
	}}
	c.Rules = []selector.Rule{{Score: last}}
	questions := simulate(30, 4, 2)
	var want float64
	for _, q := range questions {
		if q.Candidates[3].Verdict == rcvae.Correct {
			want += 1.0 / 30
		}
	}
	if got := find(t, run(t, c, questions, selector.Sources{}), "last").Accuracy; !near(got, want) {
		t.Errorf("last = %v, want %v", got, want)
	}
}

// Embedded by the caller or by Run: the same result.
func TestRunEncoded(t *testing.T) {
	questions := simulate(40, 5, 2)
	var encoded []rcvae.Encoded
	for _, q := range questions {
		embeddings, err := fakeEmbedder{}.Embed(t.Context(), q.Texts())
		if err != nil {
			t.Fatal(err)
		}
		x := rcvae.Encoded{Question: q, Embedding: embeddings[0]}
		for _, r := range embeddings[1:] {
			x.Solutions = append(x.Solutions, rcvae.Solution{Embedding: r})
		}
		encoded = append(encoded, x)
	}
	want := run(t, config(3), questions, sources(1))
	src := sources(1)
	src.Embedder = nil
	got, err := eval.RunEncoded(t.Context(), config(3), encoded, src)
	if err != nil || !reflect.DeepEqual(got.Pools[0], want) {
		t.Errorf("RunEncoded() = %+v, %v, want what Run gives", got, err)
	}
}

// Details come one per measured question, in the order of the questions, and say what
// the result sums up.
func TestDetails(t *testing.T) {
	questions := simulate(25, 5, 2)
	questions[3].Candidates = nil
	c := config()
	c.Pool, c.Selectors = "pool", []string{"majority", "entropy", "vote:entropy", "oracle", "random"}
	var details []eval.Details
	c.OnDetails = func(d eval.Details) { details = append(details, d) }
	p := run(t, c, questions, sources(1))
	sum := make([]float64, len(c.Selectors))
	for i, d := range details {
		q := questions[i+min(i/3, 1)]
		if d.ID != q.ID || d.Question != q.Question || d.Pool != "pool" || len(d.Candidates) != 5 || len(d.Chosen) != len(c.Selectors) {
			t.Fatalf("details %d = %+v, want those of %s", i, d, q.ID)
		}
		for r, chosen := range d.Chosen {
			if chosen.Rule != c.Selectors[r] {
				t.Errorf("rule %d is %s, want %s", r, chosen.Rule, c.Selectors[r])
			}
			sum[r] += chosen.Value / 24
			checkVote(t, d, chosen)
		}
		for j, x := range d.Candidates {
			if x.Text != q.Candidates[j].Text || x.Answer != q.Candidates[j].Answer || !near(*x.Entropy, float64(x.Latent[0])/2) || (x.Verdict == "correct") != (x.Answer == "1") || (x.Verdict == "no_answer") != (x.Answer == "") ||
				(x.Class < 0) != (x.Answer == "") || len(x.Latent) != 2 || *x.InDistribution != 1 || !near(x.Scores["entropy"], -float64(x.Latent[0])/2) || len(x.Signals) != len(d.Signals) {
				t.Errorf("%s, candidate %d = %+v", d.ID, j, x)
			}
		}
		if line, err := json.Marshal(d); err != nil || !bytes.Contains(line, []byte(`"gold":`)) {
			t.Errorf("details as JSON = %s, %v", line, err)
		}
	}
	if len(details) != 24 {
		t.Fatalf("%d details, want 24", len(details))
	}
	for r, s := range p.Selectors {
		if !near(sum[r], s.Accuracy) {
			t.Errorf("%s: mean of the details %v, accuracy %v", s.Name, sum[r], s.Accuracy)
		}
	}
}

// checkVote compares weights and margin with a count of the votes.
func checkVote(t *testing.T, d eval.Details, chosen eval.RuleDetails) {
	t.Helper()
	if chosen.Rule != "majority" {
		if (len(chosen.Weights) > 0) != strings.HasPrefix(chosen.Rule, "vote:") {
			t.Errorf("%s: rule %s has weights %v", d.ID, chosen.Rule, chosen.Weights)
		}
		return
	}
	votes := make([]float64, len(chosen.Weights))
	var sum float64
	for _, c := range d.Candidates {
		if c.Class >= 0 {
			votes[c.Class]++
			sum++
		}
	}
	if !slices.Equal(chosen.Weights, votes) {
		t.Errorf("%s: weights %v, want the votes %v", d.ID, chosen.Weights, votes)
	}
	slices.Sort(votes)
	votes = append([]float64{0, 0}, votes...)
	if want := (votes[len(votes)-1] - votes[len(votes)-2]) / max(sum, 1); !near(chosen.Margin, want) {
		t.Errorf("%s: margin %v, want %v", d.ID, chosen.Margin, want)
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
		questions  []rcvae.Question
		change     func(*eval.Config)
	}{
		{"empty pool", "the pool has no graded candidates", nil, func(*eval.Config) {}},
		{"selector", `unknown selector "magic"`, good, func(c *eval.Config) { c.Selectors = []string{"magic"} }},
		{"no model", "selector entropy: an embedder is needed\na trained model is needed", good, func(c *eval.Config) { c.Selectors = []string{"entropy"} }},
		{"fields", "k is 0, want at least 1\nsubsets is 0, want at least 1", good, func(c *eval.Config) { c.K, c.Subsets = []int{0}, 0 }},
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
	for models, want := range map[int]int{1: 40, 3: 4 * 40} {
		c := config()
		last, said := 0, map[string]int{}
		c.OnQuestion = func(x eval.Progress) {
			if x.Done != last+1 || x.Total != want {
				t.Errorf("%d models: progress = %d of %d after %d, want a total of %d", models, x.Done, x.Total, last, want)
			}
			last = x.Done
			said[x.Model]++
		}
		run(t, c, simulate(40, 3, 1), sources(slices.Repeat([]float32{1}, models)...))
		if last != want || said[""] != 40 || models > 1 && said["model 3"] != 40 {
			t.Errorf("%d models: last progress = %d, by model %v, want %d, and 40 of each model", models, last, said, want)
		}
	}
}
