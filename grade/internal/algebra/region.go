package algebra

import (
	"math"
	"slices"

	"rcvae/grade/internal/latex"
)

// interval is a part of the real line; a nil bound is infinite.
type interval struct {
	low, high             *latex.Node
	from, to              float64
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

// regions compares two answers as parts of the real line; false if one is none.
func (c *comparer) regions(a, b *latex.Node) (Outcome, bool) {
	x, okA := c.region(a)
	y, okB := c.region(b)
	if !okA || !okB {
		return Different, false
	}
	x, y = merge(x), merge(y)
	if len(x) != len(y) {
		return c.named("set", Different), true
	}
	total := Same
	for i := range x {
		if x[i].lowClosed != y[i].lowClosed || x[i].highClosed != y[i].highClosed {
			return c.named("set", Different), true
		}
		o := join([]Outcome{c.bounds(x[i].low, y[i].low), c.bounds(x[i].high, y[i].high)})
		if o == Different {
			return c.named("set", Different), true
		}
		total = min(total, o)
		if o == Unknown {
			total = Unknown
		}
	}
	return c.named("set", total), true
}

func (c *comparer) bounds(a, b *latex.Node) Outcome {
	if a == nil || b == nil {
		return outcome(a == b)
	}
	return c.scalars(a, b)
}

// region returns the intervals of an answer, and false if it is no part of the real
// line or has bounds that are not numbers.
func (c *comparer) region(n *latex.Node) ([]interval, bool) {
	switch n.Kind {
	case latex.Tuple:
		if len(n.Args) != 2 {
			return nil, false
		}
		return c.between(n.Args[0], n.Args[1], n.Name[0] == '[', n.Name[1] == ']')
	case latex.Set:
		return c.each(n.Args, func(a *latex.Node) ([]interval, bool) { return c.between(a, a, true, true) })
	case latex.Union:
		return c.each(n.Args, c.region)
	case latex.List:
		if !isRegion(n) {
			return nil, false
		}
		return c.each(n.Args, c.region)
	case latex.Minus:
		return c.without(n.Args[0], n.Args[1])
	case latex.Symbol:
		return []interval{{from: math.Inf(-1), to: math.Inf(1)}}, n.Name == "mathbb:R"
	case latex.Relation:
		return c.inequality(n)
	}
	return nil, false
}

func (c *comparer) each(args []*latex.Node, region func(*latex.Node) ([]interval, bool)) ([]interval, bool) {
	var all []interval
	for _, a := range args {
		r, ok := region(a)
		if !ok || len(all) > c.limits.Items {
			return nil, false
		}
		all = append(all, r...)
	}
	return all, true
}

func (c *comparer) between(low, high *latex.Node, lowClosed, highClosed bool) ([]interval, bool) {
	if !isScalar(low) || !isScalar(high) {
		return nil, false
	}
	from, ok1 := c.real(low)
	to, ok2 := c.real(high)
	if !ok1 || !ok2 || from > to {
		return nil, false
	}
	r := interval{low, high, from, to, lowClosed, highClosed}
	if math.IsInf(from, 0) {
		r.low, r.lowClosed = nil, false
	}
	if math.IsInf(to, 0) {
		r.high, r.highClosed = nil, false
	}
	return []interval{r}, true
}

// without returns a region less some points.
func (c *comparer) without(n, points *latex.Node) ([]interval, bool) {
	all, ok1 := c.region(n)
	holes, ok2 := c.region(points)
	if !ok1 || !ok2 {
		return nil, false
	}
	for _, hole := range holes {
		if hole.from != hole.to {
			return nil, false
		}
		var rest []interval
		for _, r := range all {
			if hole.from < r.from || hole.from > r.to {
				rest = append(rest, r)
				continue
			}
			left, right := r, r
			left.high, left.to, left.highClosed = hole.low, hole.from, false
			right.low, right.from, right.lowClosed = hole.low, hole.from, false
			for _, part := range [...]interval{left, right} {
				if part.from < part.to {
					rest = append(rest, part)
				}
			}
		}
		all = rest
	}
	return all, true
}

// inequality returns the region of a < x ≤ b, x > a or x ≠ a.
func (c *comparer) inequality(n *latex.Node) ([]interval, bool) {
	args, ops := n.Args, n.Ops
	if ops[0] == ">" || ops[0] == ">=" {
		args, ops = slices.Clone(args), slices.Clone(ops)
		slices.Reverse(args)
		slices.Reverse(ops)
		for i, op := range ops {
			switch op {
			case ">":
				ops[i] = "<"
			case ">=":
				ops[i] = "<="
			default:
				return nil, false
			}
		}
	}
	infinity := &latex.Node{Kind: latex.Symbol, Name: "infty"}
	negative := &latex.Node{Kind: latex.Negative, Args: []*latex.Node{infinity}}
	less := func(op string) bool { return op == "<" || op == "<=" }
	for i, a := range args {
		if a.Kind == latex.Call && a.Name == "abs" && isName(a.Args[0]) {
			args = slices.Clone(args)
			args[i] = a.Args[0]
			r, ok := c.inequality(&latex.Node{Kind: latex.Relation, Args: args, Ops: ops})
			return mirrored(r), ok
		}
	}
	switch {
	case len(args) == 3 && isName(args[1]) && less(ops[0]) && less(ops[1]):
		return c.between(args[0], args[2], ops[0] == "<=", ops[1] == "<=")
	case len(args) != 2:
		return nil, false
	case isName(args[0]) && less(ops[0]):
		return c.between(negative, args[1], false, ops[0] == "<=")
	case isName(args[1]) && less(ops[0]):
		return c.between(args[0], infinity, ops[0] == "<=", false)
	case ops[0] == "!=" && isName(args[0]):
		low, ok1 := c.between(negative, args[1], false, false)
		high, ok2 := c.between(args[1], infinity, false, false)
		return append(low, high...), ok1 && ok2
	}
	return nil, false
}

// mirrored returns where |x| lies in one of the intervals.
func mirrored(all []interval) []interval {
	minus := func(n *latex.Node) *latex.Node {
		if n == nil {
			return nil
		}
		return &latex.Node{Kind: latex.Negative, Args: []*latex.Node{n}}
	}
	var both []interval
	for _, r := range all {
		switch {
		case r.to < 0 || r.to == 0 && !r.highClosed:
		case r.from < 0:
			both = append(both, interval{minus(r.high), r.high, -r.to, r.to, r.highClosed, r.highClosed})
		default:
			both = append(both, r, interval{minus(r.high), minus(r.low), -r.to, -r.from, r.highClosed, r.lowClosed})
		}
	}
	return both
}

// merge sorts intervals and joins those that touch.
func merge(all []interval) []interval {
	slices.SortStableFunc(all, func(a, b interval) int {
		switch {
		case a.from != b.from:
			return compareFloats(a.from, b.from)
		case a.lowClosed != b.lowClosed && a.lowClosed:
			return -1
		case a.lowClosed != b.lowClosed:
			return 1
		}
		return compareFloats(a.to, b.to)
	})
	var merged []interval
	for _, r := range all {
		if n := len(merged); n > 0 {
			last := &merged[n-1]
			if r.from < last.to || r.from == last.to && (r.lowClosed || last.highClosed) {
				if r.to > last.to || r.to == last.to && r.highClosed {
					last.high, last.to, last.highClosed = r.high, r.to, r.highClosed
				}
				continue
			}
		}
		merged = append(merged, r)
	}
	return merged
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
