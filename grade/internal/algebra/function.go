package algebra

import (
	"math/big"
	"math/cmplx"
	"sync"
)

// known are π and ln 2.
type known struct{ pi, ln2 *big.Float }

// The constants to the usual precision and to the largest, made when they are needed.
var (
	usualConstants   = sync.OnceValue(func() known { return constants(2 * finalBits) })
	largestConstants = sync.OnceValue(func() known { return constants(maxPeak + 2*finalBits) })
)

// known returns the constants to at least the precision.
func (a arithmetic) known() known {
	if a.bits < 2*finalBits-64 {
		return usualConstants()
	}
	return largestConstants()
}

// constants works π and ln 2 out, by Machin's formulas.
func constants(bits uint) (c known) {
	sum := func(sign int64, terms ...[2]int64) *big.Float {
		total := new(big.Int)
		for _, t := range terms {
			total.Add(total, new(big.Int).Mul(big.NewInt(t[0]), inverseTangent(t[1], sign, bits)))
		}
		return new(big.Float).SetMantExp(new(big.Float).SetPrec(bits).SetInt(total), -int(bits))
	}
	c.pi = sum(-1, [2]int64{16, 5}, [2]int64{-4, 239})
	c.ln2 = sum(1, [2]int64{18, 26}, [2]int64{-2, 4801}, [2]int64{8, 8749})
	return c
}

// inverseTangent returns arctan 1/n for the sign −1 and artanh 1/n for the sign 1, in
// units of 2^−bits.
func inverseTangent(n, sign int64, bits uint) *big.Int {
	power := new(big.Int).Lsh(big.NewInt(1), bits)
	power.Quo(power, big.NewInt(n))
	total, square := new(big.Int), big.NewInt(sign*n*n)
	for k := int64(1); power.Sign() != 0; k += 2 {
		total.Add(total, new(big.Int).Quo(power, big.NewInt(k)))
		power.Quo(power, square)
	}
	return total
}

func (a arithmetic) pi() value { return value{re: a.float().Set(a.known().pi)} }

// exp returns e^x, and false if x is too large. It adds the Taylor series at x/2^k and
// squares the sum k times.
func (a arithmetic) exp(x value) (value, bool) {
	const largest = 24
	m := x.exponent()
	switch {
	case m > largest:
		return value{}, false
	case m == none:
		return a.integer(1), true
	}
	k := max(0, max(m, -100)+9)
	w := arithmetic{a.bits + uint(2*k) + 16}
	step := w.shifted(x, -k)
	sum, term := w.integer(1), w.integer(1)
	for n := int64(1); term.exponent() > -int(w.bits)-4; n++ {
		term = w.mul(term, step)
		over := w.integer(n).re
		term.re = w.float().Quo(term.re, over)
		if term.im != nil {
			term.im = w.float().Quo(term.im, over)
		}
		sum = value{re: w.float().Add(sum.re, term.re), im: addParts(w, sum.im, term.im)}
	}
	for range k {
		sum = w.mul(sum, sum)
	}
	return a.shifted(sum, 0), true
}

func addParts(w arithmetic, x, y *big.Float) *big.Float {
	switch {
	case x == nil:
		return y
	case y == nil:
		return x
	}
	return w.float().Add(x, y)
}

// log returns the principal logarithm, and false for 0. It writes x as m·2^e and finds
// ln m by Newton's method from a float64.
func (a arithmetic) log(x value) (value, bool) {
	e := x.exponent()
	if e == none {
		return value{}, false
	}
	if x.im == nil && x.re.Sign() < 0 {
		l, ok := a.log(a.neg(x))
		l.im = a.pi().re
		return l, ok
	}
	m := a.shifted(x, -e)
	start := cmplx.Log(approximate(m))
	w := value{re: a.float().SetFloat64(real(start))}
	if m.im != nil {
		w.im = a.float().SetFloat64(imag(start))
	}
	for known := 45; known < int(a.bits)+8; known *= 2 { // w += m·e^(−w) − 1
		inverse, ok := a.exp(a.neg(w))
		if !ok {
			return value{}, false
		}
		step := a.mul(m, inverse)
		step.re.Sub(step.re, a.integer(1).re)
		w = value{re: a.float().Add(w.re, step.re), im: addParts(a, w.im, step.im)}
	}
	shift := a.mul(a.integer(int64(e)), value{re: a.float().Set(a.known().ln2)})
	return a.add(w, shift), true
}

// sqrt returns the principal square root.
func (a arithmetic) sqrt(x value) value {
	if x.im == nil {
		r := value{re: a.float().Sqrt(a.float().Abs(x.re))}
		if x.re.Sign() < 0 {
			r.re, r.im = a.float(), r.re
		}
		return r
	}
	t := a.float().Add(a.float().Sqrt(a.norm(x)), a.float().Abs(x.re)) // t = √((|x| + |re|)/2)
	t.Sqrt(t.SetMantExp(t, -1))
	if t.Sign() == 0 {
		return value{re: t}
	}
	other := a.float().Quo(x.im, a.float().SetMantExp(t, 1))
	if x.re.Sign() >= 0 {
		return value{re: t, im: other}
	}
	if x.im.Sign() < 0 {
		t.Neg(t)
	}
	return value{re: a.float().Abs(other), im: t}
}

// sinCos returns sin x and cos x of a real x.
func (a arithmetic) sinCos(x value) (sin, cos value, ok bool) {
	e, ok := a.exp(a.timesI(x))
	if !ok {
		return sin, cos, false
	}
	if e.im == nil {
		e.im = a.float()
	}
	return value{re: e.im}, value{re: e.re}, true
}

// arcTan returns (i/2)·(ln(1 − ix) − ln(1 + ix)).
func (a arithmetic) arcTan(x value) (value, bool) {
	ix, one := a.timesI(x), a.integer(1)
	low, ok1 := a.log(a.add(one, a.neg(ix)))
	high, ok2 := a.log(a.add(one, ix))
	if !ok1 || !ok2 {
		return value{}, false
	}
	return realIf(x.im == nil, a.half(a.timesI(a.add(low, a.neg(high))))), true
}

// arcSin returns −i·ln(ix + √(1 − x²)).
func (a arithmetic) arcSin(x value) (value, bool) {
	root := a.sqrt(a.add(a.integer(1), a.neg(a.mul(x, x))))
	l, ok := a.log(a.add(a.timesI(x), root))
	if !ok {
		return value{}, false
	}
	return realIf(x.im == nil && root.im == nil, a.neg(a.timesI(l))), true
}

// realIf drops the imaginary part, which is rounding alone, if the value is real.
func realIf(isReal bool, x value) value {
	if isReal {
		x.im = nil
	}
	return x
}
