package algebra

import (
	"slices"

	"rcvae/grade/internal/latex"
)

// interval is a part of the real line; a point has equal ends.
type interval struct {
	low, high             *latex.Node
	lowClosed, highClosed bool
}

var infinity = &latex.Node{Kind: latex.Symbol, Name: "infty"}

func minus(n *latex.Node) *latex.Node {
	return &latex.Node{Kind: latex.Negative, Args: []*latex.Node{n}}
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
	return n.Kind == latex.Relation && !slices.ContainsFunc(n.Ops, func(op string) bool { return op == "=" || op == "~" || op == "in" })
}

// regions compares two answers as intervals, by their ends; false if one is none.
func (c *comparer) regions(a, b *latex.Node) (Outcome, bool) {
	x, okA := region(a)
	y, okB := region(b)
	if !okA || !okB {
		return Different, false
	}
	return c.named("set", cover(c, x, y, c.intervals)), true
}

func (c *comparer) intervals(x, y interval) Outcome {
	if x.lowClosed != y.lowClosed || x.highClosed != y.highClosed {
		return Different
	}
	return allOf([]Outcome{c.scalars(x.low, y.low), c.scalars(x.high, y.high)})
}

// region returns the intervals of an answer, and false if it is no part of the real
// line.
func region(n *latex.Node) ([]interval, bool) {
	switch n.Kind {
	case latex.Tuple:
		if len(n.Args) == 2 {
			return between(n.Args[0], n.Args[1], n.Name[0] == '[', n.Name[1] == ']')
		}
	case latex.Set:
		return union(n.Args, func(a *latex.Node) ([]interval, bool) { return between(a, a, true, true) })
	case latex.Union, latex.List:
		return union(n.Args, region)
	case latex.Minus:
		if set := n.Args[1]; n.Args[0].Name == "mathbb:R" && set.Kind == latex.Set && len(set.Args) == 1 {
			return except(set.Args[0])
		}
	case latex.Symbol:
		return []interval{{low: minus(infinity), high: infinity}}, n.Name == "mathbb:R"
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
	r := interval{low, high, lowClosed && infinite(low) == 0, highClosed && infinite(high) == 0}
	return []interval{r}, isScalar(low) && isScalar(high)
}

// except returns the real line without a point.
func except(hole *latex.Node) ([]interval, bool) {
	return []interval{{low: minus(infinity), high: hole}, {low: hole, high: infinity}}, isScalar(hole)
}

// inequality returns the intervals of a < x ≤ b, x > a or x ≠ a.
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
		all, ok := between(args[0], args[2], ops[0] == "<=", ops[1] == "<=")
		if args[1].Name == "abs" {
			all = append(all, interval{minus(args[2]), minus(args[0]), ops[1] == "<=", ops[0] == "<="})
		}
		return all, ok
	case len(args) != 2:
	case less && isName(args[0]):
		return between(minus(infinity), args[1], false, ops[0] == "<=")
	case less && isName(args[1]):
		return between(args[0], infinity, ops[0] == "<=", false)
	case ops[0] == "!=" && isName(args[0]):
		return except(args[1])
	}
	return nil, false
}
