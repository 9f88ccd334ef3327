package reproduce_test

import (
	"testing"

	"rcvae"
	"rcvae/reproduce"
)

// TestCutGold: what the pattern \boxed{(.*?)} keeps of a reference answer.
func TestCutGold(t *testing.T) {
	for gold, want := range map[string]string{
		`42`:                    `42`,
		`x^2 + 1`:               `x^2 + 1`,
		`\frac{1}{2}`:           `\frac{1`,
		`\sqrt{3}`:              `\sqrt{3`,
		`2\sqrt{5}+\frac{1}{3}`: `2\sqrt{5`,
		`\text{(A)}`:            `\text{(A)`,
		`x^{10}`:                `x^{10`,
		`\{1, 2\}`:              `\{1, 2\`,
		``:                      ``,
	} {
		if got := reproduce.CutGold(gold); got != want {
			t.Errorf("CutGold(%q) = %q, want %q", gold, got, want)
		}
	}
}

func TestGrade(t *testing.T) {
	const right, wrong = rcvae.Correct, rcvae.Incorrect
	for _, c := range []struct {
		suite, gold, text   string
		honest, strict, cut rcvae.Verdict
	}{
		{reproduce.GSM8K, "72", "So 72.\n#### 72", right, right, right},
		{reproduce.GSM8K, "72", `The answer is \boxed{72}.`, right, wrong, wrong},
		{reproduce.GSM8K, "72", "I do not know.", wrong, wrong, wrong},
		{reproduce.MATH, `\frac{1}{2}`, `\boxed{\frac{1}{2}}`, right, right, wrong},
		{reproduce.MATH, `2x + 2`, `\boxed{2(x + 1)}`, right, wrong, wrong},
		{reproduce.MATH, `7`, `\boxed{7}`, right, right, right},
		{reproduce.MATH, `7`, `\boxed{8}`, wrong, wrong, wrong},
		{reproduce.MATH, `7`, ``, wrong, wrong, wrong},
	} {
		question := []rcvae.Question{{Problem: rcvae.Problem{ID: "a", Answer: c.gold}, Candidates: []rcvae.Candidate{{Text: c.text}}}}
		for _, m := range []struct {
			match reproduce.Match
			want  rcvae.Verdict
		}{
			{reproduce.Match{Name: reproduce.Honest, Suite: c.suite, CutGold: true}, c.honest}, // the cut is not for the honest grader
			{reproduce.Match{Name: reproduce.Strict, Suite: c.suite}, c.strict},
			{reproduce.Match{Name: reproduce.Strict, Suite: c.suite, CutGold: true}, c.cut},
		} {
			graded, err := m.match.Grade(question)
			if err != nil {
				t.Fatal(err)
			}
			if got := graded[0].Candidates[0].Verdict; got != m.want {
				t.Errorf("%+v: gold %q, text %q: %v, want %v", m.match, c.gold, c.text, got, m.want)
			}
		}
		if question[0].Candidates[0].Verdict != rcvae.Ungraded {
			t.Error("Grade changed the questions that it was given")
		}
	}
}
