package signal

import (
	"math"
	"math/bits"
	"strconv"
)

// number is the value of an expression: always as a float, and exactly, as the
// fraction num/den in lowest terms, for as long as that fits.
type number struct {
	num, den int64   // den is 0 where the value is not exact
	f        float64 //
	slack    float64 // by how much rounded operands may have moved the value
}

func integer(n int64) number { return number{num: n, den: 1, f: float64(n)} }

func inexact(f float64) number { return number{f: f} }

func (a number) exact() bool { return a.den != 0 }

// isInteger also holds for an inexact value that no float tells from an integer.
func (a number) isInteger() bool {
	if a.exact() {
		return a.den == 1
	}
	return math.Abs(a.f-math.Round(a.f)) <= 1e-9*math.Max(1, math.Abs(a.f))
}

// fraction reduces num/den; den must not be 0.
func fraction(num, den int64) number {
	if num == math.MinInt64 || den == math.MinInt64 {
		return inexact(float64(num) / float64(den))
	}
	if den < 0 {
		num, den = -num, -den
	}
	if g := gcd(abs(num), den); g > 1 {
		num, den = num/g, den/g
	}
	return number{num: num, den: den, f: float64(num) / float64(den)}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func abs(a int64) int64 {
	if a < 0 {
		return -a
	}
	return a
}

// times is a·b, or false when it does not fit.
func times(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(abs(a)), uint64(abs(b)))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

func (a number) neg() number { a.num, a.f = -a.num, -a.f; return a }

func (a number) add(b number) number {
	sum := number{f: a.f + b.f, slack: a.slack + b.slack}
	if !a.exact() || !b.exact() {
		return sum
	}
	if z := a.num + b.num; a.den == 1 && b.den == 1 && (a.num > 0) == (z > b.num) {
		sum.num, sum.den, sum.f = z, 1, float64(z)
		return sum
	}
	x, ok1 := times(a.num, b.den)
	y, ok2 := times(b.num, a.den)
	den, ok3 := times(a.den, b.den)
	z := x + y
	if ok1 && ok2 && ok3 && (x > 0) == (z > y) {
		exact := fraction(z, den)
		exact.slack = sum.slack
		return exact
	}
	return sum
}

func (a number) mul(b number) number {
	slack := math.Abs(a.f)*b.slack + math.Abs(b.f)*a.slack + a.slack*b.slack
	product := number{f: a.f * b.f, slack: slack}
	if !a.exact() || !b.exact() {
		return product
	}
	num, ok1 := times(a.num, b.num)
	den, ok2 := times(a.den, b.den)
	if ok1 && den == 1 {
		product.num, product.den, product.f = num, 1, float64(num)
		return product
	}
	if ok1 && ok2 {
		exact := fraction(num, den)
		exact.slack = slack
		return exact
	}
	return product
}

// inverse is 1/a; a must not be 0.
func (a number) inverse() number {
	inv := inexact(1 / a.f)
	if a.exact() {
		inv = fraction(a.den, a.num)
	}
	inv.slack = a.slack / (a.f * a.f)
	return inv
}

// power raises a to an exponent that must not exceed 64 in size.
func (a number) power(exponent number) (number, bool) {
	if !exponent.exact() || exponent.den != 1 {
		f := math.Pow(a.f, exponent.f)
		return inexact(f), a.f > 0 && !math.IsInf(f, 0)
	}
	n := exponent.num
	if abs(n) > 64 || n < 0 && a.f == 0 {
		return number{}, false
	}
	result := integer(1)
	for range abs(n) {
		result = result.mul(a)
	}
	if n < 0 {
		result = result.inverse()
	}
	return result, !math.IsInf(result.f, 0) && !math.IsNaN(result.f)
}

// root is the root of an index of 2 or more, exact where it is an integer.
func (a number) root(index number) (number, bool) {
	if a.f < 0 {
		return number{}, false
	}
	f := math.Pow(a.f, 1/index.f)
	if whole := integer(int64(math.Round(f))); f < 1e9 {
		if back, ok := whole.power(index); ok && back.equal(a) {
			return whole, true
		}
	}
	return inexact(f), true
}

// equal holds for the same value; inexact values may differ by what floats lose.
func (a number) equal(b number) bool {
	if a.exact() && b.exact() {
		return a.num == b.num && a.den == b.den
	}
	return math.Abs(a.f-b.f) <= 1e-9*max(1e-3, math.Abs(a.f), math.Abs(b.f))
}

// fits reports whether the value has no more than the given decimals.
func (a number) fits(decimals int) bool {
	if !a.exact() {
		scaled := a.f * math.Pow10(decimals)
		return math.Abs(scaled-math.Round(scaled)) <= 1e-9*math.Max(1, math.Abs(scaled))
	}
	for den, i := a.den, 0; ; i++ {
		if den == 1 {
			return true
		}
		if i == decimals {
			return false
		}
		den /= gcd(den, 10)
	}
}

// String writes the value as people do: an integer, a decimal if it ends, else
// rounded to four decimals.
func (a number) String() string {
	if a.exact() && a.den == 1 {
		return strconv.FormatInt(a.num, 10)
	}
	if a.fits(6) {
		return strconv.FormatFloat(a.f, 'f', -1, 64)
	}
	return strconv.FormatFloat(a.f, 'f', 4, 64)
}
