package algebra

import (
	"errors"

	"rcvae/grade/internal/latex"
)

// relations compares answers of which at least one is a chain of relations.
func (c *comparer) relations(a, b *latex.Node) Outcome {
	if a.Kind != latex.Relation {
		a, b = b, a
	}
	if b.Kind == latex.Relation {
		return c.twoRelations(a, b)
	}
	if _, value, ok := assignment(a); ok { // x = 5 is 5
		o := c.answers(value, b)
		if o == Same {
			c.rule = "assignment"
		}
		return o
	}
	if isCollection(b) && len(b.Args) == 1 {
		return c.answers(a, b.Args[0])
	}
	return c.named("kind", Different)
}

func (c *comparer) twoRelations(a, b *latex.Node) Outcome {
	nameA, valueA, okA := assignment(a)
	nameB, valueB, okB := assignment(b)
	if okA && okB && key(nameA) == key(nameB) {
		o := c.answers(valueA, valueB)
		return c.named("assignment", o)
	}
	left, okA := conditions(a)
	right, okB := conditions(b)
	if !okA || !okB || len(left) != len(right) {
		return c.named("relation", Different)
	}
	return c.named("relation", cover(c, left, right, c.conditions))
}

// assignment splits "name = value". Of a chain of equations the last side counts, of
// one with ≈ the side before it.
func assignment(n *latex.Node) (name, value *latex.Node, ok bool) {
	last := len(n.Args) - 1
	for i, op := range n.Ops {
		if op == "~" {
			if i > 0 || !isName(n.Args[0]) {
				last = i
			}
			break
		}
		if op != "=" {
			return nil, nil, false
		}
	}
	if last == 0 { // 5.33 ≈ 16/3
		return n.Args[0], n.Args[0], true
	}
	first, value := n.Args[0], n.Args[last]
	if isName(first) || last > 1 {
		return first, value, true
	}
	if isName(value) {
		return value, first, true
	}
	if isScalar(first) && isScalar(value) && !first.Free() && !value.Free() { // 3 + 4 = 7
		return first, value, true
	}
	return nil, nil, false
}

// LastSide returns the last side of a chain of equations, and false for anything else.
func LastSide(n *latex.Node) (*latex.Node, bool) {
	if n.Kind != latex.Relation {
		return nil, false
	}
	for _, op := range n.Ops {
		if op != "=" {
			return nil, false
		}
	}
	return n.Args[len(n.Args)-1], true
}

// isName reports whether an expression names a quantity: x, f(x), AB, |AB|, NO/BO, (p, q).
func isName(n *latex.Node) bool {
	switch n.Kind {
	case latex.Symbol:
		return n.Name != "pi" && n.Name != "infty"
	case latex.Product:
		return isName(n.Args[0]) && !n.Has(latex.Sum) && !n.Has(latex.Power) && !n.Has(latex.Quotient)
	case latex.Quotient, latex.Tuple, latex.Ratio:
		for _, a := range n.Args {
			if !isName(a) {
				return false
			}
		}
		return true
	case latex.Call:
		return n.Name != "sum" && n.Name != "prod" && n.Name != "factorial" && n.Name != "root" && len(n.Args) == 1 && isName(n.Args[0])
	}
	return false
}

// condition is difference op 0, where op is "=", "!=", "<" or "<=".
type condition struct {
	difference *latex.Node
	op         string
}

// conditions splits a chain of relations; it does not know ∈ and ≈.
func conditions(n *latex.Node) ([]condition, bool) {
	var all []condition
	for i, op := range n.Ops {
		left, right := n.Args[i], n.Args[i+1]
		if !isScalar(left) || !isScalar(right) {
			return nil, false
		}
		switch op {
		case ">":
			left, right, op = right, left, "<"
		case ">=":
			left, right, op = right, left, "<="
		case "in", "~":
			return nil, false
		}
		minus := &latex.Node{Kind: latex.Negative, Args: []*latex.Node{right}}
		all = append(all, condition{&latex.Node{Kind: latex.Sum, Args: []*latex.Node{left, minus}}, op})
	}
	return all, true
}

// conditions compares f op 0 with g op 0: they are the same if f = k·g with a constant k,
// which is positive for inequalities.
func (c *comparer) conditions(x, y condition) Outcome {
	if x.op != y.op {
		return Different
	}
	e := c.evaluator(finalBits, 0)
	var f0, g0 value
	agree := 0
	for ; e.round < tries && agree < points; e.round++ {
		f, errF := e.eval(x.difference)
		g, errG := e.eval(y.difference)
		if errors.Is(errF, errBudget) || errors.Is(errG, errBudget) || e.peak > maxPeak {
			return Unknown
		}
		undefined := errF != nil || errG != nil
		if !undefined {
			f, g = e.rounded(f), e.rounded(g)
		}
		switch {
		case e.round == 0 && (undefined || !sameSign(f, g, x.op)):
			return Different
		case e.round == 0:
			f0, g0 = f, g
		case undefined:
		case !e.near(e.mul(f, g0), e.mul(g, f0)):
			return Different
		default:
			agree++
		}
	}
	return outcome(agree > 1)
}

// sameSign reports whether two values are not 0 and, for an inequality, real and of one
// sign.
func sameSign(f, g value, op string) bool {
	if f.exponent() == none || g.exponent() == none {
		return false
	}
	ordered := op == "<" || op == "<="
	return !ordered || f.im == nil && g.im == nil && f.re.Sign() == g.re.Sign()
}
