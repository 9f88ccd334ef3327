// Package algebra tells whether two answers, read by package latex, are the same.
//
// Numbers are compared exactly where they are rational by their form, whatever their
// size, and otherwise by their values to some hundred bits. Formulas with variables are
// evaluated at points that depend on the seed alone. All work is counted against a
// budget in machine words, so that a comparison is bounded in time and in memory and
// ends the same way on every machine.
package algebra

import (
	"math"
	"math/big"
)

// value is an exact rational number, or else a complex one of which a real one has no
// im.
type value struct {
	exact  *big.Rat
	re, im *big.Float
}

// none is the exponent of 0.
const none = math.MinInt32

// exponent returns e with |x| < 2^(e+1) and 2^(e−1) ≤ |x|, and none for 0.
func (x value) exponent() int {
	e := exponentOf(x.re)
	if x.im != nil {
		e = max(e, exponentOf(x.im))
	}
	return e
}

func exponentOf(x *big.Float) int {
	if x.Sign() == 0 {
		return none
	}
	return x.MantExp(nil)
}

// arithmetic computes with values of one precision.
type arithmetic struct{ bits uint }

func (a arithmetic) float() *big.Float { return new(big.Float).SetPrec(a.bits) }

func (a arithmetic) rational(r *big.Rat) value { return value{re: a.float().SetRat(r)} }

// rounded returns a value at the precision.
func (a arithmetic) rounded(x value) value {
	if x.exact != nil {
		return a.rational(x.exact)
	}
	return x
}

func (a arithmetic) integer(n int64) value { return value{re: a.float().SetInt64(n)} }

// add returns x + y. What is left when the terms cancel to their last bits is rounding
// and counts as 0.
func (a arithmetic) add(x, y value) value {
	const noise = 48 // bits at the end of a number that rounding may have changed
	floor := max(x.exponent(), y.exponent()) - int(a.bits) + noise
	flushed := func(z *big.Float) *big.Float {
		if exponentOf(z) < floor {
			return a.float()
		}
		return z
	}
	sum := value{re: flushed(a.float().Add(x.re, y.re))}
	switch {
	case x.im != nil && y.im != nil:
		if im := flushed(a.float().Add(x.im, y.im)); im.Sign() != 0 {
			sum.im = im
		}
	case x.im != nil:
		sum.im = x.im
	case y.im != nil:
		sum.im = y.im
	}
	return sum
}

func (a arithmetic) neg(x value) value {
	n := value{re: a.float().Neg(x.re)}
	if x.im != nil {
		n.im = a.float().Neg(x.im)
	}
	return n
}

func (a arithmetic) mul(x, y value) value {
	switch {
	case x.im == nil && y.im == nil:
		return value{re: a.float().Mul(x.re, y.re)}
	case x.im == nil:
		return value{re: a.float().Mul(x.re, y.re), im: a.float().Mul(x.re, y.im)}
	case y.im == nil:
		return value{re: a.float().Mul(x.re, y.re), im: a.float().Mul(x.im, y.re)}
	}
	return value{
		re: a.float().Sub(a.float().Mul(x.re, y.re), a.float().Mul(x.im, y.im)),
		im: a.float().Add(a.float().Mul(x.re, y.im), a.float().Mul(x.im, y.re)),
	}
}

// inv returns 1/x, and false for 0.
func (a arithmetic) inv(x value) (value, bool) {
	if x.exponent() == none {
		return value{}, false
	}
	if x.im == nil {
		return value{re: a.float().Quo(a.integer(1).re, x.re)}, true
	}
	norm := a.norm(x)
	return value{re: a.float().Quo(x.re, norm), im: a.float().Neg(a.float().Quo(x.im, norm))}, true
}

// norm returns |x|².
func (a arithmetic) norm(x value) *big.Float {
	n := a.float().Mul(x.re, x.re)
	if x.im != nil {
		n.Add(n, a.float().Mul(x.im, x.im))
	}
	return n
}

func (a arithmetic) abs(x value) value {
	if x.im == nil {
		return value{re: a.float().Abs(x.re)}
	}
	return value{re: a.float().Sqrt(a.norm(x))}
}

// power returns x^n, and false for 0^−n.
func (a arithmetic) power(x value, n int64) (value, bool) {
	if n < 0 {
		inverse, ok := a.inv(x)
		if !ok {
			return value{}, false
		}
		x, n = inverse, -n
	}
	result := a.integer(1)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result = a.mul(result, x)
		}
		if n > 1 {
			x = a.mul(x, x)
		}
	}
	return result, true
}

// half returns x/2.
func (a arithmetic) half(x value) value { return a.shifted(x, -1) }

// shifted returns x·2^n.
func (a arithmetic) shifted(x value, n int) value {
	s := value{re: a.float().SetMantExp(x.re, n)}
	if x.im != nil {
		s.im = a.float().SetMantExp(x.im, n)
	}
	return s
}

func (a arithmetic) timesI(x value) value {
	r := value{re: a.float(), im: x.re}
	if x.im != nil {
		r.re = a.float().Neg(x.im)
	}
	return r
}

// approximate returns x as a complex128.
func approximate(x value) complex128 {
	re, _ := x.re.Float64()
	if x.im == nil {
		return complex(re, 0)
	}
	im, _ := x.im.Float64()
	return complex(re, im)
}

// nearest returns the integer that a real value is, to 2^−40.
func nearest(x value) (int64, bool) {
	const sure = -40
	if x.im != nil || x.exponent() > 50 {
		return 0, false
	}
	approximately, _ := x.re.Float64()
	n := math.Round(approximately)
	distance := new(big.Float).SetPrec(x.re.Prec()).Sub(x.re, big.NewFloat(n))
	return int64(n), exponentOf(distance) <= sure
}
