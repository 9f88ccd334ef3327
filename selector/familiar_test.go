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

// familiarModel is a columnModel that knows how familiar the candidates are.
type familiarModel struct {
	columnModel
	familiarity []float64
}

var _ rcvae.FamiliarModel = familiarModel{}

func (m familiarModel) Calibration() rcvae.Calibration {
	c := m.columnModel.Calibration()
	c.Near, c.Far = 1, 2
	return c
}

func (m familiarModel) Familiarity(rcvae.Embedding, []rcvae.Embedding) ([]float64, error) {
	return m.familiarity, nil
}

func sourcesOf(models ...rcvae.Model) selector.Sources {
	return selector.Sources{Embedder: &hashEmbedder{}, Models: models}
}

func weigh(t testing.TB, candidates []rcvae.Candidate, models ...rcvae.Model) *selector.Evidence {
	t.Helper()
	e, err := selector.Gather(t.Context(), "q", candidates, sourcesOf(models...), selector.NeedEmbeddings|selector.NeedModel|selector.NeedAnswers)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func randomQuestion(rng *rand.Rand) ([]rcvae.Candidate, []float64) {
	n := 2 + rng.IntN(9)
	list, scores := make([]string, n), make([]float64, n)
	for i := range list {
		list[i] = []string{"", "a", "b", "c"}[rng.IntN(4)]
		scores[i] = float64(float32(4 * rng.NormFloat64())) // a columnModel keeps 32 bits
	}
	return answers(list...), scores
}

func filled(n int, value float64) []float64 { return slices.Repeat([]float64{value}, n) }

var votingRules = []string{"vote:entropy", "tiebreak:entropy"}

// With full familiarity nothing changes; among strangers a vote is a majority vote,
// and a tie goes to the earlier candidate, as the rule majority has it.
func TestFamiliarityAtItsEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	majority := mustParse(t, "majority")
	for range 500 {
		candidates, scores := randomQuestion(rng)
		model, n := columnModel{scores, .5}, len(scores)
		plain := weigh(t, candidates, model)
		known := weigh(t, candidates, familiarModel{model, filled(n, 1)})
		strange := weigh(t, candidates, familiarModel{model, filled(n, 0)})
		for _, name := range votingRules {
			rule := mustParse(t, name)
			if got, want := rule.Choose(known, nil), rule.Choose(plain, nil); got.Best != want.Best || !slices.Equal(got.Scores, want.Scores) {
				t.Fatalf("%s among familiar candidates: best %d, scores %v, want %d, %v", name, got.Best, got.Scores, want.Best, want.Scores)
			}
			got, want := rule.Choose(strange, nil), majority.Choose(strange, nil)
			voters := slices.ContainsFunc(candidates, func(c rcvae.Candidate) bool { return c.Answer != "" })
			if voters && (got.Best != want.Best || !slices.Equal(got.Tied, want.Tied)) {
				t.Fatalf("%s among strangers: best %d of %v, want %d of %v as majority", name, got.Best, got.Tied, want.Best, want.Tied)
			}
			if first := rule.Choose(plain, nil); !voters && got.Best != first.Best {
				t.Fatalf("%s without answers: best %d, want %d, the highest score", name, got.Best, first.Best)
			}
		}
		pick := mustParse(t, "entropy")
		if got, want := pick.Choose(strange, nil), pick.Choose(plain, nil); got.Best != want.Best {
			t.Fatalf("entropy among strangers picks %d, want %d: it has nothing to fall back on", got.Best, want.Best)
		}
	}
}

// s̄ + f·(s − s̄), with s̄ the mean of those that vote.
func TestDiscountedScores(t *testing.T) {
	candidates := answers("a", "b", "b", "")
	e := weigh(t, candidates, familiarModel{columnModel{[]float64{6, 2, 1, 1000}, .5}, []float64{.5, 1, 0, .9}})
	c := mustParse(t, "vote:entropy").Choose(e, nil)
	mean := 3.0
	want := []float64{mean + .5*(6-mean), 2, mean, mean + .9*(1000-mean)}
	for i, w := range want {
		if math.Abs(c.Scores[i]-w) > 1e-9 {
			t.Errorf("score %d is %v, want %v", i, c.Scores[i], w)
		}
	}
	// exp(.5·4.5) for a against exp(.5·2) + exp(.5·3) for b
	if a, b := math.Exp(2.25), math.Exp(1)+math.Exp(1.5); a < b || c.Best != 0 {
		t.Errorf("best is %d; weights %v and %v", c.Best, a, b)
	}
}

// Models that cannot tell do not speak for or against a candidate.
func TestFamiliarityIsAveragedOverModels(t *testing.T) {
	candidates, scores := answers("a", "b", "b"), []float64{6, 2, 1}
	model := columnModel{scores, .5}
	half := weigh(t, candidates, familiarModel{model, filled(3, 0)}, familiarModel{model, filled(3, 1)}, model)
	want := weigh(t, candidates, familiarModel{model, filled(3, .5)})
	rule := mustParse(t, "vote:entropy")
	if got, want := rule.Choose(half, nil).Scores, rule.Choose(want, nil).Scores; !slices.Equal(got, want) {
		t.Errorf("scores %v, want %v", got, want)
	}
	if half.Familiarity(2) != nil || half.Familiarity(0)[0] != 0 {
		t.Errorf("familiarity of the models: %v, %v", half.Familiarity(0), half.Familiarity(2))
	}
}

func TestStrangersAreTold(t *testing.T) {
	candidates := answers("a", "b", "b")
	for _, tt := range []struct {
		rule        string
		familiarity []float64
		want        string
	}{
		{"vote:entropy", []float64{1, .2, .1}, ""},
		{"vote:entropy", []float64{1, 0, .1}, ""},
		{"vote:entropy", []float64{0, .2, 0}, "2 of 3 candidates are unlike"},
		{"vote:entropy", filled(3, 0), "a majority vote"},
		{"tiebreak:entropy", filled(3, 0), "do not count"},
		{"entropy", filled(3, 0), "may mislead"},
		{"majority", filled(3, 0), ""},
	} {
		s, err := selector.New(tt.rule, sourcesOf(familiarModel{columnModel{[]float64{1, 2, 3}, .5}, tt.familiarity}), selector.Options{})
		if err != nil {
			t.Fatal(err)
		}
		selection, err := s.Select(t.Context(), "q", candidates)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(selection.Warnings, "\n"); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s, familiarity %v: warnings %q, want %q", tt.rule, tt.familiarity, got, tt.want)
		}
	}
}

func TestBadFamiliarityIsAnError(t *testing.T) {
	for _, f := range [][]float64{{1}, {1, 2}, {1, math.NaN()}, {-1, 1}} {
		src := sourcesOf(familiarModel{columnModel{[]float64{1, 2}, .5}, f})
		if _, err := selector.Gather(t.Context(), "q", answers("a", "b"), src, selector.NeedEmbeddings|selector.NeedModel); err == nil {
			t.Errorf("familiarity %v of two candidates is no error", f)
		}
	}
}
