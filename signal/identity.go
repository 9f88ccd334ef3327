package signal

import (
	"math"
	"strconv"
)

// points are where the two sides of an equation in one variable are compared.
var points = [...]float64{2, 3, 5, 7, 11}

// maxIdentity is how many tokens a side with a variable may have.
const maxIdentity = 60

// identity judges an equation between two expressions of one variable. It holds if both
// have the same value wherever they are compared. It is wrong only if it cannot be an
// equation to be solved: if the left side is one to be simplified and the right side
// simpler, and if the two differ by a constant, so that nothing solves it, or are both
// multiples of the variable, so that only 0 does.
func (r *reader) identity(from, i int, chain bool) {
	m := mode{name: r.onlyName(from, i), x: points[0]}
	if m.name == 0 {
		return
	}
	left := r.left(from, i, chain, m)
	if left == nil || left.ops == 0 || left.names == 0 {
		return
	}
	right := r.right(i+1, m)
	if right == nil || right.names == 0 {
		return
	}
	e := Equation{}
	e.words(r.text, left.from, right.to)
	e.Left, e.Right = trim(r.text[left.from:left.to]), trim(r.text[right.from:right.to])
	if e.Left == e.Right {
		return
	}
	f, g := r.values(left, m), r.values(right, m)
	if r.parser.spent() {
		return
	}
	e.Holds = same(f, g)
	if !e.Holds {
		simplifies := (left.names > 1 || left.sums > 1) && right.ops < left.ops && r.tokens[i].symbol == 'e'
		if !simplifies || left.doubt || right.doubt || r.modular || r.denied(e.End) || r.breaksOff(left, right) || !unsolvable(f, g) {
			return
		}
	}
	if !e.Holds {
		e.Want = linear(f, r.text, r.tokens, from, i, m.name)
	}
	r.found = append(r.found, e)
}

// onlyName returns the one variable among some tokens, or 0.
func (r *reader) onlyName(from, i int) byte {
	if i-from > maxIdentity {
		from = i - maxIdentity
	}
	name := byte(0)
	for k := from; k < i; k++ {
		t := &r.tokens[k]
		if t.kind != opaque {
			continue
		}
		if t.symbol == 0 || name != 0 && name != t.symbol {
			return 0
		}
		name = t.symbol
	}
	if name == 'f' || name == 'g' { // functions
		return 0
	}
	return name
}

// values evaluates a side at the points.
func (r *reader) values(s *sideTokens, m mode) (f [len(points)]float64) {
	for k, x := range points {
		m.x = x
		p := r.side(s.start, s.stop, m)
		f[k] = p.value.f
		if p.bad {
			f[k] = math.NaN()
		}
	}
	return f
}

func equalFloats(a, b float64) bool {
	return math.Abs(a-b) <= 1e-7*math.Max(1, math.Max(math.Abs(a), math.Abs(b)))
}

func same(f, g [len(points)]float64) bool {
	for k := range points {
		if !equalFloats(f[k], g[k]) {
			return false
		}
	}
	return true
}

// unsolvable reports whether f(x) = g(x) has no solution but 0 that a text could be
// looking for.
func unsolvable(f, g [len(points)]float64) bool {
	constant, multiple := true, true
	for k, x := range points {
		constant = constant && equalFloats(f[k]-g[k], f[0]-g[0])
		multiple = multiple && equalFloats(f[k]*points[0], f[0]*x) && equalFloats(g[k]*points[0], g[0]*x)
	}
	for k := range points {
		if math.IsNaN(f[k]) || math.IsNaN(g[k]) || math.Abs(f[k]-g[k]) <= 0.006*math.Abs(f[k]) {
			return false // not evaluated, or rounded
		}
	}
	return constant || multiple
}

// linear writes a side that is linear in the variable as "3x + 5", else "".
func linear(f [len(points)]float64, text string, tokens []token, from, i int, name byte) string {
	slope := (f[1] - f[0]) / (points[1] - points[0])
	rest := f[0] - slope*points[0]
	for k, x := range points {
		if !equalFloats(f[k], slope*x+rest) {
			return ""
		}
	}
	letter := string(name)
	for _, t := range tokens[from:i] {
		if t.kind == opaque && t.symbol == name {
			letter = text[t.start:t.end]
			break
		}
	}
	s := letter
	if !equalFloats(slope, 1) {
		s = strconv.FormatFloat(slope, 'g', 6, 64) + letter
	}
	switch {
	case equalFloats(rest, 0):
		return s
	case rest < 0:
		return s + " - " + strconv.FormatFloat(-rest, 'g', 6, 64)
	}
	return s + " + " + strconv.FormatFloat(rest, 'g', 6, 64)
}
