package signal_test

import (
	"fmt"
	"strings"
	"testing"

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

// TestHostileTexts reads 512 KiB of each piece. In quadratic time that takes minutes,
// and the test run ends.
func TestHostileTexts(t *testing.T) {
	for _, piece := range signal.Hostile() {
		text := strings.Repeat(piece, (512<<10)/len(piece))
		signal.Compute(text, []rcvae.Candidate{{Text: text, Answer: text}})
		end := 0
		for _, e := range signal.Equations(text) {
			if e.Start < end || e.End > len(text) || e.Start >= e.End {
				t.Errorf("%q: an equation at [%d, %d) after one that ends at %d, in %d bytes", piece, e.Start, e.End, end, len(text))
				break
			}
			end = e.Start
		}
	}
}

// BenchmarkHostileTexts reads texts of a megabyte, which should take less than 50 ms each.
func BenchmarkHostileTexts(b *testing.B) {
	for _, piece := range signal.Hostile() {
		b.Run(fmt.Sprintf("%q", piece), func(b *testing.B) {
			text := strings.Repeat(piece, (1<<20)/len(piece))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				signal.Compute("", []rcvae.Candidate{{Text: text, Answer: text}})
			}
		})
	}
}
