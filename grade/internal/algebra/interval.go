package algebra

import (
	"math"
	"slices"

	"rcvae/grade/internal/latex"
)

// interval is a part of the real line; an infinite bound is nil.
type interval struct {
	low, high             *latex.Node
	lowClosed, highClosed bool
}

// isRegion reports whether an answer can only be a part of the real line: a union, a
// difference, an inequality.
func isRegion(n *latex.Node) bool {
	switch n.Kind {
	case latex.Union, latex.Minus:
		return true
	case latex.List:
		return n.Name == "or" && len(n.Args) > 0 && !slices.ContainsFunc(n.Args, func(a *latex.Node) bool { return !isInequality(a) })
	case latex.Symbol:
		return n.Name == "mathbb:R"
	}
	return isInequality(n)
}

func isInequality(n *latex.Node) bool {
	return n.Kind == latex.Relation && !slices.Contains(n.Ops, "=") && !slices.Contains(n.Ops, "~") && !slices.Contains(n.Ops, "in")
}

// regions compares two answers as intervals, by their ends; false if one is none.
func (c *comparer) regions(a, b *latex.Node) (Outcome, bool) {
	x, okA := c.region(a)
	y, okB := c.region(b)
	if !okA || !okB {
		return Different, false
	}
	return c.named("set", cover(c, x, y, c.intervals)), true
}

func (c *comparer) intervals(x, y interval) Outcome {
	if x.lowClosed != y.lowClosed || x.highClosed != y.highClosed {
		return Different
	}
	return allOf([]Outcome{c.bounds(x.low, y.low), c.bounds(x.high, y.high)})
}

func (c *comparer) bounds(a, b *latex.Node) Outcome {
	if a == nil || b == nil {
		return outcome(a == b)
	}
	return c.scalars(a, b)
}

// region returns the intervals of an answer, and false if it is no part of the real
// line.
func (c *comparer) region(n *latex.Node) ([]interval, bool) {
	switch n.Kind {
	case latex.Tuple:
		if len(n.Args) != 2 {
			return nil, false
		}
		return between(n.Args[0], n.Args[1], n.Name[0] == '[', n.Name[1] == ']')
	case latex.Set:
		return union(n.Args, func(a *latex.Node) ([]interval, bool) { return between(a, a, true, true) })
	case latex.Union, latex.List:
		return union(n.Args, c.region)
	case latex.Minus:
		return c.without(n.Args[0], n.Args[1])
	case latex.Symbol:
		return []interval{{}}, n.Name == "mathbb:R"
	case latex.Relation:
		return inequality(n)
	}
	return nil, false
}

func union(args []*latex.Node, region func(*latex.Node) ([]interval, bool)) ([]interval, bool) {
	var all []interval
	for _, a := range args {
		r, ok := region(a)
		if !ok {
			return nil, false
		}
		all = append(all, r...)
	}
	return all, true
}

func between(low, high *latex.Node, lowClosed, highClosed bool) ([]interval, bool) {
	if !isScalar(low) || !isScalar(high) {
		return nil, false
	}
	r := interval{low, high, lowClosed, highClosed}
	if infinite(low) != 0 {
		r.low, r.lowClosed = nil, false
	}
	if infinite(high) != 0 {
		r.high, r.highClosed = nil, false
	}
	return []interval{r}, true
}

// without returns the real line less some points.
func (c *comparer) without(n, set *latex.Node) ([]interval, bool) {
	if n.Kind != latex.Symbol || n.Name != "mathbb:R" || set.Kind != latex.Set {
		return nil, false
	}
	holes := slices.Clone(set.Args)
	values := map[*latex.Node]float64{}
	for _, h := range holes {
		x, ok := c.real(h)
		if !ok {
			return nil, false
		}
		values[h] = x
	}
	slices.SortStableFunc(holes, func(a, b *latex.Node) int {
		return int(math.Copysign(1, values[a]-values[b]))
	})
	all := []interval{{}}
	for _, h := range holes {
		all[len(all)-1].high = h
		all = append(all, interval{low: h})
	}
	return all, true
}

// inequality returns the intervals of a < x ≤ b, x > a, x ≠ a or |x| < a.
func inequality(n *latex.Node) ([]interval, bool) {
	args, ops := n.Args, n.Ops
	if ops[0] == ">" || ops[0] == ">=" {
		args, ops = slices.Clone(args), slices.Clone(ops)
		slices.Reverse(args)
		slices.Reverse(ops)
		for i, op := range ops {
			ops[i] = map[string]string{">": "<", ">=": "<="}[op]
		}
	}
	less := !slices.ContainsFunc(ops, func(op string) bool { return op != "<" && op != "<=" })
	switch {
	case len(args) == 3 && less && isName(args[1]):
		return inside(args[1], args[0], args[2], ops[0] == "<=", ops[1] == "<=")
	case len(args) != 2:
		return nil, false
	case less && isName(args[0]):
		return inside(args[0], nil, args[1], false, ops[0] == "<=")
	case less && isName(args[1]):
		return inside(args[1], args[0], nil, ops[0] == "<=", false)
	case ops[0] == "!=" && isName(args[0]):
		return []interval{{high: args[1]}, {low: args[1]}}, isScalar(args[1])
	}
	return nil, false
}

// inside returns where a name, or the absolute value of one, lies between two bounds.
func inside(name, low, high *latex.Node, lowClosed, highClosed bool) ([]interval, bool) {
	minus := func(n *latex.Node) *latex.Node { return &latex.Node{Kind: latex.Negative, Args: []*latex.Node{n}} }
	infinity := &latex.Node{Kind: latex.Symbol, Name: "infty"}
	absolute := name.Kind == latex.Call && name.Name == "abs"
	if absolute && low == nil {
		return between(minus(high), high, highClosed, highClosed)
	}
	if low == nil {
		low = minus(infinity)
	}
	if high == nil {
		high = infinity
	}
	right, ok := between(low, high, lowClosed, highClosed)
	if !absolute || !ok {
		return right, ok
	}
	left, ok := between(minus(high), minus(low), highClosed, lowClosed)
	return append(left, right...), ok
}
