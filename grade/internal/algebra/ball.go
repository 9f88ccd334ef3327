// Package algebra tells whether two answers, read by package latex, are the same.
//
// Numbers are compared exactly where they are rational, and otherwise by evaluation
// with balls: complex numbers of a given precision with a bound of their error.
// Formulas with variables are evaluated at points that depend on the seed alone.
package algebra

import (
	"math"
	"math/big"
)

// ball is a complex number x with |x − (re + i·im)| ≤ 2^err. A real one has no im.
type ball struct {
	re, im *big.Float
	err    float64
}

// exact is the err of a number without error.
var exact = math.Inf(-1)

// magnitude returns a bound of log2 |x| that is at most half a bit too large.
func (x ball) magnitude() float64 {
	m := log2(x.re)
	if x.im != nil {
		m = max(m, log2(x.im)) + 0.5
	}
	return m
}

// log2 returns the logarithm of |x|, rounded up a little.
func log2(x *big.Float) float64 {
	if x.Sign() == 0 {
		return exact
	}
	var mantissa big.Float
	e := x.MantExp(&mantissa)
	f, _ := mantissa.Float64()
	return math.Log2(math.Abs(f)) + float64(e) + 1e-9
}

// exponent returns e with |x| < 2^e; x is not 0.
func exponent(x *big.Float) int { return x.MantExp(nil) }

// plus returns log2(2^x + 2^y + …), rounded up a little.
func plus(terms ...float64) float64 {
	largest := exact
	for _, t := range terms {
		largest = max(largest, t)
	}
	if math.IsInf(largest, 0) {
		return largest
	}
	sum := 0.0
	for _, t := range terms {
		sum += math.Exp2(t - largest)
	}
	return largest + math.Log2(sum) + 1e-9
}

// isZero reports whether the ball may hold 0.
func (x ball) isZero() bool { return x.magnitude() <= x.err+0.5 }

// sign returns the sign of the real part, as far as the error lets it be known.
func (x ball) sign() int {
	if log2(x.re) <= x.err {
		return 0
	}
	return x.re.Sign()
}

// arithmetic computes with balls of one precision.
type arithmetic struct{ bits uint }

func (a arithmetic) float() *big.Float { return new(big.Float).SetPrec(a.bits) }

func (a arithmetic) rational(r *big.Rat) ball {
	x := a.float().SetRat(r)
	if r.IsInt() && x.IsInt() && x.Acc() == big.Exact {
		return ball{re: x, err: exact}
	}
	return a.rounded(ball{re: x, err: exact})
}

func (a arithmetic) integer(n int64) ball { return ball{re: a.float().SetInt64(n), err: exact} }

// rounded adds the error of rounding the result of one operation.
func (a arithmetic) rounded(x ball) ball {
	x.err = plus(x.err, x.magnitude()-float64(a.bits))
	return x
}

func (a arithmetic) add(x, y ball) ball {
	sum := ball{re: a.float().Add(x.re, y.re), err: plus(x.err, y.err)}
	switch {
	case x.im != nil && y.im != nil:
		sum.im = a.float().Add(x.im, y.im)
	case x.im != nil:
		sum.im = x.im
	case y.im != nil:
		sum.im = y.im
	}
	if sum.err == exact && sum.im == nil && sum.re.Acc() == big.Exact {
		return sum
	}
	return a.rounded(sum)
}

func (a arithmetic) neg(x ball) ball {
	n := ball{re: a.float().Neg(x.re), err: x.err}
	if x.im != nil {
		n.im = a.float().Neg(x.im)
	}
	return n
}

func (a arithmetic) mul(x, y ball) ball {
	p := ball{err: exact}
	switch {
	case x.im == nil && y.im == nil:
		p.re = a.float().Mul(x.re, y.re)
		if x.err == exact && y.err == exact && p.re.Acc() == big.Exact {
			return p
		}
	case x.im == nil:
		p.re, p.im = a.float().Mul(x.re, y.re), a.float().Mul(x.re, y.im)
	case y.im == nil:
		p.re, p.im = a.float().Mul(x.re, y.re), a.float().Mul(x.im, y.re)
	default:
		p.re = a.float().Sub(a.float().Mul(x.re, y.re), a.float().Mul(x.im, y.im))
		p.im = a.float().Add(a.float().Mul(x.re, y.im), a.float().Mul(x.im, y.re))
	}
	mx, my := x.magnitude(), y.magnitude()
	p.err = plus(mx+y.err, my+x.err, x.err+y.err, mx+my-float64(a.bits)+1)
	return p
}

// inv returns 1/x, and false when x may be 0.
func (a arithmetic) inv(x ball) (ball, bool) {
	if x.isZero() {
		return ball{}, false
	}
	m := x.magnitude()
	var r ball
	if x.im == nil {
		r.re = a.float().Quo(a.integer(1).re, x.re)
	} else {
		norm := a.norm(x)
		r.re = a.float().Quo(x.re, norm)
		r.im = a.float().Neg(a.float().Quo(x.im, norm))
	}
	r.err = plus(x.err-2*m+1.5-shrink(x.err-m), r.magnitude()-float64(a.bits)+2)
	return r, true
}

// shrink returns log2(1 − 2^d) for the ratio 2^d of an error and its number: the number
// may be that much smaller.
func shrink(d float64) float64 { return math.Log2(max(1e-3, 1-math.Exp2(d+0.5))) }

// norm returns |x|².
func (a arithmetic) norm(x ball) *big.Float {
	n := a.float().Mul(x.re, x.re)
	if x.im != nil {
		n.Add(n, a.float().Mul(x.im, x.im))
	}
	return n
}

func (a arithmetic) abs(x ball) ball {
	if x.im == nil {
		return ball{re: a.float().Abs(x.re), err: x.err}
	}
	return ball{re: a.float().Sqrt(a.norm(x)), err: plus(x.err, x.magnitude()-float64(a.bits)+2)}
}

// power returns x^n for an integer n, and false for 0^−n.
func (a arithmetic) power(x ball, n int64) (ball, bool) {
	if n < 0 {
		inverse, ok := a.inv(x)
		if !ok {
			return ball{}, false
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

// finite reports whether no part has run over.
func (x ball) finite() bool {
	const most = 1 << 28
	m := x.magnitude()
	return !x.re.IsInf() && (x.im == nil || !x.im.IsInf()) && (m == exact || m < most && m > -most) && !math.IsNaN(x.err)
}
