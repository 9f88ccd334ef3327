package algebra

import (
	"math/big"

	"rcvae/grade/internal/latex"
)

// call evaluates a function. Those of integers have a value only where it is rational.
func (e *evaluator) call(n *latex.Node) (value, error) {
	switch n.Name {
	case "sum", "prod", "gcd", "lcm", "factorial", "binom":
		r, ok := e.exact.rational(n)
		switch {
		case e.beyond:
			return value{}, errBudget
		case !ok:
			return value{}, errUnknown
		}
		return e.arithmetic.rational(r), nil
	}
	args := make([]value, len(n.Args))
	for i, a := range n.Args {
		x, err := e.eval(a)
		if err != nil {
			return value{}, err
		}
		args[i] = x
	}
	switch {
	case n.Name == "root" && len(args) == 2:
		return e.root(args[0], args[1])
	case n.Name == "log" && len(args) == 2:
		return e.logarithm(args[0], args[1])
	case (n.Name == "max" || n.Name == "min") && len(args) > 0:
		return e.extreme(args, n.Name == "max")
	case len(args) == 1:
		return e.function(n.Name, args[0])
	}
	return value{}, errUnknown
}

// function evaluates a function of one argument.
func (e *evaluator) function(name string, x value) (value, error) {
	switch name {
	case "abs":
		return e.abs(x), nil
	case "floor", "ceil":
		return e.rounding(name, x)
	}
	if err := e.charge(4 * transcendental); err != nil {
		return value{}, err
	}
	switch name {
	case "sin", "cos", "tan", "cot", "sec", "csc":
		return e.trigonometric(name, x)
	case "sinh", "cosh", "tanh":
		return e.hyperbolic(name, x)
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

func (e *evaluator) hyperbolic(name string, x value) (value, error) {
	up, ok1 := e.exp(x)
	down, ok2 := e.exp(e.neg(x))
	if !ok1 || !ok2 {
		return value{}, errBudget
	}
	sinh, cosh := e.half(e.add(up, e.neg(down))), e.half(e.add(up, down))
	switch name {
	case "sinh":
		return sinh, nil
	case "cosh":
		return cosh, nil
	default:
		return e.divide(sinh, cosh)
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

// root evaluates the n-th root; odd roots of negative numbers are real.
func (e *evaluator) root(x, n value) (value, error) {
	index, ok := nearest(n)
	if ok && index == 2 {
		e.leaveReals(x)
		return e.sqrt(x), e.charge(8)
	}
	inverse, invertible := e.inv(n)
	if !invertible {
		return value{}, errUndefined
	}
	if ok && index%2 != 0 && x.im == nil && x.re.Sign() < 0 {
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
	if err := e.charge(8 * transcendental); err != nil {
		return value{}, err
	}
	over, ok1 := e.log(x)
	under, ok2 := e.log(base)
	if !ok1 || !ok2 {
		return value{}, errUndefined
	}
	return e.divide(over, under)
}

func (e *evaluator) extreme(args []value, largest bool) (value, error) {
	best := args[0]
	for _, x := range args {
		if x.im != nil {
			return value{}, errUnknown
		}
		if c := x.re.Cmp(best.re); c > 0 == largest && c != 0 {
			best = x
		}
	}
	return best, nil
}

// rounding evaluates floor and ceil of a number that has no more digits than the
// precision.
func (e *evaluator) rounding(name string, x value) (value, error) {
	if x.im != nil {
		return value{}, errUnknown
	}
	if x.exponent() > int(e.bits)-64 {
		return value{}, errBudget
	}
	if n, ok := nearest(x); ok {
		return e.integer(n), nil
	}
	whole, _ := x.re.Int(nil)
	if new(big.Float).SetInt(whole).Cmp(x.re) != 0 {
		switch {
		case name == "floor" && x.re.Sign() < 0:
			whole.Sub(whole, big.NewInt(1))
		case name == "ceil" && x.re.Sign() > 0:
			whole.Add(whole, big.NewInt(1))
		}
	}
	return e.arithmetic.rational(new(big.Rat).SetInt(whole)), nil
}
