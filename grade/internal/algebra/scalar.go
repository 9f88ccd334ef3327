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

// precisions are tried in turn, in bits, until the difference of two numbers is larger
// than its error, or the error so small that they are called equal. The first one only
// tells numbers apart, fast.
var precisions = [...]uint{64, 160, 320, maxBits}

const (
	equalBits = 110 // leading bits that agree in equal numbers
	tries     = 10  // points that are looked at
	points    = 4   // points at which equal formulas have equal values
)

// scalars compares two expressions.
func (c *comparer) scalars(a, b *latex.Node) Outcome {
	if o, done := c.percents(a, b); done {
		return o
	}
	if key(a) == key(b) {
		c.rule = "form"
		return Same
	}
	if o, done := c.bases(a, b); done {
		return o
	}
	decimal := hasDecimal(a) || hasDecimal(b)
	ra, okA := rationalOf(a)
	rb, okB := rationalOf(b)
	if okA && okB {
		return c.rationals(ra, rb, decimal)
	}
	if sa, sb := infinite(a), infinite(b); sa != 0 || sb != 0 {
		c.rule = "infinity"
		return outcome(sa == sb)
	}
	c.rule = "value"
	if a.Free() || b.Free() {
		c.rule = "points"
		return c.functions(a, b, decimal)
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
			if ra, ok := rationalOf(a); ok {
				o = c.scalars(&latex.Node{Kind: latex.Number, Value: ra, Decimal: hasDecimal(a)}, b)
			}
		}
		c.rule = "percent"
		return o, true
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
	c.rule = "base"
	if b.Kind == latex.Based {
		return outcome(a.Name == b.Name && key(a.Args[0]) == key(b.Args[0])), true
	}
	return outcome(b.Kind == latex.Number && !b.Decimal && b.Value.IsInt() && b.Value.Num().String() == a.Name), true
}

func outcome(same bool) Outcome {
	if same {
		return Same
	}
	return Different
}

func (c *comparer) rationals(a, b *big.Rat, decimal bool) Outcome {
	c.rule = "rational"
	if a.Cmp(b) == 0 {
		return Same
	}
	if !decimal {
		return Different
	}
	x, _ := a.Float64()
	y, _ := b.Float64()
	if nearly(complex(x, 0), complex(y, 0)) {
		c.rule = "decimal"
		return Same
	}
	return Different
}

// nearly compares numbers of which one was written with a decimal point: to six
// places, below 1 to six digits.
func nearly(x, y complex128) bool {
	return cmplx.Abs(x-y) <= 5e-7*math.Min(1, math.Max(cmplx.Abs(x), cmplx.Abs(y)))
}

func hasDecimal(n *latex.Node) bool {
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
		if c.undefined && o == Different && c.bothUndefined {
			continue
		}
		if strayed && o != Same {
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

// at compares the values at one point, with rising precision.
func (c *comparer) at(a, b *latex.Node, round uint64, decimal bool) (o Outcome, strayed bool) {
	for _, bits := range precisions {
		e := &evaluator{arithmetic: arithmetic{bits}, seed: c.seed, round: round, steps: &c.steps}
		x, errA := e.eval(a)
		y, errB := e.eval(b)
		c.undefined, c.bothUndefined = errA != nil || errB != nil, errA != nil && errB != nil
		switch {
		case errors.Is(errA, errBudget) || errors.Is(errB, errBudget):
			return Unknown, e.strayed
		case errA != nil || errB != nil:
			return Different, e.strayed
		case decimal:
			return outcome(nearly(approximate(x), approximate(y))), e.strayed
		}
		difference := e.add(x, e.neg(y))
		if !difference.isZero() {
			return Different, e.strayed
		}
		scale := max(x.magnitude(), y.magnitude())
		if difference.err <= scale-equalBits || difference.err <= -equalBits && scale < -equalBits/2 {
			return Same, e.strayed
		}
	}
	return Unknown, false
}

// real returns the value of a real number, for sorting.
func (c *comparer) real(n *latex.Node) (float64, bool) {
	if s := infinite(n); s != 0 {
		return math.Inf(s), true
	}
	if r, ok := rationalOf(n); ok {
		x, _ := r.Float64()
		return x, true
	}
	if n.Free() {
		return 0, false
	}
	e := &evaluator{arithmetic: arithmetic{precisions[0]}, steps: &c.steps}
	x, err := e.eval(n)
	if err != nil || x.im != nil && log2(x.im) > x.err {
		return 0, false
	}
	return real(approximate(x)), true
}
