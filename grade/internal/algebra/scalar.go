package algebra

import (
	"errors"
	"math"
	"math/big"
	"slices"

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
	if sa, sb := infinite(a), infinite(b); sa != 0 || sb != 0 {
		return c.named("infinity", outcome(sa == sb))
	}
	decimal := IsDecimal(a) || IsDecimal(b)
	if a.Free() || b.Free() {
		return c.named("points", c.functions(a, b, decimal))
	}
	o, _ := c.at(a, b, 0, decimal)
	return o
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
			o = c.scalars(&latex.Node{Kind: latex.Quotient, Args: []*latex.Node{a.Args[0], hundred}}, b)
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

// IsDecimal reports whether an answer was written as a number with a decimal point, which
// may be rounded, or is a formula with such numbers. A fraction of them is not.
func IsDecimal(n *latex.Node) bool {
	switch n.Kind {
	case latex.Quotient:
		return n.Free() && !n.Walk(func(n *latex.Node) bool { return !n.Decimal })
	case latex.Number:
		return n.Decimal
	}
	return slices.ContainsFunc(n.Args, IsDecimal)
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

// at compares the values at one point: exactly if they are rational by their form, and
// otherwise first to a few digits, which tells most apart, then to hundreds.
func (c *comparer) at(a, b *latex.Node, round uint64, decimal bool) (o Outcome, strayed bool) {
	c.bothUndefined = false
	bits := uint(firstBits)
	for {
		e := c.evaluator(bits, round)
		x, errA := e.eval(a)
		y, errB := e.eval(b)
		switch {
		case errors.Is(errA, errBudget) || errors.Is(errB, errBudget):
			return Unknown, e.strayed
		case errA != nil || errB != nil:
			c.bothUndefined = errA != nil && errB != nil
			return c.named("value", Different), e.strayed
		case x.exact != nil && y.exact != nil:
			return c.rationals(x.exact, y.exact, decimal), e.strayed
		}
		same, different := e.agree(e.rounded(x), e.rounded(y), decimal)
		if bits > firstBits || different {
			return c.named("value", outcome(same)), e.strayed
		}
		if e.peak > maxPeak {
			return Unknown, e.strayed
		}
		bits = finalBits + uint(max(0, e.peak))
	}
}

func (c *comparer) evaluator(bits uint, round uint64) *evaluator {
	return &evaluator{arithmetic: arithmetic{bits}, budget: &c.budget, seed: c.seed, round: round}
}

// agree compares two values. They are the same if they are near and differ by no more than
// rounding of the largest value on the way can change; with a decimal point in one of
// them, if they differ by no more than [Rounded] allows.
func (e *evaluator) agree(x, y value, decimal bool) (same, different bool) {
	distance, bits := e.abs(e.add(x, e.neg(y))), int(e.bits)
	rounded := distance.exponent() <= max(0, e.peak)-bits+min(150, bits/2)
	near := e.near(x, y)
	if decimal {
		largest, _ := e.abs(x).re.Float64()
		other, _ := e.abs(y).re.Float64()
		digits := math.Floor(math.Log10(max(largest, other))) + 1
		near = distance.re.Sign() == 0 || distance.re.Cmp(big.NewFloat(5e-7*math.Pow(10, min(0, digits)))) <= 0
		return near, !near && !rounded
	}
	return near && rounded, !near && !rounded
}

// near reports whether the leading bits of two values are equal.
func (e *evaluator) near(x, y value) bool {
	d := e.add(x, e.neg(y)).exponent()
	return d == none || d <= max(x.exponent(), y.exponent())-min(200, int(e.bits)/4)
}
