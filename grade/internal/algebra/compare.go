package algebra

import (
	"strings"

	"rcvae/grade/internal/latex"
)

// Limits bound the work of [Compare].
type Limits struct {
	Work  int // operations on machine words, of all values together
	Items int // of a list or a set
}

// DefaultLimits returns limits that no honest answer reaches; the work takes some
// milliseconds.
func DefaultLimits() Limits { return Limits{Work: 600_000, Items: 64} }

// Result is the outcome of a comparison and the rule that decided.
type Result struct {
	Outcome Outcome
	Rule    string // "rational", "decimal", "value", "points", "percent", "list", "tuple", "set", "matrix", "equation", …
}

// Compare compares two answers. It is symmetric: the order of the arguments does not
// matter, if the seed is the same.
func Compare(a, b *latex.Node, seed uint64, limits Limits) Result {
	c := comparer{budget: budget{limits.Work}, seed: seed, limits: limits}
	o := c.answers(a, b)
	if o == Unknown || c.left < 0 && o != Same {
		return Result{Unknown, "budget"}
	}
	return Result{o, c.rule}
}

type comparer struct {
	budget
	seed          uint64
	limits        Limits
	rule          string
	bothUndefined bool // in the last evaluation
}

// answers compares two answers of any kind.
func (c *comparer) answers(a, b *latex.Node) Outcome {
	if !c.spend(16) {
		return Unknown
	}
	a, b = unwrap(a), unwrap(b)
	if (isRegion(a) || isRegion(b)) && (a.Kind != latex.Relation || b.Kind != latex.Relation) {
		if o, ok := c.regions(a, b); ok {
			return o
		}
	}
	switch {
	case a.Kind == latex.Relation || b.Kind == latex.Relation:
		return c.relations(a, b)
	case a.Kind == latex.Text || b.Kind == latex.Text:
		c.rule = "text"
		return outcome(flat(a) == flat(b))
	case isCollection(a) && isCollection(b):
		return c.named("list", cover(c, items(a), items(b), c.answers))
	case isPoint(a) && b.Kind == latex.List || a.Kind == latex.List && isPoint(b):
		return c.named("tuple", c.ordered(a.Args, b.Args))
	case a.Kind == latex.Tuple && b.Kind == latex.Tuple:
		return c.tuples(a, b)
	case a.Kind == latex.Ratio && b.Kind == latex.Ratio:
		return c.named("ratio", c.ordered(a.Args, b.Args))
	case isCollection(a) && isScalar(b):
		return c.named("list", cover(c, items(a), []*latex.Node{b}, c.answers))
	case isScalar(a) && isCollection(b):
		return c.named("list", cover(c, []*latex.Node{a}, items(b), c.answers))
	case a.Has(latex.Matrix) && b.Has(latex.Matrix):
		return c.matrices(a, b)
	case isScalar(a) && isScalar(b):
		return c.scalars(a, b)
	}
	c.rule = "kind"
	return Different
}

// named sets the rule and passes the outcome on.
func (c *comparer) named(rule string, o Outcome) Outcome {
	c.rule = rule
	return o
}

// unwrap removes what does not matter at the top of an answer: {x} in one pair of
// brackets, x ∈ S, and ± in favour of a list.
func unwrap(n *latex.Node) *latex.Node {
	if n.Kind == latex.Relation && n.Ops[len(n.Ops)-1] == "in" {
		n = n.Args[len(n.Args)-1]
	}
	if n.Kind == latex.Relation && n.Ops[len(n.Ops)-1] == "=" && n.Has(latex.PlusMinus) && isName(n.Args[0]) {
		n = n.Args[len(n.Args)-1]
	}
	if n.Kind != latex.List && n.Kind != latex.Set && n.Kind != latex.Tuple && n.Kind != latex.Relation && n.Has(latex.PlusMinus) {
		return &latex.Node{Kind: latex.List, Args: []*latex.Node{choose(n, false), choose(n, true)}}
	}
	return n
}

// choose replaces ± by + and ∓ by −, or the other way around.
func choose(n *latex.Node, lower bool) *latex.Node {
	if len(n.Args) == 0 {
		return n
	}
	m := *n
	m.Args = make([]*latex.Node, len(n.Args))
	for i, a := range n.Args {
		m.Args[i] = choose(a, lower)
	}
	if n.Kind != latex.PlusMinus {
		return &m
	}
	last := m.Args[len(m.Args)-1]
	if (n.Name == "mp") != lower {
		last = &latex.Node{Kind: latex.Negative, Args: []*latex.Node{last}}
	}
	if len(m.Args) == 1 {
		return last
	}
	return &latex.Node{Kind: latex.Sum, Args: []*latex.Node{m.Args[0], last}}
}

// isPoint reports whether a tuple cannot be taken for a closed interval.
func isPoint(n *latex.Node) bool {
	return n.Kind == latex.Tuple && (n.Name == "()" || len(n.Args) != 2)
}

func isCollection(n *latex.Node) bool { return n.Kind == latex.List || n.Kind == latex.Set }

// isScalar reports whether the whole tree is an expression.
func isScalar(n *latex.Node) bool {
	return n.Walk(func(n *latex.Node) bool {
		switch n.Kind {
		case latex.List, latex.Tuple, latex.Set, latex.Union, latex.Minus, latex.Matrix, latex.Relation, latex.Text:
			return false
		}
		return true
	})
}

// items returns what is in a list or a set, with both values of ±.
func items(n *latex.Node) []*latex.Node {
	var all []*latex.Node
	for _, a := range n.Args {
		if b := unwrap(a); b != a && b.Kind == latex.List || b.Kind == latex.List && n.Kind == latex.Set {
			all = append(all, items(b)...)
		} else {
			all = append(all, b)
		}
	}
	return all
}

// cover compares lists without order: each item of one has an equal in the other.
// So repetitions do not matter, and the relation is symmetric whatever that of items is.
func cover[T any](c *comparer, a, b []T, compare func(x, y T) Outcome) Outcome {
	if len(a) > c.limits.Items || len(b) > c.limits.Items {
		return Unknown
	}
	found := make([]Outcome, len(a)+len(b))
	for i, x := range a {
		for j, y := range b {
			both := [...]*Outcome{&found[i], &found[len(a)+j]}
			if *both[0] == Same && *both[1] == Same {
				continue
			}
			o := compare(x, y)
			for _, f := range both {
				if o == Same || o == Unknown && *f == Different {
					*f = o
				}
			}
		}
	}
	return allOf(found)
}

// allOf is Different if one outcome is, else Unknown if one is, else Same.
func allOf(outcomes []Outcome) Outcome {
	total := Same
	for _, o := range outcomes {
		switch o {
		case Different:
			return Different
		case Unknown:
			total = Unknown
		}
	}
	return total
}

func (c *comparer) ordered(a, b []*latex.Node) Outcome {
	if len(a) != len(b) {
		return Different
	}
	found := make([]Outcome, len(a))
	for i := range a {
		if found[i] = c.answers(a[i], b[i]); found[i] == Different {
			return Different
		}
	}
	return allOf(found)
}

// tuples compares points and intervals: with two items the delimiters matter.
func (c *comparer) tuples(a, b *latex.Node) Outcome {
	rule := "tuple"
	if len(a.Args) == 2 && a.Name != "()" {
		rule = "interval"
	}
	if len(a.Args) == 2 && a.Name != b.Name {
		return c.named(rule, Different)
	}
	return c.named(rule, c.ordered(a.Args, b.Args))
}

// flat writes a word, however it was read, as letters alone.
func flat(n *latex.Node) string {
	var b strings.Builder
	n.Walk(func(n *latex.Node) bool {
		switch n.Kind {
		case latex.Text, latex.Symbol:
			b.WriteString(strings.ReplaceAll(strings.TrimPrefix(n.Name, "text:"), " ", ""))
		case latex.Number:
			b.WriteString(n.Value.RatString())
		case latex.Product:
		default:
			b.WriteByte('?')
		}
		return true
	})
	return strings.ToLower(b.String())
}
