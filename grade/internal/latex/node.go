// Package latex reads a final answer, written in LaTeX or as plain text, into a tree.
//
// The reader knows what answers are made of and nothing of documents: numbers,
// fractions, roots, powers, products without signs, functions, sums, relations, lists,
// tuples, intervals, sets, matrices, units and words. It never runs longer than its
// limits allow, see [Parse].
package latex

import (
	"errors"
	"math/big"
)

// Kind says what a [Node] is.
type Kind uint8

// The kinds of nodes. Args holds the operands in the order of the text.
const (
	Number    Kind = iota // Value; Decimal if it was written with a decimal point
	Symbol                // Name: a variable or a constant such as \pi
	Text                  // Name: words, in lower case, one space between them
	Sum                   // of Args
	Product               // of Args
	Negative              // −Args[0]
	Quotient              // Args[0] / Args[1]
	Power                 // Args[0] ^ Args[1]
	Call                  // function Name of Args; "sum" and "prod": variable, from, to, body
	PlusMinus             // Args[0] ± Args[1]; Name "mp" for ∓; one argument: ± Args[0]
	Percent               // Args[0] %
	Based                 // the number Name in base Args[0]
	List                  // Args, separated by commas or words; Name "or" if a word or joined them
	Tuple                 // Args between the delimiters Name, such as "(]"
	Set                   // {Args}
	Union                 // of Args
	Minus                 // the set Args[0] without the set Args[1]
	Matrix                // Args, row after row; Columns of them make a row
	Ratio                 // Args[0] : Args[1] : …
	Relation              // Args[0] Ops[0] Args[1] Ops[1] …
)

// Node is one operation, or a leaf, of an answer.
type Node struct {
	Kind    Kind
	Name    string
	Value   *big.Rat
	Decimal bool
	Columns int
	Ops     []string // "=", "<", "<=", ">", ">=", "!=", "in", "~" (about)
	Args    []*Node
}

// The reasons why a text has no tree.
var (
	ErrSyntax = errors.New("not an answer that can be read")
	ErrBudget = errors.New("larger or deeper than the limits")
)

// Limits bound the work of [Parse].
type Limits struct {
	Bytes int // of the text
	Nodes int // of the tree
	Depth int // of nesting
}

// DefaultLimits returns limits that no honest answer reaches.
func DefaultLimits() Limits { return Limits{Bytes: 4 << 10, Nodes: 2000, Depth: 60} }

func number(n int64) *Node { return &Node{Kind: Number, Value: new(big.Rat).SetInt64(n)} }

func symbol(name string) *Node { return &Node{Kind: Symbol, Name: name} }

// Walk calls visit for the node and everything below it, until it returns false.
func (n *Node) Walk(visit func(*Node) bool) bool {
	if !visit(n) {
		return false
	}
	for _, a := range n.Args {
		if !a.Walk(visit) {
			return false
		}
	}
	return true
}

// Has reports whether the tree holds a node of the kind.
func (n *Node) Has(kind Kind) bool {
	return !n.Walk(func(n *Node) bool { return n.Kind != kind })
}

// Constants are the symbols with a value of their own.
var Constants = map[string]bool{"pi": true, "e": true, "i": true, "infty": true}

// Free reports whether a variable occurs in the tree.
func (n *Node) Free() bool {
	return !n.Walk(func(n *Node) bool { return n.Kind != Symbol || Constants[n.Name] })
}
