package algebra

import "rcvae/grade/internal/latex"

// matrices compares two expressions with matrices, entry by entry.
func (c *comparer) matrices(a, b *latex.Node) Outcome {
	x, okA := c.matrix(a)
	y, okB := c.matrix(b)
	if c.left < 0 {
		return Unknown
	}
	if !okA || !okB || x.Columns != y.Columns {
		return c.named("matrix", Different)
	}
	return c.named("matrix", c.ordered(x.Args, y.Args))
}

// matrix works sums, products and multiples of matrices out; false if there are none of
// these sizes.
func (c *comparer) matrix(n *latex.Node) (*latex.Node, bool) {
	switch n.Kind {
	case latex.Negative:
		n = &latex.Node{Kind: latex.Product, Args: []*latex.Node{minusOne, n.Args[0]}}
	case latex.Quotient, latex.Sum, latex.Product:
	default:
		return n, n.Kind == latex.Matrix || !n.Has(latex.Matrix)
	}
	total, ok := c.matrix(n.Args[0])
	for _, a := range n.Args[1:] {
		next, fine := c.matrix(a)
		if !ok || !fine || !c.spend(64*(len(total.Args)+1)*(len(next.Args)+1)) {
			return nil, false
		}
		total, ok = joined(n.Kind, total, next)
	}
	return total, ok
}

// joined works one operation out, of two matrices or of one and a number.
func joined(kind latex.Kind, a, b *latex.Node) (*latex.Node, bool) {
	left, right := a.Kind == latex.Matrix, b.Kind == latex.Matrix
	op := func(x, y *latex.Node) *latex.Node { return &latex.Node{Kind: kind, Args: []*latex.Node{x, y}} }
	m := &latex.Node{Kind: latex.Matrix}
	switch {
	case !left && !right:
		return op(a, b), true
	case left && right && kind == latex.Sum && a.Columns == b.Columns && len(a.Args) == len(b.Args):
		m.Columns = a.Columns
		for i := range a.Args {
			m.Args = append(m.Args, op(a.Args[i], b.Args[i]))
		}
	case left && right && kind == latex.Product && a.Columns*b.Columns == len(b.Args):
		m.Columns = b.Columns
		for i := range len(a.Args) / a.Columns * b.Columns { // a row of a and a column of b
			sum := &latex.Node{Kind: latex.Sum}
			for k := range a.Columns {
				sum.Args = append(sum.Args, op(a.Args[i/b.Columns*a.Columns+k], b.Args[k*b.Columns+i%b.Columns]))
			}
			m.Args = append(m.Args, sum)
		}
	case left != right && kind != latex.Sum && (left || kind == latex.Product):
		numbers, entries := a, b
		if left {
			numbers, entries = b, a
		}
		m.Columns = entries.Columns
		for _, x := range entries.Args {
			m.Args = append(m.Args, op(x, numbers))
		}
	default:
		return nil, false
	}
	return m, true
}
