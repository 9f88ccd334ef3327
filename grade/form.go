package grade

import (
	"errors"
	"hash/fnv"
	"strings"

	"rcvae/grade/internal/algebra"
	"rcvae/grade/internal/latex"
)

// form is an answer made ready to be compared.
type form struct {
	text   string      // normal form, "=" before a number; empty if the answer cannot be read
	number bool        // text is a number
	plain  bool        // the answer is one number and nothing that may mean another
	tree   *latex.Node // at the level symbolic, unless plain
	budget bool        // the answer is beyond the limits
	hash   uint64      // of the answer
	answer string
}

// sameness is the outcome of a comparison.
type sameness uint8

const (
	different sameness = iota
	same
	unknown
)

// form makes an answer ready for the grader's kind and level.
func (g *Grader) form(answer string) *form {
	if answer == "" {
		return &form{}
	}
	if len(answer) > maxAnswer {
		return &form{budget: true}
	}
	if g.level == String {
		return &form{text: normalString(answer)}
	}
	if g.kind != "math" {
		if text, ok := canonicalNumber(answer); ok {
			return &form{text: text, number: true, plain: true}
		}
		if g.level == Numeric {
			return &form{}
		}
	}
	return g.mathForm(answer)
}

func (g *Grader) mathForm(answer string) *form {
	if isInteger(answer) {
		return &form{text: "=" + answer, number: true, plain: true, answer: answer, hash: hashOf(answer)}
	}
	f := &form{answer: answer, hash: hashOf(answer)}
	f.text, f.number = canonicalLaTeX(answer)
	if f.text == "" {
		return f
	}
	f.plain = f.number && !strings.ContainsAny(answer, "%_") && !strings.Contains(answer, "percent")
	if f.plain {
		return f
	}
	tree, err := latex.Parse(answer, latex.DefaultLimits())
	switch {
	case errors.Is(err, latex.ErrBudget):
		f.budget = g.level == Symbolic
	case err == nil:
		if value, ok := algebra.Rational(tree); ok && !f.number && !tree.Has(latex.Based) {
			f.text, f.number = "="+(&number{*value}).String(), true
		}
		if g.level == Symbolic {
			f.tree = tree
		}
	}
	return f
}

// isInteger reports whether s is a short integer in its shortest form.
func isInteger(s string) bool {
	if s == "" || len(s) > 18 || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// compare compares two forms and names the rule that decided.
func (g *Grader) compare(a, b *form) (sameness, string) {
	switch {
	case a.text != "" && a.text == b.text && a.number:
		return same, "number"
	case a.text != "" && a.text == b.text:
		return same, "string"
	case a.budget || b.budget:
		return unknown, "budget"
	case a.text == "" || b.text == "":
		return different, "unreadable"
	case a.plain && b.plain:
		return different, "number"
	case g.level != Symbolic:
		return different, "string"
	}
	return compareTrees(a, b)
}

func compareTrees(a, b *form) (sameness, string) {
	x, y := a.node(), b.node()
	if x == nil || y == nil {
		return different, "string"
	}
	result := algebra.Compare(x, y, a.hash^b.hash, algebra.DefaultLimits())
	switch result.Outcome {
	case algebra.Same:
		return same, result.Rule
	case algebra.Different:
		return different, result.Rule
	}
	return unknown, result.Rule
}

// node returns the tree of a form; plain numbers get theirs only when it is needed.
func (f *form) node() *latex.Node {
	if f.tree != nil || !f.plain {
		return f.tree
	}
	tree, err := latex.Parse(f.answer, latex.DefaultLimits())
	if err != nil {
		return nil
	}
	return tree
}

// isValue reports whether an answer was read and is no equation.
func (f *form) isValue() bool {
	n := f.node()
	return n != nil && n.Kind != latex.Relation
}

// side returns the last side of an answer that is an equation, or nil.
func (f *form) side() *form {
	if f.tree == nil {
		return nil
	}
	last, ok := algebra.LastSide(f.tree)
	if !ok {
		return nil
	}
	return &form{text: f.text, tree: last, hash: f.hash}
}

// hashOf seeds the points of a comparison: verdicts must not depend on the process.
func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s)) // never fails
	return h.Sum64()
}
