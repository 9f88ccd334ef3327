package grade_test

import (
	"slices"
	"strings"
	"testing"

	"rcvae/grade"
)

func FuzzBoxed(f *testing.F) {
	f.Add(`\frac{1}{2}`)
	f.Add(`\left\{1, 2\right.`)
	f.Fuzz(func(t *testing.T, x string) {
		if !balanced(x) || strings.Contains(x, "box") || strings.TrimSpace(x) != x {
			return
		}
		got, err := grade.Extract("math", `Thus \boxed{`+x+`}.`)
		if err != nil || got.Answer != x {
			t.Errorf("Extract() = %+v, %v, want %q", got, err, x)
		}
	})
}

func balanced(s string) bool {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
			if i == len(s) {
				return false
			}
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0
}

// Equivalence is reflexive and symmetric, and follows the canonical forms.
func FuzzEquivalent(f *testing.F) {
	f.Add("1/2", `\frac12`)
	f.Add("1,234.5", "$1234.50")
	f.Add(`\text{a}`, "A")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, kind := range grade.Kinds() {
			g, err := grade.New(kind)
			if err != nil {
				t.Fatal(err)
			}
			formA, okA := grade.Canonical(kind, a)
			formB, okB := grade.Canonical(kind, b)
			if g.Equivalent(a, a) != okA {
				t.Errorf("%s: Equivalent(%q, itself) = %v", kind, a, !okA)
			}
			if g.Equivalent(a, b) != g.Equivalent(b, a) {
				t.Errorf("%s: Equivalent(%q, %q) is not symmetric", kind, a, b)
			}
			if got, want := g.Equivalent(a, b), okA && okB && formA == formB; got != want {
				t.Errorf("%s: Equivalent(%q, %q) = %v, want %v", kind, a, b, got, want)
			}
			if kind == "gsm8k" && okA && len(formA) < 100 {
				if again, ok := grade.Canonical(kind, formA); !ok || again != formA {
					t.Errorf("canonical form of %q is %q, of that %q", a, formA, again)
				}
			}
		}
	})
}

// An answer that is found in a text is found again when it is boxed.
func FuzzExtract(f *testing.F) {
	f.Add("The answer is $72. Good.")
	f.Add(`{"ans": 3}`)
	f.Add("#### 1,000")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := grade.Extract("gsm8k", text)
		if err != nil || first.Answer == "" || len(first.Answer) > 100 {
			return
		}
		if !slices.Contains([]string{"hash", "boxed", "field", "phrase", "number"}, first.Rule) {
			t.Errorf("rule %q is not documented", first.Rule)
		}
		again, err := grade.Extract("gsm8k", `\boxed{`+first.Answer+`}`)
		if err != nil || again.Answer != first.Answer {
			t.Errorf("%q gives %q, boxed %q", text, first.Answer, again.Answer)
		}
	})
}
