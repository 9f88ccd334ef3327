package algebra

import (
	"math"
	"math/big"

	"rcvae/grade/internal/latex"
)

const (
	wordBits    = 64
	maxRational = 1 << 17 // bits of an exact result
)

// budget is what is left for a comparison, in operations on machine words. The cost of
// an operation grows with the size of its numbers.
type budget struct{ left int }

// spend counts work before it is done; false if that is more than what is left, after
// which nothing is.
func (b *budget) spend(words int) bool {
	if words > b.left {
		b.left = -1
		return false
	}
	b.left -= words
	return true
}

// fits counts the work of making a number of this many bits, and tells whether that is
// within the limits. Fractions are reduced, which takes the square of their length.
func (b *budget) fits(bits int, whole bool) bool {
	words := bits/wordBits + 1
	cost := 16 + words*words/2
	if whole {
		cost = 16 + int(math.Pow(float64(words), 1.6))
	}
	return bits <= maxRational && b.spend(cost)
}

func size(r *big.Rat) int { return r.Num().BitLen() + r.Denom().BitLen() }

// combine works one operation out exactly, if the result is a rational number that is
// not too large.
func (b *budget) combine(kind latex.Kind, x, y *big.Rat) (*big.Rat, bool) {
	if kind == latex.Power {
		return b.integerPower(x, y)
	}
	whole := kind != latex.Quotient && x.IsInt() && y.IsInt()
	if whole && kind == latex.Sum {
		if !b.spend(16 + (size(x)+size(y))/wordBits) {
			return nil, false
		}
		return new(big.Rat).SetInt(new(big.Int).Add(x.Num(), y.Num())), true
	}
	if kind == latex.Quotient && y.Sign() == 0 || !b.fits(size(x)+size(y), whole) {
		return nil, false
	}
	switch kind {
	case latex.Sum:
		return new(big.Rat).Add(x, y), true
	case latex.Product:
		return new(big.Rat).Mul(x, y), true
	default:
		return new(big.Rat).Quo(x, y), true
	}
}

func (b *budget) integerPower(x, y *big.Rat) (*big.Rat, bool) {
	if !y.IsInt() || x.Sign() == 0 && y.Sign() < 0 {
		return nil, false
	}
	n := y.Num().Int64()
	if !y.Num().IsInt64() || n > maxRational || n < -maxRational {
		return nil, false
	}
	over, under := x.Num(), x.Denom()
	if n < 0 {
		n = -n
		inverse := new(big.Rat).Inv(x)
		over, under = inverse.Num(), inverse.Denom()
	}
	bits := over.BitLen()
	if bits > 1 && over.TrailingZeroBits() == uint(bits-1) { // a power of two
		bits--
	}
	bits += under.BitLen() - 1 // 1 has one bit
	if !b.fits(bits*int(n), x.IsInt()) {
		return nil, false
	}
	exponent := big.NewInt(n)
	return new(big.Rat).SetFrac(new(big.Int).Exp(over, exponent, nil), new(big.Int).Exp(under, exponent, nil)), true
}

// squareRoot returns the root of a square.
func squareRoot(x *big.Rat) (*big.Rat, bool) {
	if x.Sign() < 0 {
		return nil, false
	}
	r := new(big.Rat).SetFrac(new(big.Int).Sqrt(x.Num()), new(big.Int).Sqrt(x.Denom()))
	return r, new(big.Rat).Mul(r, r).Cmp(x) == 0
}

// Number returns the exact value of an answer that is a rational number by its form, or
// an equation that gives a name such a value. Of 28 % it is 28.
func Number(n *latex.Node, limits Limits) (*big.Rat, bool) {
	if n.Kind == latex.Relation {
		_, value, ok := assignment(n)
		if !ok {
			return nil, false
		}
		n = value
	}
	if n.Kind == latex.Percent {
		n = n.Args[0]
	}
	if n.Has(latex.Based) || n.Kind == latex.Relation {
		return nil, false
	}
	e := evaluator{budget: &budget{limits.Work}}
	x, err := e.eval(n)
	return x.exact, err == nil
}
