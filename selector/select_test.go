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
			src := selector.Sources{Embedder: &hashEmbedder{}, Models: []rcvae.Model{columnModel{tt.scores, 1}}}
			s, err := selector.New(tt.rule, src, selector.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Select(t.Context(), "q", tt.candidates)
			if err != nil {
				t.Fatal(err)
			}
			if got.Index != tt.index || got.Reason != tt.reason || len(got.Warnings) != tt.warnings || len(got.Scores) != len(tt.candidates) {
				t.Errorf("Select() = %+v, want index %d, reason %q, %d warnings", got, tt.index, tt.reason, tt.warnings)
			}
		})
	}
}

func TestSelectRefuses(t *testing.T) {
	if _, err := selector.New("oracle", selector.Sources{}, selector.Options{}); err == nil {
		t.Error("New(oracle) is served; it would need the reference answer")
	}
	if _, err := selector.New("majority", selector.Sources{}, selector.Options{Tau: math.NaN()}); err == nil {
		t.Error("New() takes τ = NaN")
	}
	s, err := selector.New("logprob", selector.Sources{}, selector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Select(t.Context(), "q", nil); !errors.Is(err, rcvae.ErrNoCandidates) {
		t.Errorf("Select(nothing) = %v, want ErrNoCandidates", err)
	}
	if _, err := s.Select(t.Context(), "q", answers("a")); err == nil || !strings.Contains(err.Error(), "candidate 1 has no log-probabilities") {
		t.Errorf("Select() = %v, want an error that names the candidate", err)
	}
}

func TestRandomIsSeeded(t *testing.T) {
	candidates := answers("1", "2", "3", "4", "5", "6", "7", "8")
	pick := func(seed uint64, question string) int {
		s, err := selector.New("random", selector.Sources{}, selector.Options{Seed: seed})
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

func TestGatherEmbedsOnce(t *testing.T) {
	embedder := &hashEmbedder{}
	src := selector.Sources{Embedder: embedder, Models: []rcvae.Model{linearModel{gain: 1}, linearModel{gain: 2}}}
	candidates := answers("1", "2", "")
	candidates[2].Text = ""
	if _, err := selector.Gather(t.Context(), "q", candidates, src, selector.NeedEmbeddings|selector.NeedModel); err != nil {
		t.Fatal(err)
	}
	if embedder.calls != 1 {
		t.Errorf("Embed was called %d times, want once", embedder.calls)
	}
}

func TestEnsembleIsTheMean(t *testing.T) {
	src := selector.Sources{Embedder: &hashEmbedder{}, Models: []rcvae.Model{columnModel{[]float64{0, 1, 5}, .2}, columnModel{[]float64{4, 1, -1}, .6}}}
	e, err := selector.Gather(t.Context(), "q", answers("1", "2", "3"), src, selector.NeedEmbeddings|selector.NeedModel)
	if err != nil {
		t.Fatal(err)
	}
	rule := mustParse(t, "entropy")
	for _, tt := range []struct {
		name string
		e    *selector.Evidence
		want []float64
	}{{"both", e, []float64{2, 1, 2}}, {"first", e.Alone(0), []float64{0, 1, 5}}, {"second", e.Alone(1), []float64{4, 1, -1}}} {
		if got := rule.Choose(tt.e, nil).Scores; !slices.Equal(got, tt.want) {
			t.Errorf("%s: scores = %v, want %v", tt.name, got, tt.want)
		}
	}
}

type failing struct{}

func (failing) Embed(context.Context, []string) ([]rcvae.Embedding, error) {
	return nil, errors.New("down")
}

func TestEmbedderError(t *testing.T) {
	s, err := selector.New("consensus", selector.Sources{Embedder: failing{}}, selector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Select(t.Context(), "q", answers("1"))
	if want := "selector consensus: embed the question and 1 candidates: down"; err == nil || err.Error() != want {
		t.Errorf("Select() = %v, want %s", err, want)
	}
}
