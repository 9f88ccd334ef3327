package algebra

import (
	"math/big"

	"rcvae/grade/internal/latex"
)

// maxRational bounds the bits of an exact result.
const maxRational = 4096

// rationalOf returns the exact value of an expression that is a rational number by
// its form: no variable, no constant but integers and decimals, no root but of a square.
func rationalOf(n *latex.Node) (*big.Rat, bool) {
	switch n.Kind {
	case latex.Number:
		return n.Value, true
	case latex.Based:
		return based(n)
	case latex.Symbol, latex.Text, latex.Matrix, latex.Set, latex.Tuple, latex.List, latex.Relation, latex.Union, latex.Minus, latex.PlusMinus, latex.Ratio:
		return nil, false
	case latex.Call:
		return rationalCall(n)
	}
	var total *big.Rat
	for i, a := range n.Args {
		r, ok := rationalOf(a)
		if !ok {
			return nil, false
		}
		if i == 0 {
			total = r
		} else if total, ok = combine(n.Kind, total, r); !ok || tooLarge(total) {
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

func tooLarge(r *big.Rat) bool { return r.Num().BitLen()+r.Denom().BitLen() > maxRational }

func combine(kind latex.Kind, x, y *big.Rat) (*big.Rat, bool) {
	switch kind {
	case latex.Sum:
		return new(big.Rat).Add(x, y), true
	case latex.Product:
		return new(big.Rat).Mul(x, y), true
	case latex.Quotient:
		if y.Sign() == 0 {
			return nil, false
		}
		return new(big.Rat).Quo(x, y), true
	case latex.Power:
		return rationalPower(x, y)
	}
	return nil, false
}

func rationalPower(x, y *big.Rat) (*big.Rat, bool) {
	if !y.IsInt() || !y.Num().IsInt64() {
		return nil, false
	}
	n := y.Num().Int64()
	size := int64(max(x.Num().BitLen(), x.Denom().BitLen()))
	if n > maxRational || n < -maxRational || size*max(n, -n) > maxRational {
		return nil, false
	}
	if n < 0 {
		if x.Sign() == 0 {
			return nil, false
		}
		x, n = new(big.Rat).Inv(x), -n
	}
	e := big.NewInt(n)
	return new(big.Rat).SetFrac(new(big.Int).Exp(x.Num(), e, nil), new(big.Int).Exp(x.Denom(), e, nil)), true
}

// based returns the value of 204 in base 5.
func based(n *latex.Node) (*big.Rat, bool) {
	base, ok := rationalOf(n.Args[0])
	if !ok || !base.IsInt() || !base.Num().IsInt64() || base.Num().Int64() < 2 || base.Num().Int64() > 36 {
		return nil, false
	}
	value, ok := new(big.Int).SetString(n.Name, int(base.Num().Int64()))
	if !ok || value.BitLen() > maxRational {
		return nil, false
	}
	return new(big.Rat).SetInt(value), true
}

func rationalCall(n *latex.Node) (*big.Rat, bool) {
	const mostFactors = 400
	var args [2]*big.Rat
	if len(n.Args) == 0 || len(n.Args) > 2 {
		return nil, false
	}
	for i, a := range n.Args {
		r, ok := rationalOf(a)
		if !ok {
			return nil, false
		}
		args[i] = r
	}
	x, y := args[0], args[1]
	switch {
	case n.Name == "root" && y != nil:
		return rationalRoot(x, y)
	case n.Name == "abs" && y == nil:
		return new(big.Rat).Abs(x), true
	case n.Name == "factorial" && small(x, mostFactors):
		return new(big.Rat).SetInt(new(big.Int).MulRange(1, x.Num().Int64())), true
	case n.Name == "binom" && y != nil && small(x, mostFactors) && small(y, mostFactors):
		return new(big.Rat).SetInt(new(big.Int).Binomial(x.Num().Int64(), y.Num().Int64())), true
	case (n.Name == "gcd" || n.Name == "lcm") && y != nil && x.IsInt() && y.IsInt() && x.Sign() > 0 && y.Sign() > 0:
		gcd := new(big.Int).GCD(nil, nil, x.Num(), y.Num())
		if n.Name == "gcd" {
			return new(big.Rat).SetInt(gcd), true
		}
		return new(big.Rat).SetInt(gcd.Mul(new(big.Int).Quo(x.Num(), gcd), y.Num())), true
	case (n.Name == "floor" || n.Name == "ceil") && y == nil:
		floor := new(big.Int).Div(x.Num(), x.Denom()) // Euclidean: rounds down, the denominator is positive
		if n.Name == "ceil" && !x.IsInt() {
			floor.Add(floor, big.NewInt(1))
		}
		return new(big.Rat).SetInt(floor), true
	}
	return nil, false
}

func small(x *big.Rat, most int64) bool {
	return x.IsInt() && x.Sign() >= 0 && x.Num().IsInt64() && x.Num().Int64() <= most
}

// rationalRoot returns the square root of a square.
func rationalRoot(x, index *big.Rat) (*big.Rat, bool) {
	if x.Sign() < 0 || index.Cmp(big.NewRat(2, 1)) != 0 {
		return nil, false
	}
	over, under := new(big.Int).Sqrt(x.Num()), new(big.Int).Sqrt(x.Denom())
	r := new(big.Rat).SetFrac(over, under)
	if new(big.Rat).Mul(r, r).Cmp(x) != 0 {
		return nil, false
	}
	return r, true
}

// Rational returns the exact value of an answer that is a rational number by its form.
func Rational(n *latex.Node) (*big.Rat, bool) {
	if n.Kind == latex.Percent {
		n = n.Args[0]
	}
	return rationalOf(n)
}
