package selector_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/rcvaetest"
	"rcvae/selector"
)

func TestSelectReasons(t *testing.T) {
	tests := []struct {
		rule       string
		candidates []rcvae.Candidate
		scores     []float64
		index      int
		reason     string
		warnings   int
	}{
		{"entropy", answers("1", "2"), []float64{0, 1}, 1, "candidate 2 of 2: lowest posterior entropy", 0},
		{"vote:entropy", answers("1", "2", "2"), []float64{0, 1, 2}, 2, "2 of 3 votes for 2; candidate 3: lowest posterior entropy inside that class", 0},
		{"vote:entropy", answers("1", "2", "2"), []float64{9, 1, 2}, 0,
			"1 of 3 votes for 1 outweigh the 2 for the most frequent answer; candidate 1: lowest posterior entropy inside that class", 0},
		{"vote:entropy", answers("", ""), []float64{0, 1}, 1, "none of 2 candidates has an answer; candidate 2: lowest posterior entropy", 1},
		{"tiebreak:entropy", answers("1", "2"), []float64{0, 1}, 1, "1 of 2 votes for 2, a tie broken by the lowest posterior entropy", 0},
		{"majority", answers("1", "2"), []float64{0, 1}, 0, "1 of 2 votes for 1, a tie of 2 answers; the earliest was taken", 0},
		{"majority", answers("", ""), []float64{0, 1}, 0, "none of 2 candidates has an answer; the first was taken", 1},
		{"majority", answers(strings.Repeat("é", 50)), []float64{0}, 0, "1 of 1 votes for " + strings.Repeat("é", 40) + "…", 0},
		{"first", answers("1", "2"), []float64{0, 1}, 0, "the first of 2 candidates", 0},
		{"entropy", answers("1", "2"), []float64{1, 1}, 0, "candidate 1 of 2: lowest posterior entropy", 1},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			got := selectBy(t, mustParse(t, tt.rule), sourcesOf(columnModel{scores: tt.scores, tau: 1}), tt.candidates)
			if got.Index != tt.index || got.Reason != tt.reason || len(got.Warnings) != tt.warnings || len(got.Scores) != len(tt.candidates) {
				t.Errorf("Select() = %+v, want index %d, reason %q, %d warnings", got, tt.index, tt.reason, tt.warnings)
			}
		})
	}
}

// Every rule keeps the laws of selectors, with models that know all candidates and with
// models that do not.
func TestSelectorLaws(t *testing.T) {
	candidates := answers("5", "6", "", "5")
	for i := range candidates[:3] {
		candidates[i].LogProb, candidates[i].Tokens = &rcvae.LogProb{Sum: -float64(i), Tail: -.2}, 3
	}
	for _, outOfDistribution := range []bool{false, true} {
		for _, rule := range servable() {
			t.Run(fmt.Sprint(rule.Name(), outOfDistribution), func(t *testing.T) {
				s, err := selector.New(rule, everySource(outOfDistribution), selector.Options{})
				if err != nil {
					t.Fatal(err)
				}
				rcvaetest.TestSelector(t, s, "What is 2 + 3?", candidates)
			})
		}
	}
}

func TestSelectRefuses(t *testing.T) {
	if _, err := selector.New(mustParse(t, "oracle"), selector.Sources{}, selector.Options{}); err == nil {
		t.Error("New(oracle) is served; it would need the verdicts")
	}
	if _, err := selector.New(mustParse(t, "majority"), selector.Sources{}, selector.Options{Tau: new(math.NaN())}); err == nil {
		t.Error("New() takes τ = NaN")
	}
	s, err := selector.New(mustParse(t, "logprob"), selector.Sources{}, selector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Select(t.Context(), "q", nil); !errors.Is(err, rcvae.ErrNoCandidates) {
		t.Errorf("Select(nothing) = %v, want ErrNoCandidates", err)
	}
	if _, err := s.Select(t.Context(), "q", answers("a")); err == nil || !strings.Contains(err.Error(), "selector logprob: no candidate has log-probabilities") {
		t.Errorf("Select() = %v, want an error that names the rule and what is missing", err)
	}
}

// One candidate without log-probabilities or token count does not take the rules away:
// it counts as the mean of the others, and a warning says so.
func TestMissingLogProbabilities(t *testing.T) {
	candidates := answers("a", "b", "b", "c")
	for i, sum := range []float64{-1, -4, -1, -2} {
		candidates[i].LogProb, candidates[i].Tokens = &rcvae.LogProb{Sum: sum, Tail: sum}, 1
	}
	candidates[2].Tokens = 0
	if got := selector.Given(candidates); !got.Has(selector.NeedLogProbs) || selector.MissingLogProbs(candidates) != 1 {
		t.Errorf("Given() = %v, %d missing, want log-probabilities in it and 1", got, selector.MissingLogProbs(candidates))
	}
	sources := sourcesOf(columnModel{scores: filled(4, 0), tau: 1})
	for _, name := range []string{"logprob", "tail-logprob", "vote:logprob", "vote:entropy+logprob"} {
		got := selectBy(t, mustParse(t, name), sources, candidates)
		if len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0], "1 of 4 candidates have no log-probabilities") {
			t.Errorf("%s: warnings %q, want one about 1 of 4 candidates", name, got.Warnings)
		}
		want, unit := -7.0/3, 1.0 // the mean of −1, −4 and −2
		if name == "vote:entropy+logprob" {
			unit = 10
		}
		if math.Abs(got.Scores[2]-want*unit) > 1e-9 {
			t.Errorf("%s: the score is %v, want the mean %v", name, got.Scores[2], want*unit)
		}
	}
	// alone in a subset it has nothing to be compared with, which is no error
	p := prepare(t, candidates, selector.Sources{}, selector.NeedLogProbs)
	if c := choose(t, "logprob", evidenceOf(t, p, []int{2})); c.Best != 0 || c.Scores[0] != 0 {
		t.Errorf("logprob of one candidate without any = %+v", c)
	}
}

func TestRandomIsSeeded(t *testing.T) {
	candidates := answers("1", "2", "3", "4", "5", "6", "7", "8")
	pick := func(seed uint64, question string) int {
		s, err := selector.New(mustParse(t, "random"), selector.Sources{}, selector.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Select(t.Context(), question, candidates)
		if err != nil {
			t.Fatal(err)
		}
		return got.Index
	}
	var seen []int
	for q := range 64 {
		question := fmt.Sprint("question ", q)
		a, b := pick(1, question), pick(1, question)
		if a != b {
			t.Fatalf("random chose %d, then %d, for one seed and question", a, b)
		}
		if !slices.Contains(seen, a) {
			seen = append(seen, a)
		}
	}
	if len(seen) < 6 {
		t.Errorf("random chose only %v in 64 questions", seen)
	}
}

// countingModel counts its calls.
type countingModel struct {
	linearModel
	calls *int
}

func (m countingModel) Infer(q rcvae.Embedding, s []rcvae.Solution, likelihoods bool) ([]rcvae.Inference, error) {
	*m.calls++
	return m.linearModel.Infer(q, s, likelihoods)
}

// Texts are embedded once, and each model is asked once, for any number of subsets.
func TestEverythingIsAskedOnce(t *testing.T) {
	embedder, calls := &hashEmbedder{}, new(int)
	sources := selector.Sources{Embedder: embedder, Models: []rcvae.Model{countingModel{newLinear(1, false), calls}, countingModel{newLinear(2, true), calls}}, Signals: ofSignals{}}
	p := prepare(t, answers("1", "2", ""), sources, everything)
	for _, subset := range [][]int{nil, {0}, {1, 2}} {
		e := evidenceOf(t, p, subset)
		for _, rule := range servableNames("vote:entropy", "ratio", "elbo") {
			if c := chooseBy(t, mustParse(t, rule), e); len(c.Scores) != e.Len() {
				t.Errorf("%s: %d scores for %d candidates", rule, len(c.Scores), e.Len())
			}
		}
	}
	if embedder.calls != 1 || *calls != 2 {
		t.Errorf("Embed was called %d times and Infer %d times, want 1 and 2", embedder.calls, *calls)
	}
}

func servableNames(names ...string) []string { return names }

func TestEnsembleIsTheMean(t *testing.T) {
	e := modelEvidence(t, answers("1", "2", "3"), columnModel{scores: []float64{0, 1, 5}, tau: .2}, columnModel{scores: []float64{4, 1, -1}, tau: .6})
	for _, tt := range []struct {
		name string
		e    *selector.Evidence
		want []float64
	}{{"both", e, []float64{2, 1, 2}}, {"first", e.Alone(0), []float64{0, 1, 5}}, {"second", e.Alone(1), []float64{4, 1, -1}}} {
		if got := choose(t, "entropy", tt.e).Scores; !slices.Equal(got, tt.want) {
			t.Errorf("%s: scores = %v, want %v", tt.name, got, tt.want)
		}
		if h, ok := tt.e.Entropy(2); !ok || h != -tt.want[2] {
			t.Errorf("%s: entropy %v, %v, want %v", tt.name, h, ok, -tt.want[2])
		}
	}
}

type failing struct{ hashEmbedder }

func (*failing) Embed(context.Context, []rcvae.Text) ([]rcvae.Embedding, error) {
	return nil, errors.New("down")
}

func TestEmbedderError(t *testing.T) {
	s, err := selector.New(mustParse(t, "consensus"), selector.Sources{Embedder: &failing{}}, selector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Select(t.Context(), "q", answers("1"))
	if want := "selector consensus: embed the question and 1 candidates: down"; err == nil || err.Error() != want {
		t.Errorf("Select() = %v, want %s", err, want)
	}
}
