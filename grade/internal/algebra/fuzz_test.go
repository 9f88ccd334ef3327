package algebra

import (
	"math/big"
	"testing"

	"rcvae/grade/internal/latex"
)

// A comparison is symmetric, finds everything the same as itself,
// and no number the same as the number plus one.
func FuzzCompare(f *testing.F) {
	for _, pair := range [][2]string{{`\frac{x}{2}`, `0.5x`}, {`\sin^2 x`, `1-\cos^2 x`}, {`(1,2]`, `1<x\le 2`}, {`\begin{pmatrix}1\\x\end{pmatrix}`, `x+y=1`}, {`9^{9^{9^9}}`, `\sqrt[3]{-8}`},
		{`i88.8S8888888888888`, `88.8S8888888888888`}, {`\{1\pm\sqrt2\}`, `|x|\ge 1`}, {`\sum_{k=1}^{9}k!`, `\binom{x}{7}`}, {`\ln(-x)`, `e^{i\pi}`}} {
		f.Add(pair[0], pair[1], uint64(1))
	}
	f.Fuzz(func(t *testing.T, textA, textB string, seed uint64) {
		limits := latex.Limits{Bytes: 512, Nodes: 200, Depth: 30}
		a, errA := latex.Parse(textA, limits)
		b, errB := latex.Parse(textB, limits)
		if errA != nil || errB != nil {
			return
		}
		const work = 100_000
		c := comparer{budget: budget{work}, seed: seed, limits: Limits{Work: work, Items: 20}}
		forward := c.answers(a, b)
		back := Compare(b, a, seed, c.limits)
		if decided := forward != Unknown && back.Outcome != Unknown; decided && forward != back.Outcome {
			t.Errorf("%q and %q: %d, the other way around %d", textA, textB, forward, back.Outcome)
		}
		if isScalar(a) && infinite(a) == 0 && Compare(a, a, seed, c.limits).Outcome == Different {
			t.Errorf("%q is not the same as itself", textA)
		}
		checkPlusOne(t, a, textA, seed)
	})
}

// checkPlusOne compares a number or a formula with itself plus one.
func checkPlusOne(t *testing.T, a *latex.Node, text string, seed uint64) {
	if !isScalar(a) || a.Has(latex.Percent) || a.Has(latex.PlusMinus) || a.Has(latex.Based) || a.Has(latex.Ratio) {
		return
	}
	for round := range uint64(tries) {
		e := &evaluator{arithmetic: arithmetic{firstBits}, budget: &budget{DefaultLimits().Work}, seed: seed, round: round}
		if _, err := e.eval(a); err != nil {
			return
		}
	}
	plus := &latex.Node{Kind: latex.Sum, Args: []*latex.Node{a, one}}
	if got := Compare(a, plus, seed, DefaultLimits()); got.Outcome == Same {
		t.Errorf("%q is the same as itself plus one, by %s", text, got.Rule)
	}
}

// one is the number 1.
var one = &latex.Node{Kind: latex.Number, Value: big.NewRat(1, 1)}
