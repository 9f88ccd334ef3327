package algebra

import (
	"errors"
	"math"
	"math/big"
	"math/cmplx"

	"rcvae/grade/internal/latex"
)

// Outcome says whether two answers are the same.
type Outcome uint8

// The outcomes. Unknown means that the budget was not enough.
const (
	Different Outcome = iota
	Same
	Unknown
)

const (
	tries  = 10 // points that are looked at
	points = 4  // points at which equal formulas have equal values
)

// scalars compares two expressions.
func (c *comparer) scalars(a, b *latex.Node) Outcome {
	if o, done := c.percents(a, b); done {
		return o
	}
	if key(a) == key(b) {
		return c.named("form", Same)
	}
	if o, done := c.bases(a, b); done {
		return o
	}
	decimal := HasDecimal(a) || HasDecimal(b)
	ra, okA := c.rational(a)
	rb, okB := c.rational(b)
	if okA && okB {
		return c.rationals(ra, rb, decimal)
	}
	if sa, sb := infinite(a), infinite(b); sa != 0 || sb != 0 {
		return c.named("infinity", outcome(sa == sb))
	}
	if a.Free() || b.Free() {
		return c.named("points", c.functions(a, b, decimal))
	}
	o, _ := c.at(a, b, 0, decimal)
	return c.named("value", o)
}

// percents compares numbers of which one or both are percentages: 28 % is 0.28, and
// in answers of MATH it is 28 too.
func (c *comparer) percents(a, b *latex.Node) (Outcome, bool) {
	pa, pb := a.Kind == latex.Percent, b.Kind == latex.Percent
	switch {
	case pa && pb:
		return c.scalars(a.Args[0], b.Args[0]), true
	case pa || pb:
		if pb {
			a, b = b, a
		}
		o := c.scalars(a.Args[0], b)
		if o == Different {
			if ra, ok := c.rational(a); ok {
				o = c.scalars(&latex.Node{Kind: latex.Number, Value: ra, Decimal: HasDecimal(a)}, b)
			}
		}
		return c.named("percent", o), true
	}
	return Different, false
}

// bases compares a number in a base, 204_5, with one that is written without: it is the
// same if its digits are.
func (c *comparer) bases(a, b *latex.Node) (Outcome, bool) {
	if a.Kind == latex.Negative && b.Kind == latex.Negative {
		return c.bases(a.Args[0], b.Args[0])
	}
	if b.Kind == latex.Based {
		a, b = b, a
	}
	if a.Kind != latex.Based {
		return Different, false
	}
	if b.Kind == latex.Based {
		return c.named("base", outcome(a.Name == b.Name && key(a.Args[0]) == key(b.Args[0]))), true
	}
	return c.named("base", outcome(b.Kind == latex.Number && !b.Decimal && b.Value.IsInt() && b.Value.Num().String() == a.Name)), true
}

func outcome(same bool) Outcome {
	if same {
		return Same
	}
	return Different
}

func (c *comparer) rationals(a, b *big.Rat, decimal bool) Outcome {
	if a.Cmp(b) == 0 {
		return c.named("rational", Same)
	}
	if decimal && c.fits(size(a)+size(b), false) && Rounded(a, b) {
		return c.named("decimal", Same)
	}
	return c.named("rational", Different)
}

// Rounded compares numbers of which one was written with a decimal point: to six
// places, below 0.1 to six digits.
func Rounded(x, y *big.Rat) bool {
	largest := new(big.Rat).Abs(x)
	if absolute := new(big.Rat).Abs(y); absolute.Cmp(largest) > 0 {
		largest = absolute
	}
	const places = 400 // of the smallest number that is told from 0
	bound, ten, tenth := big.NewRat(1, 2_000_000), big.NewRat(10, 1), big.NewRat(1, 10)
	for i := 0; i < places && largest.Cmp(tenth) < 0; i++ {
		bound.Mul(bound, tenth)
		largest.Mul(largest, ten)
	}
	difference := new(big.Rat).Sub(x, y)
	return difference.Abs(difference).Cmp(bound) <= 0
}

// HasDecimal reports whether a number of the tree was written with a decimal point.
func HasDecimal(n *latex.Node) bool {
	return !n.Walk(func(n *latex.Node) bool { return !n.Decimal })
}

// infinite returns 1 for ∞, −1 for −∞ and 0 for anything else.
func infinite(n *latex.Node) int {
	switch {
	case n.Kind == latex.Symbol && n.Name == "infty":
		return 1
	case n.Kind == latex.Negative:
		return -infinite(n.Args[0])
	}
	return 0
}

// functions compares formulas at several points. Points at which a root or a logarithm
// leaves the real numbers are outside of the domain that is meant, and skipped as long
// as there are others.
func (c *comparer) functions(a, b *latex.Node, decimal bool) Outcome {
	agree := 0
	for round := range uint64(tries) {
		o, strayed := c.at(a, b, round, decimal)
		if c.bothUndefined && o == Different || strayed && o != Same {
			continue
		}
		if o != Same {
			return o
		}
		if agree++; agree == points {
			return Same
		}
	}
	return outcome(agree >= 2)
}

// at compares the values at one point: first to a few digits, which tells most apart,
// then to hundreds.
func (c *comparer) at(a, b *latex.Node, round uint64, decimal bool) (o Outcome, strayed bool) {
	c.bothUndefined = false
	bits := uint(firstBits)
	for {
		e := &evaluator{arithmetic: arithmetic{bits}, exact: &c.exact, seed: c.seed, round: round}
		x, errA := e.eval(a)
		y, errB := e.eval(b)
		switch {
		case errors.Is(errA, errBudget) || errors.Is(errB, errBudget):
			return Unknown, e.strayed
		case errA != nil || errB != nil:
			c.bothUndefined = errA != nil && errB != nil
			return Different, e.strayed
		case decimal:
			return outcome(nearly(approximate(x), approximate(y))), e.strayed
		case bits > firstBits:
			near, rounded := e.agree(x, y)
			return outcome(near && rounded), e.strayed
		}
		if near, rounded := e.agree(x, y); !near && !rounded {
			return Different, e.strayed
		}
		if e.peak > maxPeak {
			return Unknown, e.strayed
		}
		bits = finalBits + uint(max(0, e.peak))
	}
}

// agree compares two values: near if their leading bits are equal, rounded if they differ
// by no more than rounding of the largest value on the way can change.
func (e *evaluator) agree(x, y value) (near, rounded bool) {
	d := e.arithmetic.add(x, e.neg(y)).exponent()
	bits := int(e.bits)
	near = d == none || d <= max(x.exponent(), y.exponent())-min(200, bits/4)
	return near, d <= max(0, e.peak)-bits+min(150, bits/2)
}

// nearly is [Rounded] for values.
func nearly(x, y complex128) bool {
	largest := math.Max(cmplx.Abs(x), cmplx.Abs(y))
	digits := math.Floor(math.Log10(largest)) + 1
	return largest == 0 || cmplx.Abs(x-y) <= 5e-7*math.Pow(10, math.Min(0, digits))
}

// real returns the value of a real number, for sorting.
func (c *comparer) real(n *latex.Node) (float64, bool) {
	if s := infinite(n); s != 0 {
		return math.Inf(s), true
	}
	if r, ok := c.rational(n); ok {
		x, _ := r.Float64()
		return x, !math.IsInf(x, 0)
	}
	if n.Free() {
		return 0, false
	}
	e := &evaluator{arithmetic: arithmetic{firstBits}, exact: &c.exact}
	x, err := e.eval(n)
	if err != nil || x.im != nil {
		return 0, false
	}
	return real(approximate(x)), true
}
