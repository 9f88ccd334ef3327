package algebra

import (
	"errors"
	"hash/fnv"
	"math/big"

	"rcvae/grade/internal/latex"
)

// Why an expression has no value.
var (
	errUndefined = errors.New("no value")              // 1/0, ln 0
	errUnknown   = errors.New("not a number")          // a set, an unknown function
	errBudget    = errors.New("too large to evaluate") // in work or in size
)

// The precisions, in bits. The first tells numbers apart fast. At the second, to which
// the size of the largest value is added, they are called the same.
const (
	exactOnly = 0 // what is not rational by its form has no value
	firstBits = 96
	finalBits = 512
	maxPeak   = 8192 // the size, in bits, up to which that is tried
)

// evaluator evaluates expressions at one point. A value is exact as long as it is
// rational by its form, and has the precision of the arithmetic otherwise.
type evaluator struct {
	arithmetic
	*budget
	seed    uint64 // of the points
	round   uint64 // number of the point
	peak    int    // exponent of the largest value so far
	strayed bool   // a root or logarithm of a negative number was taken
	euler   value  // e, once it is needed
}

// variable returns the value of a variable at the point: ±m/2^40 with m/2^40 between
// 1 and 5, a function of the seed, the point and the name.
func (e *evaluator) variable(name string) value {
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
	return value{re: e.float().SetMantExp(e.integer(m).re, -40)}
}

// mix is the finalizer of splitmix64: FNV alone leaves the high bits alike.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// transcendental counts the multiplications of an exponential: the terms of its series.
func (e *evaluator) transcendental() int { return 16 + int(e.bits)/12 }

// charge counts multiplications of the precision against the budget.
func (e *evaluator) charge(multiplications int) error {
	words := int(e.bits)/wordBits + 1
	return errUnless(e.spend(multiplications*(16+words*words/4)), errBudget)
}

func (e *evaluator) eval(n *latex.Node) (value, error) {
	if err := e.charge(1); err != nil {
		return value{}, err
	}
	x, err := e.node(n)
	if err != nil || x.exact != nil {
		return x, err
	}
	if e.bits == exactOnly {
		return x, errUnknown
	}
	const most = 1 << 28
	m := x.exponent()
	if x.re.IsInf() || x.im != nil && x.im.IsInf() || m > most || m < -most && m != none {
		return x, errBudget
	}
	e.peak = max(e.peak, m)
	return x, nil
}

func (e *evaluator) node(n *latex.Node) (value, error) {
	switch n.Kind {
	case latex.Number:
		return value{exact: n.Value}, nil
	case latex.Symbol:
		return e.symbol(n.Name)
	case latex.Call:
		return e.call(n)
	case latex.Percent:
		return e.both(latex.Quotient, n.Args[0], hundred)
	case latex.Negative:
		return e.both(latex.Product, minusOne, n.Args[0])
	case latex.Ratio:
		if len(n.Args) == 2 {
			return e.both(latex.Quotient, n.Args...)
		}
	case latex.Sum, latex.Product, latex.Quotient, latex.Power:
		return e.both(n.Kind, n.Args...)
	}
	return value{}, errUnknown
}

var (
	hundred  = &latex.Node{Kind: latex.Number, Value: big.NewRat(100, 1)}
	minusOne = &latex.Node{Kind: latex.Number, Value: big.NewRat(-1, 1)}
)

func (e *evaluator) symbol(name string) (value, error) {
	switch {
	case e.bits == exactOnly:
		return value{}, errUnknown
	case name == "pi":
		return e.pi(), nil
	case name == "e":
		if e.euler.re == nil {
			e.euler, _ = e.function("exp", e.integer(1))
		}
		return e.euler, errUnless(e.left >= 0, errBudget)
	case name == "i":
		return value{re: e.float(), im: e.integer(1).re}, nil
	case name == "infty":
		return value{}, errUndefined
	}
	return e.variable(name), nil
}

// both evaluates the arguments and joins them from left to right.
func (e *evaluator) both(kind latex.Kind, args ...*latex.Node) (value, error) {
	total, err := e.eval(args[0])
	for _, a := range args[1:] {
		if err != nil {
			return value{}, err
		}
		var x value
		if x, err = e.eval(a); err == nil {
			total, err = e.join(kind, total, x)
		}
	}
	return total, err
}

// join works one operation out: exactly if both values are exact and the result is not
// too large, and else at the precision.
func (e *evaluator) join(kind latex.Kind, x, y value) (value, error) {
	if x.exact != nil && y.exact != nil {
		if r, ok := e.combine(kind, x.exact, y.exact); ok {
			return value{exact: r}, nil
		}
	}
	switch {
	case e.left < 0:
		return value{}, errBudget
	case e.bits == exactOnly:
		return value{}, errUnknown
	case kind == latex.Power:
		return e.raise(x, y)
	}
	x, y = e.rounded(x), e.rounded(y)
	switch kind {
	case latex.Sum:
		return e.add(x, y), nil
	case latex.Product:
		return e.mul(x, y), nil
	default:
		return e.divide(x, y)
	}
}

func (e *evaluator) divide(x, y value) (value, error) {
	inverse, ok := e.inv(y)
	if !ok {
		return value{}, errUndefined
	}
	return e.mul(x, inverse), nil
}

// raise returns x^y, with rational exponents by roots.
func (e *evaluator) raise(x, y value) (value, error) {
	if r := y.exact; r != nil && r.Num().IsInt64() {
		switch n := r.Num().Int64(); {
		case r.IsInt():
			return e.integral(e.rounded(x), n)
		case r.Denom().IsInt64() && r.Denom().Int64() == 2:
			root, err := e.root(x, value{exact: big.NewRat(2, 1)})
			if err != nil {
				return value{}, err
			}
			return e.integral(e.rounded(root), n)
		}
	}
	return e.general(e.rounded(x), e.rounded(y))
}

func (e *evaluator) integral(x value, n int64) (value, error) {
	const most = 1 << 24
	if n > most || n < -most {
		return value{}, errBudget
	}
	if m := int64(x.exponent()); m != none && max(m, -m)*max(n, -n) > 1<<28 {
		return value{}, errBudget
	}
	if err := e.charge(48); err != nil {
		return value{}, err
	}
	p, ok := e.power(x, n)
	return p, errUnless(ok, errUndefined)
}

// general returns x^y = e^(y ln x).
func (e *evaluator) general(x, y value) (value, error) {
	if x.exponent() == none {
		return x, errUnless(y.im == nil && y.re.Sign() > 0, errUndefined)
	}
	if err := e.charge(5 * e.transcendental()); err != nil {
		return value{}, err
	}
	e.leaveReals(x)
	l, ok := e.log(x)
	if !ok {
		return value{}, errUndefined
	}
	p, ok := e.exp(e.mul(y, l))
	return p, errUnless(ok, errBudget)
}

// leaveReals notes that a function left the real numbers.
func (e *evaluator) leaveReals(x value) {
	if x.im == nil && x.re.Sign() < 0 {
		e.strayed = true
	}
}

// errUnless returns no error if ok, and else err.
func errUnless(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}
