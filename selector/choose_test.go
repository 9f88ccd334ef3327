package selector_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"rcvae"
	"rcvae/selector"
)

func evidence(t testing.TB, candidates []rcvae.Candidate, scores []float64, tau float64) *selector.Evidence {
	t.Helper()
	src := selector.Sources{Embedder: &hashEmbedder{}, Models: []rcvae.Model{columnModel{scores, tau}}}
	e, err := selector.Gather(t.Context(), "q", candidates, src, selector.NeedEmbeddings|selector.NeedModel|selector.NeedAnswers)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mustParse(t testing.TB, name string) selector.Rule {
	t.Helper()
	r, err := selector.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestChoose(t *testing.T) {
	abbc := answers("a", "b", "b", "c")
	tests := []struct {
		name, rule string
		candidates []rcvae.Candidate
		scores     []float64
		tau        float64
		subset     []int
		best       int
		tied       []int
	}{
		{"lowest entropy", "entropy", abbc, []float64{1, 2, 4, 3}, .5, nil, 2, []int{2}},
		{"exact ties", "entropy", abbc, []float64{4, 2, 4, 3}, .5, nil, 0, []int{0, 2}},
		{"subset", "entropy", abbc, []float64{1, 2, 4, 3}, .5, []int{0, 1, 3}, 3, []int{3}},
		{"majority", "majority", abbc, []float64{0, 0, 0, 0}, .5, nil, 1, []int{1}},
		{"majority ties", "majority", answers("", "a", "b", "b", "a"), []float64{0, 0, 0, 0, 0}, .5, nil, 1, []int{1, 2}},
		{"majority of a subset", "majority", abbc, []float64{0, 0, 0, 0}, .5, []int{2, 3}, 2, []int{2, 3}},
		{"majority without answers", "majority", answers("", ""), []float64{0, 1}, .5, nil, 0, nil},
		{"small tau follows the majority", "vote:entropy", abbc, []float64{0, 1, 2, 3}, .01, nil, 2, []int{2}},
		{"large tau follows the score", "vote:entropy", abbc, []float64{0, 1, 2, 3}, 10, nil, 3, []int{3}},
		{"equal weights", "vote:entropy", answers("a", "b", "b", "a"), []float64{1, 2, 1, 2}, 1, nil, 1, []int{1, 3}},
		{"non-voters have no weight", "vote:entropy", answers("", "a", "b"), []float64{1e6, 0, 1}, 1, nil, 2, []int{2}},
		{"vote without answers", "vote:entropy", answers("", "", ""), []float64{0, 2, 1}, 1, nil, 1, []int{1}},
		{"tie broken", "tiebreak:entropy", answers("a", "b", "b", "a", "c"), []float64{1, 2, 1, 3, 9}, 1, nil, 3, []int{3}},
		{"no tie to break", "tiebreak:entropy", abbc, []float64{9, 1, 2, 8}, 1, nil, 2, []int{2}},
		{"tie-break without answers", "tiebreak:entropy", answers("", ""), []float64{0, 2}, 1, nil, 1, []int{1}},
		{"first", "first", abbc, []float64{0, 0, 0, 0}, 1, []int{1, 3}, 1, []int{1}},
		{"random ties all", "random", abbc, []float64{0, 0, 0, 0}, 1, []int{1, 3}, 1, []int{1, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := mustParse(t, tt.rule).Choose(evidence(t, tt.candidates, tt.scores, tt.tau), tt.subset)
			if c.Best != tt.best || !slices.Equal(c.Tied, tt.tied) {
				t.Errorf("Choose() = best %d, tied %v, want best %d, tied %v", c.Best, c.Tied, tt.best, tt.tied)
			}
		})
	}
}

// The vote's threshold between "more votes" and "better score" is where the
// formula of METHOD.md puts it: exp(τ·Δ) = 2 for two votes against one.
func TestVoteThreshold(t *testing.T) {
	const tau = 0.5
	for _, delta := range []float64{-0.01, 0.01} {
		s := math.Log(2)/tau + delta
		c := mustParse(t, "vote:entropy").Choose(evidence(t, answers("a", "b", "b"), []float64{s, 0, 0}, tau), nil)
		want := 1
		if delta > 0 {
			want = 0
		}
		if c.Best != want {
			t.Errorf("Δ = ln 2/τ %+v: Choose() = %d, want %d", delta, c.Best, want)
		}
	}
	e := evidence(t, answers("a", "b", "b"), []float64{3, 0, 0}, tau) // exp(1.5) > 2
	if got := mustParse(t, "vote:entropy").WithTau(0.1).Choose(e, nil).Best; got != 1 {
		t.Errorf("WithTau(0.1).Choose() = %d, want 1", got)
	}
}

func TestCutCandidateDoesNotVote(t *testing.T) {
	candidates := answers("7", "8", "8")
	for i := 1; i < 3; i++ {
		candidates[i].Finish, candidates[i].AnswerFrom = "length", "number"
	}
	c := mustParse(t, "majority").Choose(evidence(t, candidates, make([]float64, 3), 1), nil)
	if c.Best != 0 {
		t.Errorf("majority = %d, want 0: the others were cut before their answer", c.Best)
	}
}

// lastDigit calls answers with the same last byte equivalent.
type lastDigit struct{}

func (lastDigit) Answer(s string) (string, bool) { return s, s != "" }
func (lastDigit) Equivalent(gold, answer string) bool {
	return gold[len(gold)-1] == answer[len(answer)-1]
}

func TestClassesFollowGrader(t *testing.T) {
	e, err := selector.Gather(t.Context(), "q", answers("5", "1", "21", "", "1"), selector.Sources{Grader: lastDigit{}}, selector.NeedAnswers)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for i := range e.Len() {
		got = append(got, e.Class(i))
	}
	if want := []int{0, 1, 1, -1, 1}; !slices.Equal(got, want) {
		t.Errorf("classes = %v, want %v", got, want)
	}
}

// charClasses puts letters into one class and digits into another, and cannot read "?".
type charClasses struct{ lastDigit }

func (charClasses) Classes(answers []string) (class []int, count int) {
	class = make([]int, len(answers))
	for i, a := range answers {
		if class[i] = int(a[0]) / 'a'; a == "?" {
			class[i] = -1
		}
	}
	return class, 2
}

// A grader that groups answers itself is asked once, and its order does not matter.
func TestClassesOfClassifier(t *testing.T) {
	e, err := selector.Gather(t.Context(), "q", answers("b", "?", "5", "", "a", "4", "?"), selector.Sources{Grader: charClasses{}}, selector.NeedAnswers)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for i := range e.Len() {
		got = append(got, e.Class(i))
	}
	if want := []int{0, 1, 2, -1, 0, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("classes = %v, want %v", got, want)
	}
}

func TestOracleSeesVerdicts(t *testing.T) {
	e, err := selector.Gather(t.Context(), "q", answers("a", "b", "c"), selector.Sources{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := mustParse(t, "oracle").Choose(e.WithVerdicts([]bool{false, true, true}), nil)
	if want := []int{1, 2}; c.Best != 1 || !slices.Equal(c.Tied, want) {
		t.Errorf("oracle = %d, tied %v, want 1, tied %v", c.Best, c.Tied, want)
	}
}

func TestGatherErrors(t *testing.T) {
	all := selector.NeedEmbeddings | selector.NeedModel
	tests := []struct {
		name       string
		candidates []rcvae.Candidate
		src        selector.Sources
		need       selector.Needs
		want       string
	}{
		{"no model", answers("a"), selector.Sources{Embedder: &hashEmbedder{}}, all, "a trained model is needed"},
		{"no embedder", answers("a"), selector.Sources{}, selector.NeedEmbeddings, "an embedder is needed"},
		{"no classes", answers("a"), selector.Sources{Embedder: &hashEmbedder{}, Models: []rcvae.Model{linearModel{}}},
			all | selector.NeedLikelihoods | selector.NeedRatio, `a model trained with the objective "ratio" is needed`},
		{"no log-probabilities", answers("a"), selector.Sources{}, selector.NeedLogProbs,
			"selector logprob: candidate 1 has no log-probabilities; use a pool or an upstream that gives them, or another rule"},
		{"NaN", answers("a", "b"), selector.Sources{Embedder: &hashEmbedder{}, Models: []rcvae.Model{columnModel{[]float64{0, math.NaN()}, 1}}}, all,
			"selector entropy: the score of candidate 2 is NaN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := selector.Gather(t.Context(), "q", tt.candidates, tt.src, tt.need)
			if err == nil || err.Error() != tt.want {
				t.Errorf("Gather() = %v, want %q", err, tt.want)
			}
		})
	}
	two := []rcvae.Embedding{{1, 0}, {1}}
	if _, err := (selector.Sources{}).Weigh(two[0], two, answers("a", "b"), selector.NeedEmbeddings); err == nil ||
		err.Error() != "embedding of candidate 2 has dimension 1, that of the question 2" {
		t.Errorf("Weigh() of two dimensions = %v, want an error", err)
	}
	if _, err := (selector.Sources{}).Weigh(two[0], two[:1], answers("a"), all); err == nil {
		t.Error("Weigh() without a model gives evidence for rules that need one")
	}
	if _, err := selector.Gather(t.Context(), "q", nil, selector.Sources{}, 0); !errors.Is(err, rcvae.ErrNoCandidates) {
		t.Errorf("Gather() of nothing = %v, want ErrNoCandidates", err)
	}
}
