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

// matrix works sums, products and multiples of matrices out.
func (c *comparer) matrix(n *latex.Node) (*latex.Node, bool) {
	if n.Kind == latex.Matrix || !n.Has(latex.Matrix) {
		return n, true
	}
	switch n.Kind {
	case latex.Negative, latex.Quotient, latex.Sum, latex.Product:
	default:
		return nil, false
	}
	total, ok := c.matrix(n.Args[0])
	for _, a := range n.Args[1:] {
		m, fine := c.matrix(a)
		if !ok || !fine {
			return nil, false
		}
		total, ok = c.joined(n.Kind, total, m)
	}
	if ok && n.Kind == latex.Negative {
		total = each(total, func(x *latex.Node) *latex.Node { return node(latex.Negative, x) })
	}
	return total, ok
}

// joined works one operation out, of two matrices or of one and a number.
func (c *comparer) joined(kind latex.Kind, a, b *latex.Node) (*latex.Node, bool) {
	if !c.spend(64 * (len(a.Args) + 1) * (len(b.Args) + 1)) {
		return nil, false
	}
	switch {
	case a.Kind != latex.Matrix && b.Kind != latex.Matrix:
		return node(kind, a, b), true
	case a.Kind != latex.Matrix && kind == latex.Product:
		return each(b, func(x *latex.Node) *latex.Node { return node(kind, a, x) }), true
	case b.Kind != latex.Matrix && kind != latex.Sum:
		return each(a, func(x *latex.Node) *latex.Node { return node(kind, x, b) }), true
	case a.Kind != latex.Matrix || b.Kind != latex.Matrix || kind == latex.Quotient:
		return nil, false
	}
	result := &latex.Node{Kind: latex.Matrix, Columns: b.Columns}
	for i := 0; i < len(a.Args) && kind == latex.Product; i += a.Columns { // a row of a and a column of b
		for j := range b.Columns {
			sum := node(latex.Sum)
			for k := 0; k < a.Columns && k*b.Columns+j < len(b.Args); k++ {
				sum.Args = append(sum.Args, node(kind, a.Args[i+k], b.Args[k*b.Columns+j]))
			}
			result.Args = append(result.Args, sum)
		}
	}
	if kind == latex.Product {
		return result, a.Columns*b.Columns == len(b.Args)
	}
	for i := 0; i < min(len(a.Args), len(b.Args)); i++ {
		result.Args = append(result.Args, node(kind, a.Args[i], b.Args[i]))
	}
	return result, a.Columns == b.Columns && len(a.Args) == len(b.Args)
}

// each applies a function to every entry.
func each(m *latex.Node, apply func(*latex.Node) *latex.Node) *latex.Node {
	result := &latex.Node{Kind: latex.Matrix, Columns: m.Columns}
	for _, x := range m.Args {
		result.Args = append(result.Args, apply(x))
	}
	return result
}

func node(kind latex.Kind, args ...*latex.Node) *latex.Node {
	return &latex.Node{Kind: kind, Args: args}
}
