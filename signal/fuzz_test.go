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

// again reads the words of a wrong equation alone: it must be wrong there too.
func again(t *testing.T, e signal.Equation) {
	t.Helper()
	if e.Holds || strings.ContainsAny(e.Text, "\n") {
		return // a list mark at the beginning of a line would be read as one
	}
	for _, alone := range signal.Equations("so " + e.Text + " .") {
		if alone.Text == e.Text && alone.Holds {
			t.Fatalf("%q is wrong in its text and holds alone", e.Text)
		}
	}
}

// TestTimeIsLinear: twice the text takes about twice the time, whatever it is made of.
func TestTimeIsLinear(t *testing.T) {
	for _, piece := range []string{
		"((((", "1+", "3 eggs and ", "1 = ", `\frac{`, "x + 1 = ", "5 (", "<<1=", "1/2 of the ", "2^", "-", "a = 1 ", "1,000", "of 20% ", "1 + 1 = 2 ", "x x = ", "is 3 is ", "[1](", "\\text{a", "9 9 9 = 9 9 ", "((1)) = ((2)) ", "she has 5 eggs ", "<<1+1=3>> ", "7 + 1 = 9 is ", "€", "3 of ", "-(",
	} {
		short, long := took(piece, 1<<17), took(piece, 1<<20)
		if long > 24*short+50*time.Millisecond {
			t.Errorf("1 MiB of %q takes %v, 128 KiB take %v", piece, long, short)
		}
		if long > 2*time.Second {
			t.Errorf("1 MiB of %q takes %v", piece, long)
		}
	}
}

// took is the shorter of two times, since a machine may be busy.
func took(piece string, size int) time.Duration {
	text := strings.Repeat(piece, size/len(piece))
	best := time.Duration(1 << 62)
	for range 2 {
		start := time.Now()
		signal.Compute(text, []rcvae.Candidate{{Text: text, Answer: text}})
		best = min(best, time.Since(start))
	}
	return best
}
