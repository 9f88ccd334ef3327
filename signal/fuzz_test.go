package signal_test

import (
	"strings"
	"testing"
	"time"

	"rcvae"
	"rcvae/signal"
)

// FuzzEquations: every equation lies inside the text and in order, says what stands
// there, and has the same verdict when its words are read alone.
func FuzzEquations(f *testing.F) {
	for _, s := range []string{
		"16 - 3 - 4 = 9", `\frac{1}{2} + \frac{1}{3} = \frac{5}{6}`, "<<48/2=24>>24", "20% of 50 = 10", "2(x+1) = 2x + 2.", "a & = 3^2 \\\\ & = 9", "1,000 × 2 ≈ 2e3",
		"((((1 + 1 = 2", "5 + 3 = 8 * 2 = 16", "√4 = 2", "50 is half of 100 and 3 - -3 = 6", "```output\n3\n```",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for _, e := range signal.Equations(text) {
			if e.Start < last || e.End <= e.Start || e.End > len(text) || e.Text != text[e.Start:e.End] {
				t.Fatalf("equation %+v of %q: span [%d, %d) behind %d", e, text, e.Start, e.End, last)
			}
			last = e.Start
			if !strings.Contains(e.Text, e.Left) || !strings.Contains(e.Text, e.Right) {
				t.Fatalf("sides %q and %q do not stand in %q", e.Left, e.Right, e.Text)
			}
			again(t, e)
		}
		signal.Compute(text, []rcvae.Candidate{{Text: text, Answer: text}, {Text: text}})
	})
}

// again reads the words of an equation alone: the verdict must be the same.
func again(t *testing.T, e signal.Equation) {
	t.Helper()
	for _, alone := range signal.Equations("so " + e.Text + " .") {
		if alone.Text == e.Text && alone.Holds != e.Holds {
			t.Fatalf("%q holds: %v in its text, %v alone", e.Text, e.Holds, alone.Holds)
		}
	}
}

// TestTimeIsLinear: the time grows with the text and not with its square, whatever it is
// made of.
func TestTimeIsLinear(t *testing.T) {
	for _, piece := range []string{
		"((((", "1+", "3 eggs and ", "1 = ", `\frac{`, "x + 1 = ", "5 (", "<<1=", "1/2 of the ", "2^", "-", "a = 1 ", "1,000", "of 20% ", "1 + 1 = 2 ", "x x = ", "is 3 is ", "[1](", "\\text{a", "9 9 9 = 9 9 ", "((1)) = ((2)) ", "she has 5 eggs ", "<<1+1=3>> ", "7 + 1 = 9 is ", "€", "3 of ", "-(",
	} {
		// 16 times the text: linear is 16 times the time, quadratic 256 times, which is seconds.
		limit := 64*took(piece, 1<<15) + 400*time.Millisecond
		long := took(piece, 1<<19)
		for try := 0; long > limit && try < 4; try++ { // the machine may be busy
			long = min(long, took(piece, 1<<19))
		}
		if long > limit {
			t.Errorf("512 KiB of %q take %v, want at most %v", piece, long, limit)
		}
	}
}

// took is the time for a text of a size.
func took(piece string, size int) time.Duration {
	text := strings.Repeat(piece, size/len(piece))
	start := time.Now()
	signal.Compute(text, []rcvae.Candidate{{Text: text, Answer: text}})
	return time.Since(start)
}
