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
		if !balanced(x) || strings.Contains(x, "box") || strings.TrimSpace(x) != x || strings.Contains(x, "nswer") || strings.ContainsFunc(x, func(r rune) bool { return r >= 0x80 || r == '<' || r == '\n' }) {
			return // other digits and signs are written in ASCII, and a tag or a new question may end the text
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

// Equivalence is reflexive, where an answer can be read, and symmetric at each level, and
// what is the same at one level is at the next.
func FuzzEquivalent(f *testing.F) {
	for _, pair := range [][2]string{{"1/2", `\frac12`}, {"1,234.5", "$1234.50"}, {`\text{a}`, "A"}, {"x=1,2", `\{2,1\}`}, {"(1,2)", "1<x<2"}, {`28\%`, "0.28"}, {`1\pm\sqrt2`, `\sqrt{x^2}`}, {`2_3`, "2"}, {"=", "="}, {"==5", "5"}, {"%\r0", "0\xcb2."}, {`0\%`, "0"}, {"1/0", `\frac10`}, {"%0", "0"}, {"1", "1%%"}, {"1%*2", "1*2"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		before := false
		for _, kind := range []string{"gsm8k", "math-string", "math-numeric", "math-symbolic"} {
			g, err := grade.New(kind)
			if err != nil {
				t.Fatal(err)
			}
			got := g.Equivalent(a, b)
			if got != g.Equivalent(b, a) {
				t.Errorf("%s: Equivalent(%q, %q) is not symmetric", kind, a, b)
			}
			if got && (!g.Equivalent(a, a) || !g.Equivalent(b, b)) {
				t.Errorf("%s: %q and %q are the same, and one is not the same as itself", kind, a, b)
			}
			if kind == "math-numeric" || kind == "math-symbolic" {
				if before && !got {
					t.Errorf("%q and %q are no longer the same at %s", a, b, kind)
				}
			}
			before = got && strings.HasPrefix(kind, "math")
		}
	})
}

// Classes are an equivalence relation that holds every equivalent pair and does not
// depend on the order.
func FuzzClasses(f *testing.F) {
	f.Add("1/2", "0.5", `50\%`, "50")
	f.Add("x=1", "y=1", "1", "")
	f.Add("0", "00000e0eeeeNeeeeee", "\x80", "00O0\x87000000F0A000\x870\x8700")
	f.Add("0", "0/"+strings.Repeat("\x8b", 1300), "1/x", "x/y")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		g := newGrader(t, "math")
		answers := []string{a, b, c, d}
		class, _ := g.Classes(answers)
		reversed, _ := g.Classes([]string{d, c, b, a})
		for i := range answers {
			for j := range answers {
				if g.Equivalent(answers[i], answers[j]) && class[i] != class[j] {
					t.Errorf("%q and %q are equivalent and in two classes", answers[i], answers[j])
				}
				if (class[i] == class[j]) != (reversed[3-i] == reversed[3-j]) {
					t.Errorf("%q: %v, reversed %v", answers, class, reversed)
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
		if !slices.Contains(grade.Places(), first.From) {
			t.Errorf("place %q is not documented", first.From)
		}
		again, err := grade.Extract("gsm8k", `\boxed{`+first.Answer+`}`)
		if err != nil || again.Answer != first.Answer {
			t.Errorf("%q gives %q, boxed %q", text, first.Answer, again.Answer)
		}
	})
}
