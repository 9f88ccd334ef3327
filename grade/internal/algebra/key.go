package algebra

import (
	"slices"
	"strings"

	"rcvae/grade/internal/latex"
)

// key writes an expression so that sums and products in another order have the same
// key. It decides where nothing can be evaluated.
func key(n *latex.Node) string {
	var b strings.Builder
	writeKey(&b, n)
	return b.String()
}

func writeKey(b *strings.Builder, n *latex.Node) {
	b.WriteByte('a' + byte(n.Kind))
	switch {
	case n.Value != nil:
		b.WriteString(n.Value.RatString())
	case n.Kind != latex.Number:
		b.WriteString(n.Name)
	}
	if len(n.Args) == 0 {
		return
	}
	keys := make([]string, len(n.Args))
	for i, a := range n.Args {
		keys[i] = key(a)
	}
	if n.Kind == latex.Sum || n.Kind == latex.Product {
		slices.Sort(keys)
	}
	b.WriteByte('(')
	b.WriteString(strings.Join(keys, ","))
	b.WriteString(strings.Join(n.Ops, " "))
	b.WriteByte(')')
}
