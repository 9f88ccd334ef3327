package algebra

import (
	"math/big"

	"rcvae/grade/internal/latex"
)

// one is the number 1.
var one = &latex.Node{Kind: latex.Number, Value: big.NewRat(1, 1)}

func hasMatrix(n *latex.Node) bool { return n.Has(latex.Matrix) }

// matrices compares two expressions with matrices, entry by entry.
func (c *comparer) matrices(a, b *latex.Node) Outcome {
	x, okA := c.matrix(a)
	y, okB := c.matrix(b)
	if c.steps < 0 {
		return Unknown
	}
	if !okA || !okB || x.Columns != y.Columns {
		return c.named("matrix", Different)
	}
	return c.named("matrix", c.ordered(x.Args, y.Args))
}

// matrix works sums, products and multiples of matrices out.
func (c *comparer) matrix(n *latex.Node) (*latex.Node, bool) {
	switch n.Kind {
	case latex.Matrix:
		return n, true
	case latex.Negative:
		m, ok := c.matrix(n.Args[0])
		if !ok {
			return nil, false
		}
		return scaled(m, &latex.Node{Kind: latex.Negative, Args: []*latex.Node{one}}), true
	case latex.Quotient:
		m, ok := c.matrix(n.Args[0])
		if !ok || !isScalar(n.Args[1]) {
			return nil, false
		}
		return scaled(m, &latex.Node{Kind: latex.Quotient, Args: []*latex.Node{one, n.Args[1]}}), true
	case latex.Sum, latex.Product:
		return c.joined(n)
	}
	return nil, false
}

// joined works out a sum or a product from the left.
func (c *comparer) joined(n *latex.Node) (*latex.Node, bool) {
	var total *latex.Node
	var factors []*latex.Node
	for _, a := range n.Args {
		if n.Kind == latex.Product && isScalar(a) {
			factors = append(factors, a)
			continue
		}
		m, ok := c.matrix(a)
		if ok && total != nil {
			m, ok = c.join(n.Kind, total, m)
		}
		if !ok {
			return nil, false
		}
		total = m
	}
	if total == nil {
		return nil, false
	}
	for _, f := range factors {
		total = scaled(total, f)
	}
	return total, true
}

func (c *comparer) join(kind latex.Kind, a, b *latex.Node) (*latex.Node, bool) {
	if kind == latex.Sum {
		if a.Columns != b.Columns || len(a.Args) != len(b.Args) {
			return nil, false
		}
		m := &latex.Node{Kind: latex.Matrix, Columns: a.Columns}
		for i := range a.Args {
			m.Args = append(m.Args, &latex.Node{Kind: latex.Sum, Args: []*latex.Node{a.Args[i], b.Args[i]}})
		}
		return m, true
	}
	if !c.affordable(a, b) {
		return nil, false
	}
	rows, inner, columns := len(a.Args)/a.Columns, a.Columns, b.Columns
	if inner != len(b.Args)/b.Columns {
		return nil, false
	}
	if c.steps -= rows * inner * columns; c.steps < 0 {
		return nil, false
	}
	m := &latex.Node{Kind: latex.Matrix, Columns: columns}
	for i := range rows {
		for j := range columns {
			sum := &latex.Node{Kind: latex.Sum}
			for k := range inner {
				sum.Args = append(sum.Args, &latex.Node{Kind: latex.Product, Args: []*latex.Node{a.Args[i*inner+k], b.Args[k*columns+j]}})
			}
			m.Args = append(m.Args, sum)
		}
	}
	return m, true
}

// affordable spends the size of a product of matrices: each entry of one occurs in as
// many entries of the product as the other has rows or columns.
func (c *comparer) affordable(a, b *latex.Node) bool {
	const largest = 4000 // nodes of a factor
	size := 0
	for _, m := range [...]*latex.Node{a, b} {
		m.Walk(func(*latex.Node) bool {
			size++
			return size <= 2*largest
		})
	}
	c.steps -= size
	return size <= largest && c.steps >= 0
}

func scaled(m, factor *latex.Node) *latex.Node {
	s := &latex.Node{Kind: latex.Matrix, Columns: m.Columns}
	for _, a := range m.Args {
		s.Args = append(s.Args, &latex.Node{Kind: latex.Product, Args: []*latex.Node{factor, a}})
	}
	return s
}
