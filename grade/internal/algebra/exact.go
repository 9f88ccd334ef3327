package algebra

import (
	"maps"
	"math"
	"math/big"

	"rcvae/grade/internal/latex"
)

const (
	wordBits    = 64
	maxRational = 1 << 17 // bits of an exact result
)

// exact works out numbers that are rational by their form, within a budget of word
// operations. The cost of an operation grows with the size of its numbers.
type exact struct {
	left   int                 // of the budget
	beyond bool                // something was larger than the budget or than maxRational
	bound  map[string]*big.Rat // variables of sums
}

// spend counts work; false if there is none left.
func (e *exact) spend(words int) bool {
	if e.left -= words; e.left < 0 {
		e.beyond = true
	}
	return e.left >= 0
}

// fits counts the work of making a number of this many bits, and tells whether that is
// within the limits. Fractions are reduced, which takes the square of their length.
func (e *exact) fits(bits int, whole bool) bool {
	words := bits/wordBits + 1
	cost := 16 + words*words/2
	if whole {
		cost = 16 + int(math.Pow(float64(words), 1.6))
	}
	if bits > maxRational || !e.spend(cost) {
		e.beyond = true
		return false
	}
	return true
}

func size(r *big.Rat) int { return r.Num().BitLen() + r.Denom().BitLen() }

// rational returns the exact value of an expression that is a rational number by its
// form: no variable, no constant but integers and decimals, no root but of a square.
func (e *exact) rational(n *latex.Node) (*big.Rat, bool) {
	switch n.Kind {
	case latex.Number:
		return n.Value, true
	case latex.Symbol:
		r := e.bound[n.Name]
		return r, r != nil
	case latex.Based:
		return e.based(n)
	case latex.Call:
		return e.call(n)
	case latex.Sum, latex.Product, latex.Quotient, latex.Power, latex.Negative, latex.Percent:
		return e.operation(n)
	}
	return nil, false
}

func (e *exact) operation(n *latex.Node) (*big.Rat, bool) {
	total, ok := e.rational(n.Args[0])
	if !ok || !e.spend(1) {
		return nil, false
	}
	for _, a := range n.Args[1:] {
		r, ok := e.rational(a)
		if !ok {
			return nil, false
		}
		if total, ok = e.combine(n.Kind, total, r); !ok {
			return nil, false
		}
	}
	switch n.Kind {
	case latex.Negative:
		total = new(big.Rat).Neg(total)
	case latex.Percent:
		total = new(big.Rat).Quo(total, big.NewRat(100, 1))
	}
	return total, true
}

func (e *exact) combine(kind latex.Kind, x, y *big.Rat) (*big.Rat, bool) {
	if kind == latex.Power {
		return e.integerPower(x, y)
	}
	whole := kind != latex.Quotient && x.IsInt() && y.IsInt()
	if whole && kind == latex.Sum {
		return new(big.Rat).SetInt(new(big.Int).Add(x.Num(), y.Num())), e.spend(16 + (size(x)+size(y))/wordBits)
	}
	if kind == latex.Quotient && y.Sign() == 0 || !e.fits(size(x)+size(y), whole) {
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

func (e *exact) integerPower(x, y *big.Rat) (*big.Rat, bool) {
	if !y.IsInt() || x.Sign() == 0 && y.Sign() < 0 {
		return nil, false
	}
	n := y.Num().Int64()
	if !y.Num().IsInt64() || n > maxRational || n < -maxRational {
		e.beyond = true
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
	if !e.fits(bits*int(n), x.IsInt()) {
		return nil, false
	}
	exponent := big.NewInt(n)
	return new(big.Rat).SetFrac(new(big.Int).Exp(over, exponent, nil), new(big.Int).Exp(under, exponent, nil)), true
}

// based returns the value of 204 in base 5.
func (e *exact) based(n *latex.Node) (*big.Rat, bool) {
	base, ok := e.rational(n.Args[0])
	if !ok || !base.IsInt() || !base.Num().IsInt64() || base.Num().Int64() < 2 || base.Num().Int64() > 36 || !e.fits(6*len(n.Name), true) {
		return nil, false
	}
	value, ok := new(big.Int).SetString(n.Name, int(base.Num().Int64()))
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetInt(value), true
}

func (e *exact) call(n *latex.Node) (*big.Rat, bool) {
	if n.Name == "sum" || n.Name == "prod" {
		return e.series(n)
	}
	if len(n.Args) == 0 || len(n.Args) > 2 {
		return nil, false
	}
	var args [2]*big.Rat
	for i, a := range n.Args {
		r, ok := e.rational(a)
		if !ok || !e.fits(size(r), r.IsInt()) {
			return nil, false
		}
		args[i] = r
	}
	x, y := args[0], args[1]
	if y == nil {
		return e.unary(n.Name, x)
	}
	switch n.Name {
	case "root":
		return squareRoot(x, y)
	case "binom":
		return e.binomial(x, y)
	case "gcd", "lcm":
		return divisor(n.Name, x, y)
	case "max", "min":
		if (x.Cmp(y) < 0) == (n.Name == "max") {
			return y, true
		}
		return x, true
	}
	return nil, false
}

func (e *exact) unary(name string, x *big.Rat) (*big.Rat, bool) {
	switch name {
	case "abs":
		return new(big.Rat).Abs(x), true
	case "factorial":
		if !e.counts(x, x) {
			return nil, false
		}
		return new(big.Rat).SetInt(new(big.Int).MulRange(1, x.Num().Int64())), true
	case "floor", "ceil":
		floor := new(big.Int).Div(x.Num(), x.Denom()) // Euclidean: rounds down, the denominator is positive
		if name == "ceil" && !x.IsInt() {
			floor.Add(floor, big.NewInt(1))
		}
		return new(big.Rat).SetInt(floor), true
	}
	return nil, false
}

// counts reports whether a product of k factors of at most n is affordable.
func (e *exact) counts(n, k *big.Rat) bool {
	if !n.IsInt() || !k.IsInt() || n.Sign() < 0 || k.Sign() < 0 {
		return false
	}
	if !n.Num().IsInt64() || !k.Num().IsInt64() || k.Num().Int64() > maxRational {
		e.beyond = true
		return false
	}
	return e.fits(n.Num().BitLen()*int(k.Num().Int64()), true)
}

func (e *exact) binomial(n, k *big.Rat) (*big.Rat, bool) {
	if !e.counts(n, k) {
		return nil, false
	}
	return new(big.Rat).SetInt(new(big.Int).Binomial(n.Num().Int64(), k.Num().Int64())), true
}

func divisor(name string, x, y *big.Rat) (*big.Rat, bool) {
	if !x.IsInt() || !y.IsInt() || x.Sign() <= 0 || y.Sign() <= 0 {
		return nil, false
	}
	gcd := new(big.Int).GCD(nil, nil, x.Num(), y.Num())
	if name == "lcm" {
		gcd.Mul(new(big.Int).Quo(x.Num(), gcd), y.Num())
	}
	return new(big.Rat).SetInt(gcd), true
}

// squareRoot returns the root of a square.
func squareRoot(x, index *big.Rat) (*big.Rat, bool) {
	if x.Sign() < 0 || index.Cmp(big.NewRat(2, 1)) != 0 {
		return nil, false
	}
	r := new(big.Rat).SetFrac(new(big.Int).Sqrt(x.Num()), new(big.Int).Sqrt(x.Denom()))
	return r, new(big.Rat).Mul(r, r).Cmp(x) == 0
}

// series adds or multiplies the values of the body for each integer of the range.
func (e *exact) series(n *latex.Node) (*big.Rat, bool) {
	from, ok1 := e.rational(n.Args[1])
	to, ok2 := e.rational(n.Args[2])
	if !ok1 || !ok2 || !from.IsInt() || !to.IsInt() || !from.Num().IsInt64() || !to.Num().IsInt64() {
		return nil, false
	}
	kind, total := latex.Sum, new(big.Rat)
	if n.Name == "prod" {
		kind, total = latex.Product, big.NewRat(1, 1)
	}
	outer := e.bound
	defer func() { e.bound = outer }()
	e.bound = maps.Clone(outer)
	if e.bound == nil {
		e.bound = map[string]*big.Rat{}
	}
	for k := from.Num().Int64(); k <= to.Num().Int64(); k++ {
		e.bound[n.Args[0].Name] = new(big.Rat).SetInt64(k)
		term, ok := e.rational(n.Args[3])
		if !ok {
			return nil, false
		}
		if total, ok = e.combine(kind, total, term); !ok {
			return nil, false
		}
	}
	return total, true
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
	e := exact{left: limits.Work}
	return e.rational(n)
}
