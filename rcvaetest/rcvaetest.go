// Package rcvaetest holds the laws that every implementation of the root package's
// interfaces keeps, as functions to call from its tests.
package rcvaetest

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"rcvae"
)

// tolerance of a unit length, and of an embedding in other company.
const tolerance = 1e-5

// TestEmbedder checks that e returns finite vectors of unit length and one
// dimension in input order, that equal texts give equal vectors, that a vector does
// not depend on the other texts but for rounding, and that a cancelled context is
// an error.
func TestEmbedder(t *testing.T, e rcvae.Embedder) {
	t.Helper()
	texts := []string{"Ann has 3 apples.", "", "x = 2", "Ann has 3 apples.", "Überraschung 😀"}
	together, err := e.Embed(t.Context(), texts)
	if err != nil || len(together) != len(texts) {
		t.Fatalf("Embed(%d texts) = %d embeddings, %v", len(texts), len(together), err)
	}
	for i, text := range texts {
		checkUnit(t, text, together[i], len(together[0]))
		alone, err := e.Embed(t.Context(), []string{text})
		if err != nil || len(alone) != 1 || distance(alone[0], together[i]) > tolerance {
			t.Errorf("Embed(%q) alone differs from the embedding among others (%v)", text, err)
		}
	}
	if !slices.Equal(together[0], together[3]) {
		t.Errorf("equal texts have different embeddings")
	}
	if distance(together[0], together[2]) < tolerance {
		t.Errorf("different texts have one embedding: is the input order kept?")
	}
	if none, err := e.Embed(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("Embed(no texts) = %d embeddings, %v, want none", len(none), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Embed(ctx, []string{"a text that nobody has embedded before"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Embed with a cancelled context = %v, want context.Canceled", err)
	}
}

func checkUnit(t *testing.T, text string, e rcvae.Embedding, dimension int) {
	t.Helper()
	var square float64
	for _, v := range e {
		square += float64(v) * float64(v)
	}
	if len(e) != dimension || !(math.Abs(math.Sqrt(square)-1) < tolerance) {
		t.Errorf("embedding of %q has %d dimensions and length %v, want %d and 1", text, len(e), math.Sqrt(square), dimension)
	}
}

func distance(a, b rcvae.Embedding) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var square float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		square += d * d
	}
	return math.Sqrt(square)
}

// TestModel checks that m gives one finite posterior a solution, that permuting the
// solutions permutes the posteriors bit by bit, and that a wrong dimension is an error.
func TestModel(t *testing.T, m rcvae.Model, question rcvae.Embedding, solutions []rcvae.Embedding) {
	t.Helper()
	posteriors, err := m.Posteriors(question, solutions)
	if err != nil || len(posteriors) != len(solutions) {
		t.Fatalf("Posteriors(%d solutions) = %d posteriors, %v", len(solutions), len(posteriors), err)
	}
	for i, p := range posteriors {
		if len(p.Mu) != len(p.LogVar) || len(p.Mu) == 0 || math.IsNaN(p.Entropy()) || !(p.KL() >= 0) {
			t.Errorf("posterior %d: %d means, %d log variances, entropy %v, KL %v", i, len(p.Mu), len(p.LogVar), p.Entropy(), p.KL())
		}
	}
	reversed := slices.Clone(solutions)
	slices.Reverse(reversed)
	again, err := m.Posteriors(question, reversed)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range posteriors {
		q := again[len(again)-1-i]
		if !slices.Equal(p.Mu, q.Mu) || !slices.Equal(p.LogVar, q.LogVar) {
			t.Errorf("posterior %d depends on the order of the solutions", i)
		}
	}
	if _, err := m.Posteriors(question[1:], solutions); err == nil {
		t.Error("Posteriors of a question of another dimension succeeded, want an error")
	}
	if none, err := m.Posteriors(question, nil); err == nil && len(none) != 0 {
		t.Errorf("Posteriors(no solutions) = %d posteriors", len(none))
	}
}

// TestSelector checks that s names a candidate, gives one finite score each and a
// reason, takes a single candidate, and returns [rcvae.ErrNoCandidates] for none.
func TestSelector(t *testing.T, s rcvae.Selector, question string, candidates []rcvae.Candidate) {
	t.Helper()
	for n := 1; n <= len(candidates); n++ {
		got, err := s.Select(t.Context(), question, candidates[:n])
		if err != nil {
			t.Fatalf("Select among %d: %v", n, err)
		}
		if got.Index < 0 || got.Index >= n || len(got.Scores) != n {
			t.Errorf("Select among %d = candidate %d with %d scores", n, got.Index, len(got.Scores))
		}
		if got.Rule == "" || got.Reason == "" {
			t.Errorf("Select among %d: rule %q, reason %q, want both", n, got.Rule, got.Reason)
		}
		for i, score := range got.Scores {
			if math.IsNaN(score) || math.IsInf(score, 0) {
				t.Errorf("Select among %d: score %d is %v", n, i, score)
			}
		}
	}
	if _, err := s.Select(t.Context(), question, nil); !errors.Is(err, rcvae.ErrNoCandidates) {
		t.Errorf("Select among none = %v, want ErrNoCandidates", err)
	}
}

// TestGrader checks that g finds the answer of a boxed solution, that equality is
// reflexive, and that an answer is not equal to another or to none.
func TestGrader(t *testing.T, g rcvae.Grader, solution string) {
	t.Helper()
	answer, ok := g.Answer(solution)
	if !ok || answer == "" {
		t.Fatalf("Answer(%q) = %q, %v, want an answer", solution, answer, ok)
	}
	if !g.Equivalent(answer, answer) {
		t.Errorf("%q is not equivalent to itself", answer)
	}
	if g.Equivalent(answer, answer+"1") || g.Equivalent(answer, "") || g.Equivalent("", answer) {
		t.Errorf("%q is equivalent to another answer or to none", answer)
	}
	if again, _ := g.Answer(solution); again != answer {
		t.Errorf("Answer(%q) = %q, then %q", solution, answer, again)
	}
	if none, ok := g.Answer(""); ok || none != "" {
		t.Errorf("Answer of nothing = %q, %v", none, ok)
	}
}
