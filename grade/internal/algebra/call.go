package algebra

import (
	"math/big"

	"rcvae/grade/internal/latex"
)

// call evaluates a function. Those of integers have a value only where it is exact.
func (e *evaluator) call(n *latex.Node) (value, error) {
	var args [2]value
	if len(n.Args) == 0 || len(n.Args) > len(args) {
		return value{}, errUnknown
	}
	for i, a := range n.Args {
		x, err := e.eval(a)
		if err != nil {
			return value{}, err
		}
		if r := x.exact; r != nil && !e.fits(size(r), r.IsInt()) {
			return value{}, errBudget
		}
		args[i] = x
	}
	x, y := args[0], args[1]
	switch n.Name {
	case "factorial", "binom":
		return e.counting(n.Name, x.exact, y.exact)
	case "root":
		return e.root(x, y)
	case "abs", "floor", "ceil":
		return e.rounding(n.Name, x)
	}
	switch {
	case e.bits == exactOnly:
		return value{}, errUnknown
	case n.Name == "log" && len(n.Args) == 2:
		return e.logarithm(e.rounded(x), e.rounded(y))
	}
	return e.function(n.Name, e.rounded(x))
}

// function evaluates a function of one argument.
func (e *evaluator) function(name string, x value) (value, error) {
	if err := e.charge(4 * e.transcendental()); err != nil {
		return value{}, err
	}
	switch name {
	case "sin", "cos", "tan", "cot", "sec", "csc":
		return e.trigonometric(name, x)
	case "arcsin", "arccos", "arctan", "arccot":
		return e.inverse(name, x)
	case "exp":
		y, ok := e.exp(x)
		return y, errUnless(ok, errBudget)
	case "ln":
		e.leaveReals(x)
		y, ok := e.log(x)
		return y, errUnless(ok, errUndefined)
	case "log":
		return e.logarithm(x, e.integer(10))
	}
	return value{}, errUnknown
}

func (e *evaluator) trigonometric(name string, x value) (value, error) {
	if x.im != nil {
		return value{}, errUnknown
	}
	sin, cos, ok := e.sinCos(x)
	if !ok {
		return value{}, errBudget
	}
	if tiny := 48 - int(e.bits); sin.exponent() < tiny { // rounding of sin π
		sin = e.integer(0)
	} else if cos.exponent() < tiny {
		cos = e.integer(0)
	}
	switch name {
	case "sin":
		return sin, nil
	case "cos":
		return cos, nil
	case "tan":
		return e.divide(sin, cos)
	case "cot":
		return e.divide(cos, sin)
	case "sec":
		return e.divide(e.integer(1), cos)
	default:
		return e.divide(e.integer(1), sin)
	}
}

func (e *evaluator) inverse(name string, x value) (value, error) {
	var y value
	var ok bool
	if name == "arcsin" || name == "arccos" {
		y, ok = e.arcSin(x)
	} else {
		y, ok = e.arcTan(x)
	}
	if ok && (name == "arccos" || name == "arccot") {
		y = e.add(e.half(e.pi()), e.neg(y))
	}
	return y, errUnless(ok, errUndefined)
}

// root evaluates the n-th root: exactly that of a square, and odd roots of negative
// numbers as real ones.
func (e *evaluator) root(x, n value) (value, error) {
	square := n.exact != nil && n.exact.Cmp(big.NewRat(2, 1)) == 0
	if x.exact != nil && square {
		if r, ok := squareRoot(x.exact); ok {
			return value{exact: r}, nil
		}
	}
	if e.bits == exactOnly {
		return value{}, errUnknown
	}
	odd := n.exact != nil && n.exact.IsInt() && n.exact.Num().Bit(0) == 1
	x, n = e.rounded(x), e.rounded(n)
	inverse, invertible := e.inv(n)
	switch {
	case square:
		e.leaveReals(x)
		if err := e.charge(8); err != nil {
			return value{}, err
		}
		return e.sqrt(x), nil
	case !invertible:
		return value{}, errUndefined
	case odd && x.im == nil && x.re.Sign() < 0:
		y, err := e.general(e.neg(x), inverse)
		if err != nil {
			return value{}, err
		}
		return e.neg(y), nil
	}
	return e.general(x, inverse)
}

func (e *evaluator) logarithm(x, base value) (value, error) {
	e.leaveReals(x)
	if err := e.charge(8 * e.transcendental()); err != nil {
		return value{}, err
	}
	over, ok1 := e.log(x)
	under, ok2 := e.log(base)
	if !ok1 || !ok2 {
		return value{}, errUndefined
	}
	return e.divide(over, under)
}

// rounding evaluates absolute values, and floor and ceil of a number that has no more
// digits than the precision.
func (e *evaluator) rounding(name string, x value) (value, error) {
	r := x.exact
	switch {
	case name == "abs" && r != nil:
		return value{exact: new(big.Rat).Abs(r)}, nil
	case name == "abs":
		return e.abs(x), nil
	case r == nil && x.im != nil:
		return value{}, errUnknown
	case r == nil && x.exponent() > int(e.bits)-64:
		return value{}, errBudget
	case r == nil:
		if n, ok := nearest(x); ok {
			return value{exact: new(big.Rat).SetInt64(n)}, nil
		}
		r, _ = x.re.Rat(nil)
	}
	floor := new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: rounds down, the denominator is positive
	if name == "ceil" && !r.IsInt() {
		floor.Add(floor, big.NewInt(1))
	}
	return value{exact: new(big.Rat).SetInt(floor)}, nil
}

// counting evaluates n! and binomials, of integers alone.
func (e *evaluator) counting(name string, n, k *big.Rat) (value, error) {
	if name == "factorial" {
		k = n
	}
	if n == nil || k == nil || !n.IsInt() || !k.IsInt() || n.Sign() < 0 || k.Sign() < 0 {
		return value{}, errUnknown
	}
	if !n.Num().IsInt64() || !k.Num().IsInt64() || k.Num().Int64() > maxRational || !e.fits(n.Num().BitLen()*int(k.Num().Int64()), true) {
		return value{}, errBudget
	}
	result := new(big.Int)
	if name == "factorial" {
		result.MulRange(1, n.Num().Int64())
	} else {
		result.Binomial(n.Num().Int64(), k.Num().Int64())
	}
	return value{exact: new(big.Rat).SetInt(result)}, nil
}
