package selector_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/selector"
)

func randomQuestion(rng *rand.Rand) ([]rcvae.Candidate, []float64) {
	n := 2 + rng.IntN(9)
	list, scores := make([]string, n), make([]float64, n)
	for i := range list {
		list[i] = []string{"", "a", "b", "c"}[rng.IntN(4)]
		scores[i] = float64(float32(4 * rng.NormFloat64())) // a columnModel keeps 32 bits
	}
	return answers(list...), scores
}

// With weights of 1 nothing changes; with weights of 0 a vote is a majority vote whose
// representative is the earliest, and a tie goes to the earlier candidate.
func TestDiscountAtItsEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 500 {
		candidates, scores := randomQuestion(rng)
		n := len(scores)
		like := modelEvidence(t, candidates, columnModel{scores, filled(n, 1), .5})
		unlike := modelEvidence(t, candidates, columnModel{scores, filled(n, 0), .5})
		voters := slices.ContainsFunc(candidates, rcvae.Candidate.Votes)
		for _, name := range []string{"vote:entropy", "tiebreak:entropy"} {
			if got := choose(t, name, like).Scores; !slices.Equal(got, scores) {
				t.Fatalf("%s among in-distribution candidates: scores %v, want %v", name, got, scores)
			}
			got, want := choose(t, name, unlike), choose(t, "majority", unlike)
			if voters && (got.Best != want.Best || !slices.Equal(got.Tied, want.Tied)) {
				t.Fatalf("%s among out-of-distribution candidates: best %d of %v, want %d of %v as majority", name, got.Best, got.Tied, want.Best, want.Tied)
			}
			if !voters && got.Best != choose(t, "entropy", like).Best {
				t.Fatalf("%s without answers: best %d, want the highest score", name, got.Best)
			}
		}
		if got := choose(t, "entropy", unlike); !slices.Equal(got.Scores, scores) {
			t.Fatalf("entropy among out-of-distribution candidates: scores %v, want the raw %v: a pick has nothing to fall back on", got.Scores, scores)
		}
	}
}

// s̄ + w·(s − s̄), with s̄ the mean of those that vote and w the mean over the models; raw
// values stay beside it.
func TestDiscountedScores(t *testing.T) {
	scores := []float64{6, 2, 1, 1000}
	e := modelEvidence(t, answers("a", "b", "b", ""),
		columnModel{scores, []float64{1, 1, 0, .8}, .5}, columnModel{scores, []float64{0, 1, 0, 1}, .5})
	column, err := e.Column(t.Context(), mustParse(t, "entropy").Score)
	if err != nil {
		t.Fatal(err)
	}
	const mean = 3.0
	want := []float64{mean + .5*(6-mean), 2, mean, mean + .9*(1000-mean)}
	for i, w := range want {
		if math.Abs(column.Scores[i]-w) > 1e-9 || column.Raw[i] != scores[i] {
			t.Errorf("candidate %d: score %v, raw %v, want %v, %v", i, column.Scores[i], column.Raw[i], w, scores[i])
		}
	}
	c := choose(t, "vote:entropy", e)
	// exp(.5·4.5) for a against exp(.5·2) + exp(.5·3) for b
	if a, b := math.Exp(2.25), math.Exp(1)+math.Exp(1.5); a < b || c.Best != 0 || math.Abs(c.Weights[1]/c.Weights[0]-b/a) > 1e-9 {
		t.Errorf("best is %d, weights %v; want them in the ratio %v to %v", c.Best, c.Weights, a, b)
	}
}

// The discount is of the model alone: log-probabilities still tell out-of-distribution
// candidates apart.
func TestDiscountLeavesLogProbabilities(t *testing.T) {
	candidates := answers("a", "b")
	for i, sum := range []float64{-1, -.01} {
		candidates[i].LogProb, candidates[i].Tokens = &rcvae.LogProb{Sum: sum}, 1
	}
	sources := sourcesOf(columnModel{[]float64{1, 0}, []float64{0, 0}, .5})
	for _, name := range []string{"vote:logprob", "vote:entropy+logprob", "tiebreak:entropy+logprob"} {
		if got := selectBy(t, mustParse(t, name), sources, candidates).Index; got != 1 {
			t.Errorf("%s chooses candidate %d, want that of the higher log-probability", name, got+1)
		}
	}
	rule := mustParse(t, "vote:entropy+logprob")
	e := evidenceOf(t, prepare(t, candidates, sources, rule.Needs()), nil)
	c := chooseBy(t, rule, e)
	for i, logProb := range []float64{-1, -.01} {
		if want := .8*.5 + 10*logProb; math.Abs(c.Scores[i]-want) > 1e-6 { // .5 is the mean entropy score
			t.Errorf("score %d is %v, want the discounted entropy and the whole log-probability, %v", i, c.Scores[i], want)
		}
	}
	pick := choose(t, "entropy+logprob", e)
	for i, want := range []float64{.8*1 - 10, -.1} {
		if math.Abs(pick.Scores[i]-want) > 1e-6 {
			t.Errorf("a pick's score %d is %v, want the raw sum %v", i, pick.Scores[i], want)
		}
	}
}

// An out-of-distribution text does not represent a class before one that the model
// knows, although its discounted score is the mean.
func TestKnownCandidatesRepresent(t *testing.T) {
	scores, weights := []float64{-20, -10, 0}, []float64{0, 1, 1}
	e := modelEvidence(t, answers("a", "a", "b"), columnModel{scores, weights, .01})
	for _, name := range []string{"vote:entropy", "tiebreak:entropy"} {
		if got := choose(t, name, e).Best; got != 1 {
			t.Errorf("%s returns candidate %d for the class, want 2, which the model knows", name, got+1)
		}
	}
	// a tie of two classes: the known class wins although it is below the mean
	e = modelEvidence(t, answers("a", "b", ""), columnModel{[]float64{9, -9, 0}, []float64{0, 1, 1}, .5})
	if got := choose(t, "tiebreak:entropy", e).Best; got != 1 {
		t.Errorf("the tie is broken for candidate %d, want 2, which the model knows", got+1)
	}
}

// Entropies for metrics are the posteriors' own, whatever became of the scores.
func TestEntropiesAreRaw(t *testing.T) {
	model := columnModel{[]float64{10, 2}, []float64{0, 0}, .5}
	got := selectBy(t, mustParse(t, "vote:entropy"), sourcesOf(model), answers("a", "b"))
	if want := []float64{-10, -2}; !slices.Equal(got.Entropies, want) || !slices.Equal(got.Scores, []float64{6, 6}) {
		t.Errorf("entropies %v, scores %v, want %v, and 6 twice", got.Entropies, got.Scores, want)
	}
	if got := selectBy(t, mustParse(t, "majority"), sourcesOf(model), answers("a", "b")); got.Entropies != nil {
		t.Errorf("majority gives entropies %v, want none", got.Entropies)
	}
}

// What reasons claim of the scores is true of the raw scores.
func TestReasonsAreTrue(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	claims := 0
	for range 2000 {
		candidates, scores := randomQuestion(rng)
		weights := make([]float64, len(scores))
		for i := range weights {
			weights[i] = []float64{0, 0, .3, .7, 1, 1}[rng.IntN(6)]
		}
		for _, name := range []string{"entropy", "vote:entropy", "tiebreak:entropy"} {
			got := selectBy(t, mustParse(t, name), sourcesOf(columnModel{scores, weights, .5}), candidates)
			among := func(i int) bool { return true }
			switch {
			case strings.Contains(got.Reason, "inside that class"):
				among = func(i int) bool { return candidates[i].Answer == candidates[got.Index].Answer }
			case strings.Contains(got.Reason, "a tie broken by"):
				among = func(i int) bool { return got.Class[i] >= 0 && got.Weights[got.Class[i]] == slices.Max(got.Weights) }
			}
			best := true
			for i, s := range scores {
				best = best && (!among(i) || s <= scores[got.Index])
			}
			claimed := strings.Contains(got.Reason, "lowest posterior entropy")
			if claimed && !best {
				t.Fatalf("%s: %q, but scores are %v", name, got.Reason, scores)
			}
			if claimed && best {
				claims++
			}
			if !claimed && !strings.Contains(got.Reason, "discounted") && !strings.Contains(got.Reason, "a tie of") {
				t.Fatalf("%s: %q says neither what is best nor why it is not", name, got.Reason)
			}
		}
	}
	if claims < 1000 {
		t.Errorf("only %d reasons claim the best score", claims)
	}
}

func TestDiscountInReasons(t *testing.T) {
	for _, tt := range []struct {
		name, rule string
		answers    []string
		scores     []float64
		weights    []float64
		reason     string
	}{
		{"not the best inside the class", "vote:entropy", []string{"a", "b", "b"}, []float64{9, 0, 5}, filled(3, 0),
			"2 of 3 votes for b; candidate 2: the first choice inside that class after scores were discounted for out-of-distribution texts"},
		{"a tie that stays", "tiebreak:entropy", []string{"a", "b"}, []float64{1, 2}, filled(2, 0),
			"1 of 2 votes for a, a tie of 2 answers; the earliest was taken; candidate 1: lowest posterior entropy inside that class"},
		{"a tie broken for the known text", "tiebreak:entropy", []string{"a", "b"}, []float64{9, -9}, []float64{0, 1},
			"1 of 2 votes for b, a tie broken by scores that were discounted for out-of-distribution texts"},
		{"a tie broken by the score after all", "tiebreak:entropy", []string{"a", "b"}, []float64{9, -9}, []float64{.9, 1},
			"1 of 2 votes for a, a tie broken by the lowest posterior entropy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := selectBy(t, mustParse(t, tt.rule), sourcesOf(columnModel{tt.scores, tt.weights, .5}), answers(tt.answers...))
			if got.Reason != tt.reason {
				t.Errorf("reason %q, want %q", got.Reason, tt.reason)
			}
		})
	}
}

func TestUnlikeCandidatesAreTold(t *testing.T) {
	candidates := answers("a", "b", "b")
	for _, c := range candidates {
		c.LogProb, c.Tokens = &rcvae.LogProb{}, 1
	}
	for _, tt := range []struct {
		rule    string
		weights []float64
		want    string
	}{
		{"vote:entropy", []float64{1, .2, .1}, ""},
		{"vote:entropy", []float64{1, 0, .1}, ""},
		{"vote:entropy", []float64{0, .2, 0}, "2 of 3 candidates are unlike"},
		{"vote:entropy", filled(3, 0), "as in vote:signals"},
		{"tiebreak:entropy", filled(3, 0), "does not count"},
		{"entropy", filled(3, 0), "may mislead"},
		{"majority", filled(3, 0), ""},
	} {
		got := selectBy(t, mustParse(t, tt.rule), sourcesOf(columnModel{[]float64{1, 2, 3}, tt.weights, .5}), candidates)
		if w := strings.Join(got.Warnings, "\n"); tt.want == "" && w != "" || !strings.Contains(w, tt.want) {
			t.Errorf("%s, weights %v: warnings %q, want %q", tt.rule, tt.weights, w, tt.want)
		}
	}
}

func TestBadWeightIsAnError(t *testing.T) {
	for _, w := range [][]float64{{1, 2}, {1, math.NaN()}, {1, -1}} {
		_, err := selector.Prepare(t.Context(), "q", answers("a", "b"), sourcesOf(columnModel{[]float64{1, 2}, w, 1}), modelAndAnswers)
		if err == nil || !strings.Contains(err.Error(), "model 1: the in-distribution weight of candidate 2") {
			t.Errorf("weights %v: %v, want an error that names model and candidate", w, err)
		}
	}
}

// Among out-of-distribution texts a vote by a model weighs as vote:arithmetic does, at
// any τ above 0.
func TestArithmeticStandsInForTheModel(t *testing.T) {
	candidates := answers("a", "b", "b", "c")
	candidates[1].Text, candidates[2].Text, candidates[3].Text = "2 + 2 = 5, so b", "so b", "3 + 4 = 8 and 1 + 1 = 3, so c"
	for _, tau := range []float64{.25, 1, 2} {
		e := modelEvidence(t, candidates, columnModel{[]float64{4, 3, 2, 1}, filled(4, 0), tau})
		got, want := choose(t, "vote:entropy", e).Weights, choose(t, "vote:arithmetic", evidenceOf(t, prepare(t, candidates, selector.Sources{}, mustParse(t, "vote:arithmetic").Needs()), nil)).Weights
		for k := range want {
			if math.Abs(got[k]/got[0]-want[k]/want[0]) > 1e-9 {
				t.Errorf("τ %v: weights %v, want the ratios of %v", tau, got, want)
			}
		}
	}
}
