package grade_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rcvae/grade"
)

func TestExtractGSM8K(t *testing.T) {
	tests := []struct {
		text string
		want grade.Extraction
	}{
		{"2 + 3 = 5\n#### 5", grade.Extraction{Answer: "5", From: "hash"}},
		{"#### $1,234.50 in all", grade.Extraction{Answer: "1234.5", From: "hash"}},
		{"#### -7", grade.Extraction{Answer: "-7", From: "hash"}},
		{"#### 1. Count the apples\nThere are 9.", grade.Extraction{Answer: "9", From: "number"}},
		{`So $\boxed{12}$ of 30.`, grade.Extraction{Answer: "12", From: "boxed"}},
		{`\boxed{\$1{,}250.00}`, grade.Extraction{Answer: "1250", From: "boxed"}},
		{`\boxed{3 + 4 = 7 \text{ apples}}`, grade.Extraction{Answer: "7", From: "boxed"}},
		{`\boxed{\text{none}} The answer is 4`, grade.Extraction{Answer: "4", From: "phrase"}},
		{`Of the 4, the tallest is \boxed{\text{Sarah}}.`, grade.Extraction{}},
		{`Of the 4, the answer is: \boxed{}`, grade.Extraction{Answer: "4", From: "number"}},
		{`\boxed{\dfrac{3}{4}}`, grade.Extraction{Answer: "0.75", From: "boxed"}},
		{`\boxed{15\%}`, grade.Extraction{Answer: "15", From: "boxed"}},
		{"The answer is $72. I hope it is correct, as 3 of 4 are.", grade.Extraction{Answer: "72", From: "phrase"}},
		{"**Answer:** 2 1/2 hours", grade.Extraction{Answer: "2.5", From: "phrase"}},
		{"ANSWER: 18", grade.Extraction{Answer: "18", From: "phrase"}},
		{"The final answer is: **1,000**.", grade.Extraction{Answer: "1000", From: "phrase"}},
		{"The answer is 24 - 9 = 15.", grade.Extraction{Answer: "15", From: "phrase"}},
		{"The answer would be 3.\nThe answer isn't known, 8.", grade.Extraction{Answer: "3", From: "phrase"}},
		{"The answer is correct.\nThe answer is 5.\nThe answer is clear.", grade.Extraction{Answer: "5", From: "phrase"}},
		{`{"steps": "2*3", "ans": 6} and {"ans": 9}`, grade.Extraction{Answer: "6", From: "field"}},
		{`{"answer": "$40"}` + "\nThe answer is 41.", grade.Extraction{Answer: "41", From: "phrase"}},
		{`{"ans": <number>} 12`, grade.Extraction{Answer: "12", From: "number"}},
		{"There are 9-4 = 5 left, or -5?", grade.Extraction{Answer: "-5", From: "number"}},
		{"It was 9-4", grade.Extraction{Answer: "4", From: "number"}},
		{"He owes -$1,200.", grade.Extraction{Answer: "-1200", From: "number"}},
		{"between 12,34", grade.Extraction{Answer: "34", From: "number"}},
		{"It is .5", grade.Extraction{Answer: "0.5", From: "number"}},
		{"version 3.14.15", grade.Extraction{Answer: "0.15", From: "number"}},
		{"I do not know.", grade.Extraction{}},
		{"", grade.Extraction{}},
	}
	checkExtract(t, "gsm8k", tests)
}

func TestExtractStrict(t *testing.T) {
	checkExtract(t, "gsm8k-strict", []struct {
		text string
		want grade.Extraction
	}{
		{"#### 5", grade.Extraction{Answer: "5", From: "hash"}},
		{`The answer is \boxed{5}.`, grade.Extraction{}},
	})
}

func TestExtractMATH(t *testing.T) {
	checkExtract(t, "math", []struct {
		text string
		want grade.Extraction
	}{
		{`Thus $x = \boxed{ \frac{1}{2} }$.`, grade.Extraction{Answer: `\frac{1}{2}`, From: "boxed"}},
		{`Thus \boxed{1} or \boxed{2}`, grade.Extraction{Answer: "1, 2", From: "boxed"}},
		{`Thus \boxed{1} and then \boxed{2}`, grade.Extraction{Answer: "2", From: "boxed"}},
		{"Final Answer: The final answer is $\\pi$. I hope it is correct.", grade.Extraction{Answer: `\pi`, From: "phrase"}},
		{`The answer is $\$10$.`, grade.Extraction{Answer: `\$10`, From: "phrase"}},
		{`The answer is \((1, 2)\), as shown.`, grade.Extraction{Answer: "(1, 2)", From: "phrase"}},
		{`{"answer": "-5 + \frac{\sqrt{3}}{2}"}` + "\n\n## Question: \nWhat is \\boxed{7}?", grade.Extraction{Answer: `-5 + \frac{\sqrt{3}}{2}`, From: "field"}},
		{`{"answer": "\\frac{1}{2}"}`, grade.Extraction{Answer: `\frac{1}{2}`, From: "field"}},
		{"The answer is 1, 2, 3.", grade.Extraction{Answer: "1, 2, 3", From: "phrase"}},
		{"The answer is Evelyn, who is fastest. Yes.", grade.Extraction{Answer: "Evelyn", From: "phrase"}},
		{`\frac{3}{4}`, grade.Extraction{Answer: `\frac{3}{4}`, From: "bare"}},
		{`(-\infty, 3] \cup [5, \infty)`, grade.Extraction{Answer: `(-\infty, 3] \cup [5, \infty)`, From: "bare"}},
		{"We have shown that there are 12 of them", grade.Extraction{Answer: "12", From: "number"}},
		{`An empty \boxed{}`, grade.Extraction{}},
		{"No idea how to solve this!", grade.Extraction{}},
	})
}

func checkExtract(t *testing.T, kind string, tests []struct {
	text string
	want grade.Extraction
}) {
	t.Helper()
	for _, test := range tests {
		got, err := grade.Extract(kind, test.text)
		if err != nil || got != test.want {
			t.Errorf("Extract(%q, %q) = %+v, %v, want %+v", kind, test.text, got, err, test.want)
		}
	}
}

// Answers in one row are the same; answers in different rows are not.
func TestEquivalenceClasses(t *testing.T) {
	for kind, classes := range map[string][][]string{
		"gsm8k": {
			{"72", "72.0", "$72", `\$72.00`, "72 clips", "7,2=72", "144/2", "x = 72", "72%"},
			{"1234567", "1,234,567", "1{,}234{,}567"},
			{"0.5", ".5", "1/2", `\frac12`, `\frac{1}{2}`, "0.50"},
			{"2.5", "2 1/2", "2:30 pm", `2\frac{1}{2}`, "5/2"},
			{"-3", "\u22123", "- 3", "-$3"},
			{"0.333333", "1/3"},
			{"0.33"},
			{"12345678901234567890"},
			{"12345678901234567891"},
		},
		"math": {
			{`\frac{1}{2}`, `\dfrac12`, `\tfrac{1}2`, "1/2", "0.5", ".5", "0.50", `x=\frac{1}{2}`, `{\frac{1}{2}}`, `\\frac{1}{2}`, `\frac 12`},
			{`-\frac{1}{2}`, `\frac{-1}{2}`, "-0.5", `$-\frac12$`},
			{"10000", "10,000", "10{,}000", `10,\!000`, `\$10,000`, "10000.", `10000\text{ cm}^2`, `10000 \mbox{ inches}`},
			{"30", `30^\circ`, `30^{\circ}`, "30°", `30\%`, `30 \degree`},
			{`2\sqrt{3}`, `2\sqrt3`, `2 \sqrt 3`},
			{`(1,2)`, `\left( 1, 2 \right)`, `(1,\ 2)`},
			{`\text{Evelyn}`, "Evelyn", `\mathrm{evelyn}`},
			{`\text{(C)}`, "C", "(C)"},
			{"c"},
			{`x_{1}^{2}`, "x_1^2"},
			{`x \le 3`, `x \leq 3`},
			{`2 \cdot 3`, `2 \times 3`},
			{`\text{4:30 p.m.}`, `4:30 \text{ p.m.}`},
			{`\frac{\sqrt3}{2}`, `\dfrac{\sqrt{3}}2`},
			{`\frac\pi2`, `\frac{\pi}{2}`},
			{`(12,345)`},
			{"12345"},
			{`x+1`},
			{`x+2`},
		},
	} {
		g, err := grade.New(kind)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range classes {
			for j, b := range classes {
				for _, x := range a {
					for _, y := range b {
						if got, want := g.Equivalent(x, y), i == j; got != want {
							t.Errorf("%s: Equivalent(%q, %q) = %v, want %v", kind, x, y, got, want)
						}
					}
				}
			}
		}
	}
}

func TestJudge(t *testing.T) {
	five := "5"
	tests := map[string]struct {
		kind, gold, answer string
		want               grade.Verdict
	}{
		"gold solution":  {"gsm8k", "2+3=<<2+3=5>>5\n#### 5", "It is 5.", grade.Verdict{Verdict: grade.Correct, Extracted: &five, Rule: "number"}},
		"gold box":       {"math", `so \boxed{5}`, "5", grade.Verdict{Verdict: grade.Correct, Extracted: &five, Rule: "bare"}},
		"wrong":          {"gsm8k", "6", "#### 5", grade.Verdict{Verdict: grade.Incorrect, Extracted: &five, Rule: "hash"}},
		"no answer":      {"gsm8k", "6", "who knows", grade.Verdict{Verdict: grade.NoAnswer}},
		"strict":         {"gsm8k-strict", "5", "It is 5.", grade.Verdict{Verdict: grade.NoAnswer}},
		"gold unread":    {"gsm8k", "many", "5", grade.Verdict{Verdict: grade.Ungraded, Rule: "gold-unreadable"}},
		"too large text": {"math", "5", strings.Repeat("5", 2<<20), grade.Verdict{Verdict: grade.Ungraded, Rule: "too-large"}},
	}
	for name, test := range tests {
		got, err := grade.Judge(test.kind, test.gold, test.answer)
		if err != nil {
			t.Fatal(err)
		}
		same := got.Verdict == test.want.Verdict && got.Rule == test.want.Rule && deref(got.Extracted) == deref(test.want.Extracted)
		if !same || (got.Extracted == nil) != (test.want.Extracted == nil) {
			t.Errorf("%s: verdict %+v, want %+v", name, got, test.want)
		}
	}
	huge := `\boxed{` + strings.Repeat("x", 5000) + `}`
	if got, _ := grade.Judge("math", "5", huge); got.Verdict != grade.Ungraded {
		t.Errorf("an answer of 5000 bytes: %+v, want ungraded", got)
	}
}

// The automatic grader reads a gold answer as a number only if it is one.
func TestAuto(t *testing.T) {
	g := newGrader(t, "auto")
	for gold, want := range map[string]string{
		"72": "gsm8k", "$1,234.50": "gsm8k", "2+3=5\n#### 5": "gsm8k", "72 clips": "gsm8k", `\frac{1}{2}`: "gsm8k", "He has 17 coins. He needs 26.": "gsm8k",
		`2\sqrt{3}`: "math", "(1,2)": "math", "[2,5)": "math", "x^2+3": "math", `\text{even}`: "math", "p - q": "math", "1,-2": "math", "": "math",
	} {
		if got := grade.ForGold(gold); got != want {
			t.Errorf("ForGold(%q) = %q, want %q", gold, got, want)
		}
		if got := g.Judge(gold, gold); gold != "" && (got.Verdict != grade.Correct || got.Grader != want) {
			t.Errorf("Judge(%q, itself) = %+v, want correct by %s", gold, got, want)
		}
	}
}

// ClassesContext ends with its context.
func TestClassesContext(t *testing.T) {
	g := newGrader(t, "math")
	ctx, cancel := context.WithCancel(t.Context())
	if class, count, err := g.ClassesContext(ctx, []string{"1/2", "0.5"}); err != nil || count != 1 || class[0] != class[1] {
		t.Errorf("ClassesContext() = %v, %d, %v, want one class", class, count, err)
	}
	cancel()
	if _, _, err := g.ClassesContext(ctx, []string{"1/2", "0.5"}); !errors.Is(err, context.Canceled) {
		t.Errorf("ClassesContext() after the end: %v, want context.Canceled", err)
	}
}

func TestUnknownKind(t *testing.T) {
	if _, err := grade.New("aime"); err == nil || !strings.Contains(err.Error(), "gsm8k-strict") {
		t.Errorf("New() = %v, want an error that lists the kinds", err)
	}
	if _, err := grade.Judge("aime", "1", "1"); err == nil {
		t.Error("Judge() of an unknown kind succeeds")
	}
}

// Hostile texts end quickly.
func TestTimeIsLinear(t *testing.T) {
	if raceEnabled {
		t.Skip("measures time")
	}
	pieces := []string{"{", "}", `\boxed{`, `\frac`, `\frac{1}{`, "#", "####1. ", "answer is ", "answer is 1. ", "answer:", `"ans":`, `"ans": 1`, `"`,
		"1", "1,", "1,234", "-", "- ", "=", "1/", "$", ".", `\text{`, "^", " ", "\n", `\\`, `\left`}
	for _, kind := range grade.Kinds() {
		for _, piece := range pieces {
			body := strings.Repeat(piece, (256<<10)/len(piece))
			for _, text := range []string{body, `\boxed{` + body[:min(len(body), 4000)] + `}`} {
				begin := time.Now()
				if _, err := grade.Judge(kind, text, text); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took > 2*time.Second {
					t.Errorf("%s: %d bytes of %q took %v", kind, len(text), piece, took)
				}
			}
		}
	}
}

func ExampleJudge() {
	verdict, err := grade.Judge("gsm8k", "48/2 = 24\n#### 24", "She sold half of 48, so the answer is $24.00.")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(verdict.Verdict, *verdict.Extracted, verdict.Rule)
	// Output: correct 24 phrase
}

func ExampleNew() {
	math, err := grade.New("math")
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, ok := math.Answer(`Hence $x = \boxed{\dfrac{1}{2}}$.`)
	fmt.Println(answer, ok, math.Equivalent(`\frac12`, answer))
	// Output: \dfrac{1}{2} true true
}

// TestWorkIsBounded: more expressions than can be compared are an error at once; many
// numbers are not.
func TestWorkIsBounded(t *testing.T) {
	g, err := grade.New("math")
	if err != nil {
		t.Fatal(err)
	}
	var expressions, numbers []string
	for i := range 3000 {
		expressions = append(expressions, fmt.Sprintf(`\frac{%d}{7}\sqrt{%d}+x^{%d}`, i, i+2, i%50))
		numbers = append(numbers, fmt.Sprint(i))
	}
	if _, _, err := g.ClassesContext(t.Context(), expressions); !errors.Is(err, grade.ErrTooMany) || !strings.Contains(err.Error(), "fewer candidates") {
		t.Errorf("3,000 expressions: %v, want ErrTooMany and what to do", err)
	}
	if class, count := g.Classes(append(expressions, expressions[0])); count != 3000 || class[3000] != class[0] {
		t.Errorf("Classes() has %d classes, want equal texts in one of 3,000", count)
	}
	if _, count, err := g.ClassesContext(t.Context(), numbers); err != nil || count != 3000 {
		t.Errorf("3,000 numbers: %d classes, %v", count, err)
	}
}
