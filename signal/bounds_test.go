package signal

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae"
	"rcvae/dataset"
)

// hostile are pieces of which long texts are made to keep a reader busy.
var hostile = []string{
	"((((", "1+", "3 eggs and ", "1 = ", `\frac{`, "x + 1 = ", "5 (", "<<1=", "1/2 of the ", "2^", "-", "a = 1 ", "1,000", "of 20% ", "1 + 1 = 2 ", "x x = ", "is 3 is ",
	"[1](", "\\text{a", "9 9 9 = 9 9 ", "((1)) = ((2)) ", "she has 5 eggs ", "<<1+1=3>> ", "7 + 1 = 9 is ", "€", "3 of ", "-(", "1+1=3;", "5% of 20 = 3 + 1.\n",
	"x + 2x = 7x.\n", "(1+2)*3/4=7/8\n", "1.33^64=2^64\n", "x^64+x^64=3x^63.", "0.618033988749895%of 0.618033988749895=3+0.61803398874989.\n", "1+1=2+1=", "\\a", "\n", "```output\n",
}

// Hostile lends them to the tests outside of the package.
func Hostile() []string { return hostile }

// work reads a text and returns how many tokens and operands were looked at.
func work(r *reader, text string) (tokens, steps int) {
	r.read(text)
	steps = r.parser.steps
	if r.inner != nil && len(r.lexer.notes) > 0 {
		steps = max(steps, r.inner.parser.steps)
	}
	return len(r.lexer.tokens) + r.lexer.noted, steps
}

// TestBounds: whatever the text, no more is done than the bounds say, and a text that
// was not read to its end has no last result.
func TestBounds(t *testing.T) {
	var r reader
	for _, piece := range hostile {
		tokens, steps := work(&r, strings.Repeat(piece, (1<<20)/len(piece)))
		if tokens > MaxTokens+256 || steps > MaxSteps+256 {
			t.Errorf("%q repeated: %d tokens and %d operands, want at most about %d and %d", piece, tokens, steps, MaxTokens, MaxSteps)
		}
	}
	for _, piece := range []string{"so 1 + 1 = 2. ", "<<1+1=2>> ", "x^9 + x^9 = 2x^9. so 1 + 1 = 2. "} {
		for n, want := range map[int]bool{100: false, 1 << 17: true} {
			row := Compute("", []rcvae.Candidate{{Text: strings.Repeat(piece, n), Answer: "2"}}).Values[0]
			if got := math.IsNaN(row[colLastResult]); got != want || math.IsNaN(row[colWrong]) {
				t.Errorf("%q, %d times: answer_last_result is NaN: %v, want %v; wrong = %v", piece, n, got, want, row[colWrong])
			}
		}
	}
}

// TestBoundsOnRealTexts: no text of the pools comes near a bound.
func TestBoundsOnRealTexts(t *testing.T) {
	root := os.Getenv("RCVAE_SHARED")
	if root == "" {
		t.Skip("the shared data folder is absent; set RCVAE_SHARED to it")
	}
	if RaceEnabled {
		t.Skip("one goroutine reads for a minute under the race detector; 'make test-data' runs this without it")
	}
	files, _ := filepath.Glob(filepath.Join(root, "data", "*", "*pool*"))
	more, _ := filepath.Glob(filepath.Join(root, "data", "*pools", "*.gz"))
	var r reader
	for _, file := range append(files, more...) {
		items, err := dataset.LoadPool(file)
		if err != nil {
			t.Fatal(err)
		}
		mostTokens, mostSteps := 0, 0
		for _, q := range items {
			for _, c := range q.Candidates {
				tokens, steps := work(&r, c.Text)
				mostTokens, mostSteps = max(mostTokens, tokens), max(mostSteps, steps)
			}
		}
		t.Logf("%s: at most %d tokens and %d operands", filepath.Base(file), mostTokens, mostSteps)
		if mostTokens > MaxTokens/8 || mostSteps > MaxSteps/8 {
			t.Errorf("%s: %d tokens and %d operands, want at most an eighth of %d and %d", file, mostTokens, mostSteps, MaxTokens, MaxSteps)
		}
	}
}
