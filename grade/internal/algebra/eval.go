package algebra

import (
	"errors"
	"hash/fnv"
	"math"
	"math/big"

	"rcvae/grade/internal/latex"
)

// Why an expression has no value.
var (
	errUndefined = errors.New("no value")              // 1/0, ln 0
	errUnknown   = errors.New("not a number")          // a set, an unknown function
	errBudget    = errors.New("too large to evaluate") // in steps or in size
)

// evaluator evaluates expressions at one point.
type evaluator struct {
	arithmetic
	seed    uint64
	round   uint64          // number of the point
	bound   map[string]ball // variables of sums
	strayed bool            // a root or logarithm of a negative number was taken
	steps   *int            // left; shared by all evaluations of one comparison
}

// transcendental is what an exponential or a logarithm costs, in steps.
const transcendental = 20

// spend counts work against the budget.
func (e *evaluator) spend(n int) error {
	if *e.steps -= n; *e.steps < 0 {
		return errBudget
	}
	return nil
}

// variable returns the value of a variable at the point: ±m/2^40 with m/2^40 between
// 1 and 5, a function of the seed, the point and the name.
func (e *evaluator) variable(name string) ball {
	if x, ok := e.bound[name]; ok {
		return x
	}
	h := fnv.New64a()
	var b [16]byte
	for i := range 8 {
		b[i], b[8+i] = byte(e.seed>>(8*i)), byte(e.round>>(8*i))
	}
	h.Write(b[:])
	h.Write([]byte(name))
	bits := mix(h.Sum64())
	m := int64(bits>>22) + 1<<40
	if e.round%4 == 1 || e.round%4 == 3 && bits&1 == 1 { // all positive, all negative, or mixed
		m = -m
	}
	return e.rational(new(big.Rat).SetFrac64(m, 1<<40))
}

// mix is the finalizer of splitmix64: FNV alone leaves the high bits alike.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func (e *evaluator) eval(n *latex.Node) (ball, error) {
	if err := e.spend(1); err != nil {
		return ball{}, err
	}
	x, err := e.node(n)
	if err == nil && !x.finite() {
		err = errBudget
	}
	return x, err
}

func (e *evaluator) node(n *latex.Node) (ball, error) {
	switch n.Kind {
	case latex.Number:
		return e.rational(n.Value), nil
	case latex.Symbol:
		return e.symbol(n.Name)
	case latex.Based:
		r, ok := rationalOf(n)
		if !ok {
			return ball{}, errUnknown
		}
		return e.rational(r), nil
	case latex.Sum:
		return e.fold(n.Args, e.add)
	case latex.Product:
		return e.fold(n.Args, e.mul)
	case latex.Call:
		return e.call(n)
	case latex.Power:
		return e.raise(n.Args[0], n.Args[1])
	case latex.Negative, latex.Percent:
		x, err := e.eval(n.Args[0])
		if err != nil || n.Kind == latex.Negative {
			if err == nil {
				x = e.neg(x)
			}
			return x, err
		}
		return e.mul(x, e.rational(big.NewRat(1, 100))), nil
	case latex.Quotient:
		return e.quotient(n.Args[0], n.Args[1])
	case latex.Ratio:
		if len(n.Args) == 2 {
			return e.quotient(n.Args[0], n.Args[1])
		}
	}
	return ball{}, errUnknown
}

func (e *evaluator) symbol(name string) (ball, error) {
	if x, ok := e.bound[name]; ok {
		return x, nil
	}
	switch name {
	case "pi":
		return e.constant(piDigits), nil
	case "e":
		x, _ := e.exp(e.integer(1))
		return x, nil
	case "i":
		return ball{re: e.float(), im: e.integer(1).re, err: exact}, nil
	case "infty":
		return ball{}, errUndefined
	}
	return e.variable(name), nil
}

func (e *evaluator) fold(args []*latex.Node, join func(x, y ball) ball) (ball, error) {
	total, err := e.eval(args[0])
	for _, a := range args[1:] {
		if err != nil {
			return ball{}, err
		}
		var x ball
		if x, err = e.eval(a); err == nil {
			total = join(total, x)
		}
	}
	return total, err
}

func (e *evaluator) quotient(over, under *latex.Node) (ball, error) {
	x, err := e.eval(over)
	if err != nil {
		return ball{}, err
	}
	y, err := e.eval(under)
	if err != nil {
		return ball{}, err
	}
	return e.divide(x, y)
}

func (e *evaluator) divide(x, y ball) (ball, error) {
	inverse, ok := e.inv(y)
	if !ok {
		return ball{}, errUndefined
	}
	return e.mul(x, inverse), nil
}

// raise evaluates base^exponent, with rational exponents by roots.
func (e *evaluator) raise(base, exponent *latex.Node) (ball, error) {
	x, err := e.eval(base)
	if err != nil {
		return ball{}, err
	}
	if r, ok := rationalOf(exponent); ok && r.Num().IsInt64() {
		n := r.Num().Int64()
		switch {
		case r.IsInt():
			return e.integral(x, n)
		case r.Denom().IsInt64() && r.Denom().Int64() == 2:
			e.stray(x)
			return e.integral(e.sqrt(x), n)
		}
	}
	y, err := e.eval(exponent)
	if err != nil {
		return ball{}, err
	}
	return e.general(x, y)
}

func (e *evaluator) integral(x ball, n int64) (ball, error) {
	const most = 1 << 24
	if n > most || n < -most {
		return ball{}, errBudget
	}
	if m := x.magnitude(); m != exact && math.Abs(m)*math.Abs(float64(n)) > 1<<28 {
		return ball{}, errBudget
	}
	if p, ok := e.power(x, n); ok {
		return p, nil
	}
	return ball{}, errUndefined
}

// general returns x^y = e^(y ln x).
func (e *evaluator) general(x, y ball) (ball, error) {
	if x.isZero() {
		if y.im == nil && y.sign() > 0 {
			return ball{re: e.float(), err: x.err / 8}, nil
		}
		return ball{}, errUndefined
	}
	if err := e.spend(2 * transcendental); err != nil {
		return ball{}, err
	}
	e.stray(x)
	l, ok := e.log(x)
	if !ok {
		return ball{}, errUndefined
	}
	p, ok := e.exp(e.mul(y, l))
	if !ok {
		return ball{}, errBudget
	}
	return p, nil
}

// stray notes that a function left the real numbers.
func (e *evaluator) stray(x ball) {
	if x.im == nil && x.sign() < 0 {
		e.strayed = true
	}
}
