package algebra

import (
	"math/big"

	"rcvae/grade/internal/latex"
)

// call evaluates a function.
func (e *evaluator) call(n *latex.Node) (ball, error) {
	switch n.Name {
	case "sum", "prod":
		return e.series(n)
	case "gcd", "lcm", "factorial", "binom":
		return e.integers(n)
	}
	args := make([]ball, len(n.Args))
	for i, a := range n.Args {
		x, err := e.eval(a)
		if err != nil {
			return ball{}, err
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
	return ball{}, errUnknown
}

// function evaluates a function of one argument.
func (e *evaluator) function(name string, x ball) (ball, error) {
	if err := e.spend(transcendental); err != nil {
		return ball{}, err
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
		return y, whether(ok, errBudget)
	case "ln":
		e.stray(x)
		y, ok := e.log(x)
		return y, whether(ok, errUndefined)
	case "log":
		return e.logarithm(x, e.integer(10))
	case "abs":
		return e.abs(x), nil
	case "floor", "ceil":
		return e.rounding(name, x)
	}
	return ball{}, errUnknown
}

func whether(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}

func (e *evaluator) trigonometric(name string, x ball) (ball, error) {
	sin, cos, ok := e.sinCos(x)
	if !ok {
		return ball{}, errBudget
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

func (e *evaluator) hyperbolic(name string, x ball) (ball, error) {
	up, ok1 := e.exp(x)
	down, ok2 := e.exp(e.neg(x))
	if !ok1 || !ok2 {
		return ball{}, errBudget
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

func (e *evaluator) inverse(name string, x ball) (ball, error) {
	var y ball
	var ok bool
	if name == "arcsin" || name == "arccos" {
		y, ok = e.arcSin(x)
	} else {
		y, ok = e.arcTan(x)
	}
	if ok && (name == "arccos" || name == "arccot") {
		y = e.add(e.half(e.constant(piDigits)), e.neg(y))
	}
	return y, whether(ok, errUndefined)
}

// root evaluates the n-th root; odd roots of negative numbers are real.
func (e *evaluator) root(x, n ball) (ball, error) {
	index, ok := nearest(n)
	if ok && index == 2 {
		e.stray(x)
		return e.sqrt(x), nil
	}
	inverse, invertible := e.inv(n)
	if !invertible {
		return ball{}, errUndefined
	}
	if ok && index%2 != 0 && x.im == nil && x.sign() < 0 {
		y, err := e.general(e.neg(x), inverse)
		if err != nil {
			return ball{}, err
		}
		return e.neg(y), nil
	}
	return e.general(x, inverse)
}

func (e *evaluator) logarithm(x, base ball) (ball, error) {
	e.stray(x)
	over, ok1 := e.log(x)
	under, ok2 := e.log(base)
	if !ok1 || !ok2 {
		return ball{}, errUndefined
	}
	return e.divide(over, under)
}

func (e *evaluator) extreme(args []ball, largest bool) (ball, error) {
	best := args[0]
	for _, x := range args {
		if x.im != nil {
			return ball{}, errUnknown
		}
		if c := x.re.Cmp(best.re); c > 0 == largest && c != 0 {
			best = x
		}
	}
	return best, nil
}

func (e *evaluator) rounding(name string, x ball) (ball, error) {
	if x.im != nil || x.err > -8 {
		return ball{}, errUnknown
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
	return e.rational(new(big.Rat).SetInt(whole)), nil
}

// integers evaluates functions of integers; a binomial takes any upper argument.
func (e *evaluator) integers(n *latex.Node) (ball, error) {
	const most = 20_000 // factors of a factorial
	if r, ok := rationalOf(n); ok {
		return e.rational(r), nil
	}
	x, err := e.eval(n.Args[0])
	if err != nil {
		return ball{}, err
	}
	over, factors := x, x
	if n.Name == "binom" {
		if factors, err = e.eval(n.Args[1]); err != nil {
			return ball{}, err
		}
	}
	k, ok := nearest(factors)
	switch {
	case n.Name == "gcd", n.Name == "lcm", !ok:
		return ball{}, errUnknown
	case k < 0:
		return ball{}, errUndefined
	case k > most:
		return ball{}, errBudget
	}
	if err := e.spend(int(k)); err != nil {
		return ball{}, err
	}
	product := e.integer(1)
	for j := range k {
		if n.Name == "factorial" {
			product = e.mul(product, e.integer(j+1))
			continue
		}
		step, err := e.divide(e.add(over, e.integer(-j)), e.integer(j+1))
		if err != nil {
			return ball{}, err
		}
		product = e.mul(product, step)
	}
	return product, nil
}

// series evaluates a sum or a product with small bounds.
func (e *evaluator) series(n *latex.Node) (ball, error) {
	const most = 1000
	var bounds [2]int64
	for i := range bounds {
		r, ok := rationalOf(n.Args[1+i])
		if !ok || !r.IsInt() || !r.Num().IsInt64() {
			return ball{}, errUnknown
		}
		bounds[i] = r.Num().Int64()
	}
	if bounds[1]-bounds[0] > most || bounds[0] > bounds[1]+most {
		return ball{}, errBudget
	}
	inner := *e
	inner.bound = map[string]ball{}
	for name, x := range e.bound {
		inner.bound[name] = x
	}
	total := e.integer(0)
	if n.Name == "prod" {
		total = e.integer(1)
	}
	for k := bounds[0]; k <= bounds[1]; k++ {
		inner.bound[n.Args[0].Name] = e.integer(k)
		x, err := inner.eval(n.Args[3])
		if err != nil {
			return ball{}, err
		}
		if n.Name == "prod" {
			total = e.mul(total, x)
		} else {
			total = e.add(total, x)
		}
	}
	e.strayed = e.strayed || inner.strayed
	return total, nil
}
