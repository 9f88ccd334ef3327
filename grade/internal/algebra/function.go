package algebra

import (
	"math"
	"math/big"
	"math/cmplx"
)

// The constants in decimal; 100 digits are more than the largest precision needs.
const (
	piDigits  = "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798214808651328230664709384460955058223172535940812848111745"
	ln2Digits = "0.69314718055994530941723212145817656807550013436025525412068000949339362196969471560586332699641868754200148102057068573368552023575813055703267075163507596193"
)

// maxBits is the largest precision that the constants allow.
const maxBits = 480

func (a arithmetic) constant(digits string) ball {
	x, _, err := big.ParseFloat(digits, 10, a.bits, big.ToNearestEven)
	if err != nil {
		panic(err) // the digits are ours
	}
	return a.rounded(ball{re: x, err: exact})
}

// exp returns e^x, and false if that is too large or known to no digit. It adds the
// Taylor series at x/2^k and squares the sum k times.
func (a arithmetic) exp(x ball) (ball, bool) {
	const largest = 24
	m := x.magnitude()
	if m > largest || x.err > 0 {
		return ball{}, false
	}
	if m == exact && x.err == exact {
		return a.integer(1), true
	}
	k := max(0, int(max(m, -100))+9)
	w := arithmetic{a.bits + uint(2*k) + 16}
	step := ball{re: w.float().SetMantExp(x.re, -k), err: exact}
	if x.im != nil {
		step.im = w.float().SetMantExp(x.im, -k)
	}
	sum, term := w.integer(1), w.integer(1)
	for n := int64(1); term.magnitude() > -float64(w.bits)-4; n++ {
		term = w.mul(term, step)
		over := w.integer(n).re
		term.re = w.float().Quo(term.re, over)
		if term.im != nil {
			term.im = w.float().Quo(term.im, over)
		}
		sum = w.add(sum, term)
	}
	for range k {
		sum = w.mul(sum, sum)
	}
	result := a.round(sum)
	result.err = result.magnitude() + plus(x.err+1, -float64(a.bits)+2)
	return result, true
}

// round returns x in the precision of a, without an error bound.
func (a arithmetic) round(x ball) ball {
	r := ball{re: a.float().Set(x.re)}
	if x.im != nil {
		r.im = a.float().Set(x.im)
	}
	return r
}

// log returns the principal logarithm, and false when x may be 0. It writes x as
// m·2^e and finds ln m by Newton's method from a float64.
func (a arithmetic) log(x ball) (ball, bool) {
	if x.isZero() {
		return ball{}, false
	}
	if x.im == nil && x.re.Sign() < 0 {
		l, ok := a.log(a.neg(x))
		l.im = a.constant(piDigits).re
		return l, ok
	}
	e := exponent(x.re)
	if x.im != nil && x.im.Sign() != 0 && (x.re.Sign() == 0 || exponent(x.im) > e) {
		e = exponent(x.im)
	}
	m := ball{re: a.float().SetMantExp(x.re, -e), err: exact}
	if x.im != nil {
		m.im = a.float().SetMantExp(x.im, -e)
	}
	start := cmplx.Log(approximate(m))
	w := ball{re: a.float().SetFloat64(real(start)), err: exact}
	if m.im != nil {
		w.im = a.float().SetFloat64(imag(start))
	}
	for known := 45; known < int(a.bits)+8; known *= 2 { // w += m·e^(−w) − 1
		inverse, ok := a.exp(a.neg(w))
		if !ok {
			return ball{}, false
		}
		w = a.add(w, a.add(a.mul(m, inverse), a.integer(-1)))
		w.err = exact
	}
	w.err = plus(x.err-x.magnitude()+1-shrink(x.err-x.magnitude()), -float64(a.bits)+4)
	shift := a.mul(a.integer(int64(e)), a.constant(ln2Digits))
	return a.add(w, shift), true
}

// sqrt returns the principal square root.
func (a arithmetic) sqrt(x ball) ball {
	errOf := func(r ball) float64 {
		if x.isZero() {
			return x.err/2 + 1
		}
		m := x.magnitude()
		return plus(x.err-m/2+0.5-shrink(x.err-m), r.magnitude()-float64(a.bits)+3)
	}
	if x.im == nil {
		r := ball{re: a.float().Sqrt(a.float().Abs(x.re))}
		r.err = errOf(r)
		if square := a.float().Mul(r.re, r.re); x.err == exact && square.Acc() == big.Exact && square.Cmp(a.float().Abs(x.re)) == 0 {
			r.err = exact
		}
		if x.re.Sign() < 0 {
			r.re, r.im = a.float(), r.re
		}
		return r
	}
	modulus := a.float().Sqrt(a.norm(x))
	t := a.float().Add(modulus, a.float().Abs(x.re)) // t = √((|x| + |re|)/2)
	t.Sqrt(t.SetMantExp(t, -1))
	if t.Sign() == 0 {
		return ball{re: t, err: errOf(ball{re: t})}
	}
	other := a.float().Quo(x.im, a.float().SetMantExp(t, 1))
	r := ball{re: t, im: other}
	if x.re.Sign() < 0 {
		r = ball{re: a.float().Abs(other), im: t}
		if x.im.Sign() < 0 {
			r.im = a.float().Neg(t)
		}
	}
	r.err = errOf(r)
	return r
}

// expi returns e^(ix) for any x.
func (a arithmetic) expi(x ball) (ball, bool) { return a.exp(a.timesI(x)) }

func (a arithmetic) timesI(x ball) ball {
	r := ball{re: a.float(), im: x.re, err: x.err}
	if x.im != nil {
		r.re = a.float().Neg(x.im)
	}
	return r
}

// half returns x/2.
func (a arithmetic) half(x ball) ball {
	h := ball{re: a.float().SetMantExp(x.re, -1), err: x.err}
	if x.im != nil {
		h.im = a.float().SetMantExp(x.im, -1)
	}
	return h
}

// sinCos returns sin x and cos x.
func (a arithmetic) sinCos(x ball) (sin, cos ball, ok bool) {
	up, ok := a.expi(x)
	if !ok {
		return sin, cos, false
	}
	if x.im == nil {
		if up.im == nil {
			up.im = a.float()
		}
		return ball{re: up.im, err: up.err}, ball{re: up.re, err: up.err}, true
	}
	down, ok := a.expi(a.neg(x))
	if !ok {
		return sin, cos, false
	}
	cos = a.half(a.add(up, down))
	sin = a.neg(a.timesI(a.half(a.add(up, a.neg(down)))))
	return sin, cos, true
}

// arcTan returns (i/2)·(ln(1 − ix) − ln(1 + ix)).
func (a arithmetic) arcTan(x ball) (ball, bool) {
	ix, one := a.timesI(x), a.integer(1)
	low, ok1 := a.log(a.add(one, a.neg(ix)))
	high, ok2 := a.log(a.add(one, ix))
	if !ok1 || !ok2 {
		return ball{}, false
	}
	return realIf(x.im == nil, a.half(a.timesI(a.add(low, a.neg(high))))), true
}

// arcSin returns −i·ln(ix + √(1 − x²)).
func (a arithmetic) arcSin(x ball) (ball, bool) {
	root := a.sqrt(a.add(a.integer(1), a.neg(a.mul(x, x))))
	l, ok := a.log(a.add(a.timesI(x), root))
	if !ok {
		return ball{}, false
	}
	return realIf(x.im == nil && root.im == nil, a.neg(a.timesI(l))), true
}

// realIf drops the imaginary part, which is rounding alone, if the value is real.
func realIf(isReal bool, x ball) ball {
	if isReal {
		x.im = nil
	}
	return x
}

// approximate returns x as a complex128.
func approximate(x ball) complex128 {
	re, _ := x.re.Float64()
	if x.im == nil {
		return complex(re, 0)
	}
	im, _ := x.im.Float64()
	return complex(re, im)
}

// nearest returns the integer that a real ball holds; it must be known to 2^−40.
func nearest(x ball) (int64, bool) {
	const sure = -40
	if x.im != nil || x.err > sure || x.magnitude() > 50 {
		return 0, false
	}
	value, _ := x.re.Float64()
	n := math.Round(value)
	distance := new(big.Float).SetPrec(x.re.Prec()).Sub(x.re, big.NewFloat(n))
	return int64(n), log2(distance) <= sure
}
