package signal_test

import (
	"testing"

	"rcvae/signal"
)

func TestProgram(t *testing.T) {
	for text, want := range map[string]bool{
		"```python\ndef eggs():\n    laid = 16\n    return laid - 7\n\nprint(eggs())\n```\n```output\n9\n```\nThe answer is 9.": true,
		"def eggs():\n    eggs_laid = 16\n    return eggs_laid - 7\nprint(eggs())":                                              true,
		"She lays 16 eggs.\n16 - 7 = 9\nSo 9 * 2 = 18.":                                                                         false,
		"```\n16 - 7 = 9\n9 * 2 = 18\n```":                                                                                      false,
		"We can check this in Python:\n1. Eat 3.\n2. Bake 4.\n3. Sell 9 for $18.\n```python\nprint(18)\n```":                    false,
		"For each day she sells 9.\nIf she works 2 days, that is 18.":                                                           false,
		"": false,
	} {
		if got := signal.Program(text); got != want {
			t.Errorf("Program(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestWordProblem(t *testing.T) {
	for question, want := range map[string]bool{
		"Ann has 3 apples and buys four more at $2 each. How many apples does she have now?":        true,
		"A bakery bakes 20 loaves. It sells half of them before noon. How many loaves are left?":    true,
		"What is the value of $x$ when $2x + 3 = 7$ and $x$ is a positive integer of two digits?":   false,
		"Find the sum of all positive integers n such that n^2 - 19n + 99 is a perfect square.":     false,
		"Compute \\frac{1}{2} + \\frac{1}{3} of the number 30 and give the answer in lowest terms.": false,
		"What is 2 + 2?": false,
		"Who wrote the novel about the whale and the captain who hunted it?": false,
	} {
		if got := signal.WordProblem(question); got != want {
			t.Errorf("WordProblem(%q) = %v, want %v", question, got, want)
		}
	}
}

// TestScopeOnRealQuestions counts training questions: GSM8K's are word problems, few of
// MATH's are.
func TestScopeOnRealQuestions(t *testing.T) {
	share := func(name string) float64 {
		n, all := 0, 0
		for _, q := range problems(t, name) {
			all++
			if signal.WordProblem(q.Question) {
				n++
			}
		}
		t.Logf("%s: %d of %d questions are word problems", name, n, all)
		return float64(n) / float64(all)
	}
	if s := share("gsm8k/train"); s < 0.95 {
		t.Errorf("%.3f of GSM8K's training questions are word problems, want at least 0.95", s)
	}
	if s := share("math/train"); s > 0.15 {
		t.Errorf("%.3f of MATH's training questions are word problems, want at most 0.15", s)
	}
}
