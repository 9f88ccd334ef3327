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
	question := "How many apples has Ann?"
	texts := []rcvae.Text{{Text: question}}
	for _, text := range []string{"Ann has 3 apples.", "", "x = 2", "Ann has 3 apples.", "Überraschung 😀"} {
		texts = append(texts, rcvae.Text{Role: rcvae.RoleSolution, Text: text, Question: question})
	}
	dimension := e.Fingerprint().Dimension
	together, err := e.Embed(t.Context(), texts)
	if err != nil || len(together) != len(texts) {
		t.Fatalf("Embed(%d texts) = %d embeddings, %v", len(texts), len(together), err)
	}
	for i, text := range texts {
		checkUnit(t, text.Text, together[i], dimension)
		alone, err := e.Embed(t.Context(), []rcvae.Text{text})
		if err != nil || len(alone) != 1 || distance(alone[0], together[i]) > tolerance {
			t.Errorf("Embed(%q) alone differs from the embedding among others (%v)", text.Text, err)
		}
	}
	if !slices.Equal(together[1], together[4]) {
		t.Errorf("equal texts have different embeddings")
	}
	if distance(together[1], together[3]) < tolerance {
		t.Errorf("different texts have one embedding: is the input order kept?")
	}
	if none, err := e.Embed(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("Embed(no texts) = %d embeddings, %v, want none", len(none), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Embed(ctx, []rcvae.Text{{Text: "a text that nobody has embedded before"}}); !errors.Is(err, context.Canceled) {
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

// TestModel checks that m gives one finite posterior per solution, that permuting the
// solutions permutes the inferences bit by bit, that a missing signal is no error, and
// that a wrong dimension is one.
func TestModel(t *testing.T, m rcvae.Model, question rcvae.Embedding, solutions []rcvae.Solution) {
	t.Helper()
	inferences, err := m.Infer(question, solutions, false)
	if err != nil || len(inferences) != len(solutions) {
		t.Fatalf("Infer(%d solutions) = %d inferences, %v", len(solutions), len(inferences), err)
	}
	for i, inference := range inferences {
		p, in := inference.Posterior, inference.InDistribution
		if len(p.Mu) != len(p.LogVar) || len(p.Mu) == 0 || math.IsNaN(p.Entropy()) || !(p.KL() >= 0) {
			t.Errorf("posterior %d: %d means, %d log variances, entropy %v, KL %v", i, len(p.Mu), len(p.LogVar), p.Entropy(), p.KL())
		}
		if !(in >= 0 && in <= 1) {
			t.Errorf("inference %d: in-distribution weight %v, want 0 to 1", i, in)
		}
	}
	reversed := slices.Clone(solutions)
	slices.Reverse(reversed)
	again, err := m.Infer(question, reversed, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range inferences {
		b := again[len(again)-1-i]
		if !slices.Equal(a.Posterior.Mu, b.Posterior.Mu) || !slices.Equal(a.Posterior.LogVar, b.Posterior.LogVar) || a.InDistribution != b.InDistribution {
			t.Errorf("inference %d depends on the order of the solutions", i)
		}
	}
	checkModelInputs(t, m, question, solutions)
}

func checkModelInputs(t *testing.T, m rcvae.Model, question rcvae.Embedding, solutions []rcvae.Solution) {
	t.Helper()
	if _, err := m.Infer(question[1:], solutions, false); err == nil {
		t.Error("Infer of a question of another dimension succeeded, want an error")
	}
	if none, err := m.Infer(question, nil, false); err != nil || len(none) != 0 {
		t.Errorf("Infer(no solutions) = %d inferences, %v, want none", len(none), err)
	}
	one := rcvae.Solution{Embedding: solutions[0].Embedding, Signals: slices.Clone(solutions[0].Signals)}
	for j := range one.Signals {
		one.Signals[j] = math.NaN()
	}
	if _, err := m.Infer(question, []rcvae.Solution{one}, false); err != nil {
		t.Errorf("Infer without signals = %v, want no error: a missing column has a learned value", err)
	}
	one.Signals = append(one.Signals, 0)
	if _, err := m.Infer(question, []rcvae.Solution{one}, false); err == nil {
		t.Error("Infer with a signal too many succeeded, want an error")
	}
	one.Signals = one.Signals[:len(one.Signals)-1]
	one.Embedding = slices.Clone(one.Embedding)
	one.Embedding[0] = float32(math.NaN())
	if _, err := m.Infer(question, []rcvae.Solution{one}, false); err == nil {
		t.Error("Infer of an embedding with NaN succeeded, want an error")
	}
}

// TestSelector checks that s names a candidate, gives one finite score each and a
// reason, takes a single candidate, does not look at verdicts, and returns
// [rcvae.ErrNoCandidates] for none.
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
		graded := slices.Clone(candidates[:n])
		for i := range graded {
			graded[i].Verdict = rcvae.Verdict(1 + i%2)
		}
		if again, err := s.Select(t.Context(), question, graded); err != nil || again.Index != got.Index {
			t.Errorf("Select among %d = candidate %d, and %d (%v) with other verdicts", n, got.Index, again.Index, err)
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

// Texts returns solutions of no particular question, to embed.
func Texts(list ...string) []rcvae.Text {
	out := make([]rcvae.Text, len(list))
	for i, text := range list {
		out[i] = rcvae.Text{Role: rcvae.RoleSolution, Text: text}
	}
	return out
}
