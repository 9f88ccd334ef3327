package selector_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/selector"
)

func TestChoose(t *testing.T) {
	abbc := answers("a", "b", "b", "c")
	tests := []struct {
		name, rule string
		candidates []rcvae.Candidate
		scores     []float64
		tau        float64
		subset     []int // Best and Tied are positions in it
		best       int
		tied       []int
	}{
		{"lowest entropy", "entropy", abbc, []float64{1, 2, 4, 3}, .5, nil, 2, []int{2}},
		{"exact ties", "entropy", abbc, []float64{4, 2, 4, 3}, .5, nil, 0, []int{0, 2}},
		{"subset", "entropy", abbc, []float64{1, 2, 4, 3}, .5, []int{0, 1, 3}, 2, []int{2}},
		{"majority", "majority", abbc, []float64{0, 0, 0, 0}, .5, nil, 1, []int{1}},
		{"majority ties", "majority", answers("", "a", "b", "b", "a"), []float64{0, 0, 0, 0, 0}, .5, nil, 1, []int{1, 2}},
		{"majority of a subset", "majority", abbc, []float64{0, 0, 0, 0}, .5, []int{2, 3}, 0, []int{0, 1}},
		{"majority without answers", "majority", answers("", ""), []float64{0, 1}, .5, nil, 0, nil},
		{"small tau follows the majority", "vote:entropy", abbc, []float64{0, 1, 2, 3}, .01, nil, 2, []int{2}},
		{"large tau follows the score", "vote:entropy", abbc, []float64{0, 1, 2, 3}, 10, nil, 3, []int{3}},
		{"tau 0 is a majority vote", "vote:entropy", answers("a", "b", "b"), []float64{9, 0, 0}, 0, nil, 1, []int{1}},
		{"equal weights", "vote:entropy", answers("a", "b", "b", "a"), []float64{1, 2, 1, 2}, 1, nil, 1, []int{1, 3}},
		{"non-voters have no weight", "vote:entropy", answers("", "a", "b"), []float64{1e6, 0, 1}, 1, nil, 2, []int{2}},
		{"vote without answers", "vote:entropy", answers("", "", ""), []float64{0, 2, 1}, 1, nil, 1, []int{1}},
		{"tie broken", "tiebreak:entropy", answers("a", "b", "b", "a", "c"), []float64{1, 2, 1, 3, 9}, 1, nil, 3, []int{3}},
		{"no tie to break", "tiebreak:entropy", abbc, []float64{9, 1, 2, 8}, 1, nil, 2, []int{2}},
		{"tie-break without answers", "tiebreak:entropy", answers("", ""), []float64{0, 2}, 1, nil, 1, []int{1}},
		{"first", "first", abbc, []float64{0, 0, 0, 0}, 1, []int{1, 3}, 0, []int{0}},
		{"random ties all", "random", abbc, []float64{0, 0, 0, 0}, 1, []int{1, 3}, 0, []int{0, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := prepare(t, tt.candidates, sourcesOf(columnModel{scores: tt.scores, tau: tt.tau}), modelAndAnswers)
			c := choose(t, tt.rule, evidenceOf(t, p, tt.subset))
			if c.Best != tt.best || !slices.Equal(c.Tied, tt.tied) {
				t.Errorf("Choose() = best %d, tied %v, want best %d, tied %v", c.Best, c.Tied, tt.best, tt.tied)
			}
		})
	}
}

// The vote's threshold between "more votes" and "better score" is where the formula
// puts it: exp(τ·Δ) = 2 for two votes against one.
func TestVoteThreshold(t *testing.T) {
	const tau = 0.5
	for _, delta := range []float64{-0.01, 0.01} {
		s := math.Log(2)/tau + delta
		c := choose(t, "vote:entropy", modelEvidence(t, answers("a", "b", "b"), columnModel{scores: []float64{s, 0, 0}, tau: tau}))
		want := 1
		if delta > 0 {
			want = 0
		}
		if c.Best != want {
			t.Errorf("Δ = ln 2/τ %+v: Choose() = %d, want %d", delta, c.Best, want)
		}
	}
}

// Zero is a τ, wherever it comes from, and an option beats the rule's, the score's and
// the models'.
func TestTau(t *testing.T) {
	candidates := answers("a", "b", "b")
	model := func(tau float64) rcvae.Model { return columnModel{scores: []float64{3, 0, 0}, tau: tau} } // exp(1.5) > 2
	entropy := mustParse(t, "entropy").Score
	lowered := entropy
	lowered.Tau = new(0.1)
	tests := []struct {
		name   string
		rule   selector.Rule
		option *float64
		models []rcvae.Model
		best   int
	}{
		{"the model's", selector.Rule{Score: entropy, Aggregate: selector.Vote}, nil, []rcvae.Model{model(.5)}, 0},
		{"a model's zero", selector.Rule{Score: entropy, Aggregate: selector.Vote}, nil, []rcvae.Model{model(0)}, 1},
		{"the models' mean", selector.Rule{Score: entropy, Aggregate: selector.Vote}, nil, []rcvae.Model{model(.2), model(.2), model(.2)}, 1},
		{"the score's", selector.Rule{Score: lowered, Aggregate: selector.Vote}, nil, []rcvae.Model{model(.5)}, 1},
		{"the rule's", selector.Rule{Score: lowered, Aggregate: selector.Vote, Tau: new(.5)}, nil, []rcvae.Model{model(0)}, 0},
		{"an option", selector.Rule{Score: lowered, Aggregate: selector.Vote}, new(.5), []rcvae.Model{model(0)}, 0},
		{"an option of zero", selector.Rule{Score: entropy, Aggregate: selector.Vote}, new(0.0), []rcvae.Model{model(.5)}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := selector.New(tt.rule, sourcesOf(tt.models...), selector.Options{Tau: tt.option})
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Select(t.Context(), "q", candidates)
			if err != nil || (got.Index == 0) != (tt.best == 0) {
				t.Errorf("Select() = %d, %v, want %d", got.Index, err, tt.best)
			}
		})
	}
	rule := selector.Rule{Score: selector.Score{Name: "n", Values: entropy.Values}, Aggregate: selector.Vote}
	if _, err := rule.Choose(t.Context(), evidenceOf(t, prepare(t, candidates, selector.Sources{}, selector.NeedAnswers), nil)); err == nil {
		t.Error("a vote with no τ anywhere is no error")
	}
}

func TestCutCandidateDoesNotVote(t *testing.T) {
	candidates := answers("7", "8", "8")
	for i := 1; i < 3; i++ {
		candidates[i].Finish, candidates[i].AnswerFrom = "length", "number"
	}
	if got := selectBy(t, mustParse(t, "majority"), selector.Sources{}, candidates).Index; got != 0 {
		t.Errorf("majority = %d, want 0: the others were cut before their answer", got)
	}
}

// A choice shows what a server needs to stop drawing, and weights sum over classes.
func TestWeightsMarginAndStop(t *testing.T) {
	e := modelEvidence(t, answers("b", "a", "a", "", "a", "b"), columnModel{scores: []float64{0, 2, 0, 5, 1, 0}, tau: 1})
	for _, tt := range []struct {
		rule            string
		weights         []float64
		representatives []int
		decidedAt       int // most candidates to come; −1: never decided
	}{
		{"majority", []float64{2, 3}, []int{0, 1}, 0},
		{"tiebreak:entropy", []float64{2, 3}, []int{0, 1}, 0},
		{"vote:entropy", []float64{2 * math.Exp(-2), 1 + math.Exp(-2) + math.Exp(-1)}, []int{0, 1}, -1},
		{"entropy", nil, nil, -1},
	} {
		c := choose(t, tt.rule, e)
		if len(c.Weights) != len(tt.weights) || !slices.Equal(c.Representatives, tt.representatives) {
			t.Fatalf("%s: weights %v, representatives %v, want %v, %v", tt.rule, c.Weights, c.Representatives, tt.weights, tt.representatives)
		}
		var sum float64
		for k, w := range tt.weights {
			sum += w
			if math.Abs(c.Weights[k]-w) > 1e-12 {
				t.Errorf("%s: weights %v, want %v", tt.rule, c.Weights, tt.weights)
			}
		}
		if sum > 0 {
			if want := (tt.weights[1] - tt.weights[0]) / sum; math.Abs(c.Margin()-want) > 1e-12 {
				t.Errorf("%s: margin %v, want %v", tt.rule, c.Margin(), want)
			}
			if want := tt.weights[1] / sum; math.Abs(selector.Share(c.Weights)-want) > 1e-12 {
				t.Errorf("%s: share %v, want %v", tt.rule, selector.Share(c.Weights), want)
			}
		} else if c.Margin() != 0 {
			t.Errorf("%s: margin %v, want 0", tt.rule, c.Margin())
		}
		for left := range 3 {
			if got, want := mustParse(t, tt.rule).Decided(c.Weights, left), left <= tt.decidedAt; got != want {
				t.Errorf("%s: Decided(%d) = %v, want %v", tt.rule, left, got, want)
			}
		}
	}
}

// Whatever the candidates to come answer, a decided vote keeps its answer; and where it
// is not decided some answers change it or tie it.
func TestDecidedIsExact(t *testing.T) {
	majority := mustParse(t, "majority")
	for a := 1; a < 5; a++ {
		for b := range a + 1 {
			for left := range 5 {
				changed := b+left >= a || left >= a // all for the rival, or for a new answer
				if got := majority.Decided([]float64{float64(b), float64(a)}, left); got == changed {
					t.Errorf("%d against %d with %d to come: decided %v", a, b, left, got)
				}
			}
		}
	}
}

// lastDigit calls answers with the same last byte equivalent, and counts its calls.
type lastDigit struct{ calls *int }

func (lastDigit) Answer(s string) (string, bool) { return s, s != "" }
func (l lastDigit) Equivalent(gold, answer string) bool {
	*l.calls++
	return gold[len(gold)-1] == answer[len(answer)-1]
}

// charClasses puts letters into one class and digits into another, and cannot read what begins with "?".
type charClasses struct{ lastDigit }

func (charClasses) Classes(answers []string) (class []int, count int) {
	class = make([]int, len(answers))
	for i, a := range answers {
		if class[i] = int(a[0]) / 'a'; a[0] == '?' {
			class[i] = -1
		}
	}
	return class, 2
}

func TestClassesFollowGrader(t *testing.T) {
	pairs, groups := lastDigit{new(int)}, charClasses{lastDigit{new(int)}}
	for _, tt := range []struct {
		name    string
		grader  rcvae.Grader
		answers []string
		subset  []int
		want    []int
	}{
		{"pairs", pairs, []string{"5", "1", "21", "", "1"}, nil, []int{0, 1, 1, -1, 1}},
		{"a subset is numbered anew", pairs, []string{"5", "1", "21", "", "1"}, []int{4, 0}, []int{0, 1}},
		{"a grader that groups", groups, []string{"b", "?", "5", "", "a", "4", "?"}, nil, []int{0, 1, 2, -1, 0, 2, 1}},
		{"answers that nobody reads are different", groups, []string{"?", "?!", "?"}, nil, []int{0, 1, 0}},
		{"equal strings", nil, []string{"5", "05", "5"}, nil, []int{0, 1, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := evidenceOf(t, prepare(t, answers(tt.answers...), selector.Sources{Grader: tt.grader}, selector.NeedAnswers), tt.subset)
			var got []int
			for i := range e.Len() {
				got = append(got, e.Class(i))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("classes = %v, want %v", got, tt.want)
			}
		})
	}
	if *groups.calls != 0 {
		t.Errorf("a grader that groups was asked about %d pairs", *groups.calls)
	}
}

// Rules that do not vote do not compare answers, which can be slow.
func TestGraderIsAskedByVotesOnly(t *testing.T) {
	candidates := answers("1", "2", "3")
	for _, name := range []string{"entropy", "first", "random", "consensus", "longest"} {
		sources := sourcesOf(columnModel{scores: []float64{0, 0, 0}})
		calls := new(int)
		sources.Grader = lastDigit{calls}
		selectBy(t, mustParse(t, name), sources, candidates)
		if *calls != 0 {
			t.Errorf("%s: the grader was asked %d times, want never", name, *calls)
		}
		selectBy(t, mustParse(t, "majority"), sources, candidates)
		if *calls == 0 {
			t.Error("majority: the grader was never asked")
		}
	}
}

func TestOracleSeesVerdicts(t *testing.T) {
	candidates := answers("a", "b", "c")
	candidates[0].Verdict, candidates[1].Verdict, candidates[2].Verdict = rcvae.Incorrect, rcvae.Correct, rcvae.Correct
	c := choose(t, "oracle", evidenceOf(t, prepare(t, candidates, selector.Sources{}, selector.NeedVerdicts), nil))
	if want := []int{1, 2}; c.Best != 1 || !slices.Equal(c.Tied, want) {
		t.Errorf("oracle = %d, tied %v, want 1, tied %v", c.Best, c.Tied, want)
	}
	e := evidenceOf(t, prepare(t, candidates, selector.Sources{}, 0), nil)
	if _, err := mustParse(t, "oracle").Choose(t.Context(), e); err == nil {
		t.Error("oracle chooses from evidence without verdicts")
	}
	if e.Candidates()[1].Verdict != rcvae.Ungraded || candidates[1].Verdict != rcvae.Correct {
		t.Error("evidence shows a verdict that nobody needs, or the caller's candidates were changed")
	}
}

func TestPrepareErrors(t *testing.T) {
	all := selector.NeedEmbeddings | selector.NeedModel
	unclassed := newLinear(1, false)
	unclassed.info.Classes = false
	unscaled := newLinear(1, false)
	unscaled.info.Calibration.Scale = 0
	tests := []struct {
		name    string
		sources selector.Sources
		need    selector.Needs
		want    string
	}{
		{"no model", sourcesOf(), all, "a trained model is needed"},
		{"no embedder", selector.Sources{}, selector.NeedEmbeddings, "an embedder is needed"},
		{"no classes", sourcesOf(unclassed), all | selector.NeedClasses, `a model trained with the objective "ratio" is needed`},
		{"no scale", sourcesOf(unscaled), all, "model 1: its calibration has scale 0"},
		{"no log-probabilities", selector.Sources{}, selector.NeedLogProbs, "use a pool or an upstream that gives them, or another rule"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := selector.Prepare(t.Context(), "q", answers("a", "b"), tt.sources, tt.need)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Prepare() = %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := selector.Prepare(t.Context(), "q", nil, selector.Sources{}, 0); !errors.Is(err, rcvae.ErrNoCandidates) {
		t.Errorf("Prepare() of nothing = %v, want ErrNoCandidates", err)
	}
	p := prepare(t, answers("a", "b"), selector.Sources{}, 0)
	if _, err := p.Evidence([]int{}); !errors.Is(err, rcvae.ErrNoCandidates) {
		t.Errorf("Evidence() of nothing = %v, want ErrNoCandidates", err)
	}
	for _, i := range []int{-1, 2} {
		if _, err := p.Evidence([]int{i}); err == nil {
			t.Errorf("Evidence([%d]) of two candidates is no error", i)
		}
	}
}

// encoded makes a question of given embeddings, the first of which is the question's.
func encoded(candidates []rcvae.Candidate, embeddings ...rcvae.Embedding) rcvae.Encoded {
	e := rcvae.Encoded{Question: rcvae.Question{Candidates: candidates}, Embedding: embeddings[0]}
	for _, r := range embeddings[1:] {
		e.Solutions = append(e.Solutions, rcvae.Solution{Embedding: r})
	}
	return e
}

// Vectors that are not of unit length, NaN among them, are errors and neither panics
// nor scores.
func TestBadEmbeddingsAreErrors(t *testing.T) {
	one, long, nan := rcvae.Embedding{1, 0}, rcvae.Embedding{7, 1}, rcvae.Embedding{float32(math.NaN()), 1}
	for _, tt := range []struct {
		name       string
		embeddings []rcvae.Embedding
		want       string
	}{
		{"long", []rcvae.Embedding{one, one, long}, "embedding of candidate 2 has length 7.071"},
		{"NaN", []rcvae.Embedding{one, nan, one}, "embedding of candidate 1 has length NaN"},
		{"the question", []rcvae.Embedding{long, one, one}, "embedding of the question has length 7.071"},
		{"two dimensions", []rcvae.Embedding{one, one, {1}}, "embedding of candidate 2 has dimension 1, that of the question 2"},
		{"too few", []rcvae.Embedding{one, one}, "1 embeddings for 2 candidates"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := selector.PrepareEncoded(t.Context(), encoded(answers("a", "b"), tt.embeddings...), selector.Sources{}, mustParse(t, "vote:consensus").Needs())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("PrepareEncoded() = %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := selector.PrepareEncoded(t.Context(), encoded(answers("a", "b"), nil), selector.Sources{}, selector.NeedAnswers); err != nil {
		t.Errorf("PrepareEncoded() without embeddings that nobody needs = %v", err)
	}
}

// A score that is not finite is an error naming the rule and the candidate, whoever
// made the score.
func TestScoresAreFinite(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		e := modelEvidence(t, answers("a", "b"), columnModel{scores: []float64{0, bad}, tau: 1})
		for _, rule := range []string{"entropy", "vote:entropy", "tiebreak:entropy"} {
			_, err := mustParse(t, rule).Choose(t.Context(), e)
			if err == nil || !strings.Contains(err.Error(), "selector "+rule+": ") || !strings.Contains(err.Error(), "candidate 2") {
				t.Errorf("%s with a score of %v: Choose() = %v, want an error that names both", rule, bad, err)
			}
		}
		mine := selector.Score{Name: "mine", Tau: new(1.0), Values: func(context.Context, *selector.Evidence) ([]float64, error) { return []float64{bad, 0}, nil }}
		if _, err := (selector.Rule{Score: mine, Aggregate: selector.Vote}).Choose(t.Context(), e); err == nil || !strings.Contains(err.Error(), "vote:mine: score mine of candidate 1") {
			t.Errorf("own score %v: Choose() = %v, want an error that names both", bad, err)
		}
	}
}

// Scores at the end of the range of numbers are no reason for NaN: they count, or they
// are an error.
func TestHugeScores(t *testing.T) {
	huge := selector.Score{Name: "huge", Tau: new(0.0), Values: func(context.Context, *selector.Evidence) ([]float64, error) {
		return []float64{-math.MaxFloat64, math.MaxFloat64, math.MaxFloat64}, nil
	}}
	e := modelEvidence(t, answers("a", "b", "b"), columnModel{filled(3, 0), filled(3, .5), 1})
	if c := chooseBy(t, selector.Rule{Score: huge, Aggregate: selector.Vote}, e); !slices.Equal(c.Weights, []float64{1, 2}) {
		t.Errorf("weights %v at τ = 0, want 1 and 2", c.Weights)
	}
	huge.Needs = selector.NeedModel // discounted, which overflows
	if c, err := (selector.Rule{Score: huge, Aggregate: selector.Vote}).Choose(t.Context(), e); err == nil {
		t.Errorf("discounted scores of %v are no error", c.Scores)
	}
}

// Two answers whose votes weigh the same tie, in whatever order the weights are added.
func TestWeightsInAnotherOrderTie(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		x, y, z := rng.Float64(), rng.Float64(), rng.Float64()
		e := modelEvidence(t, answers("a", "b", "a", "b", "a", "b"), columnModel{scores: []float64{x, z, y, y, z, x}, tau: 1})
		if c := choose(t, "vote:entropy", e); len(c.Tied) != 2 {
			t.Fatalf("scores %v, %v, %v: weights %v do not tie", x, y, z, c.Weights)
		}
	}
}

func TestBadRules(t *testing.T) {
	e := modelEvidence(t, answers("a", "b"), columnModel{scores: []float64{0, 1}, tau: 1})
	short := selector.Score{Name: "short", Values: func(context.Context, *selector.Evidence) ([]float64, error) { return nil, nil }}
	failing := selector.Score{Name: "failing", Values: func(context.Context, *selector.Evidence) ([]float64, error) { return nil, errors.New("down") }}
	for _, tt := range []struct {
		rule selector.Rule
		want string
	}{
		{selector.Rule{}, "a score without a name"},
		{selector.Rule{Score: selector.Score{Name: "empty"}}, "score empty has neither a function of its values nor terms"},
		{selector.Rule{Score: short}, "score short has 0 values for 2 candidates"},
		{selector.Rule{Score: failing}, "selector failing: score failing: down"},
		{selector.Rule{Aggregate: selector.Majority, Tau: new(math.NaN())}, "τ is NaN"},
		{selector.Rule{Aggregate: selector.Majority, Tau: new(-1.0)}, "τ is -1"},
		{selector.Rule{Aggregate: 17}, "17 is no aggregate"},
		{mustParse(t, "logprob"), "needs log-probabilities, the evidence was prepared for embeddings, model, signals, answers"},
	} {
		if _, err := tt.rule.Choose(t.Context(), e); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Choose() = %v, want %q", err, tt.want)
		}
	}
}
