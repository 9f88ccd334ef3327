package grade

import (
	"errors"
	"hash/fnv"
	"math/big"

	"rcvae/grade/internal/algebra"
	"rcvae/grade/internal/latex"
)

// form is an answer made ready to be compared.
type form struct {
	answer  string
	text    string      // normal form, of MATH with "=" before a number; empty if the answer cannot be read
	integer bool        // the answer is a short integer, whose value is read when it is needed
	value   *big.Rat    // of any other answer that is a number
	decimal bool        // value was written with a decimal point
	plain   bool        // the answer is its value and nothing that may mean another
	tree    *latex.Node // nil for plain numbers, which get theirs when it is needed
	budget  bool        // the answer is beyond the limits
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
	switch answer = plain(answer); {
	case answer == "":
		return &form{}
	case len(answer) > maxAnswer:
		return &form{budget: true}
	case g.level == String:
		return &form{answer: answer, text: latex.Normal(answer)}
	case g.readsNumbers():
		if isInteger(answer) {
			return &form{answer: answer, text: answer, integer: true, plain: true}
		}
		if n, ok := numberIn(answer); ok {
			return &form{answer: answer, text: n.String(), value: &n.Rat, decimal: n.decimal, plain: true}
		}
		if g.level == Numeric {
			return &form{}
		}
	}
	return mathForm(answer)
}

func mathForm(answer string) *form {
	f := &form{answer: answer}
	if isInteger(answer) {
		f.integer, f.plain, f.text = true, true, "="+answer
		return f
	}
	tree, err := latex.Parse(answer, latex.DefaultLimits())
	if err != nil {
		f.budget = errors.Is(err, latex.ErrBudget)
		f.text = latex.Normal(answer)
		return f
	}
	f.tree = tree
	if value, ok := algebra.Number(tree, numberLimits()); ok {
		f.value, f.decimal = value, algebra.IsDecimal(tree)
		f.plain = !tree.Has(latex.Percent)
		const shown = 2048 // bits
		if value.Num().BitLen()+value.Denom().BitLen() <= shown {
			f.text = "=" + (&number{*value, f.decimal}).String()
			return f
		}
	}
	if f.text = latex.Normal(answer); f.text == "" && tree.Kind == latex.Set {
		f.text = `\emptyset`
	}
	return f
}

// isInteger reports whether s is a short integer in its shortest form.
func isInteger(s string) bool {
	return s != "" && len(s) <= 18 && (s[0] != '0' || len(s) == 1) && digitsEnd(s, 0) == len(s)
}

// compare compares two forms and names the rule that decided.
func (g *Grader) compare(a, b *form, limits algebra.Limits) (sameness, string) {
	switch {
	case a.integer && b.integer:
		return sameIf(a.answer == b.answer), "number"
	case a.plain && b.plain:
		x, y := a.number(), b.number()
		return sameIf(x.Cmp(y) == 0 || (a.decimal || b.decimal) && algebra.Rounded(x, y)), "number"
	case a.text != "" && (a.text == b.text || a.normal() == b.normal()):
		return same, "string"
	case a.budget || b.budget:
		return unknown, "budget"
	case a.text == "" || b.text == "":
		return different, "unreadable"
	case g.level == Numeric && isWord(a.tree) && isWord(b.tree), g.level == Symbolic:
		return compareTrees(a, b, limits)
	}
	return different, "string"
}

// isNumber reports whether the text is that of a number.
func (f *form) isNumber() bool { return f.integer || f.value != nil }

// normal returns the answer as it is at the level string: what is the same there is the
// same at each level.
func (f *form) normal() string {
	switch {
	case f.integer:
		return f.answer
	case f.isNumber():
		return latex.Normal(f.answer)
	}
	return f.text
}

func sameIf(equal bool) sameness {
	if equal {
		return same
	}
	return different
}

// number returns the value of a plain form.
func (f *form) number() *big.Rat {
	if !f.integer {
		return f.value
	}
	n, _ := parseLiteral(f.answer)
	return &n.Rat
}

func isWord(n *latex.Node) bool { return n != nil && (n.Kind == latex.Text || n.Kind == latex.Symbol) }

func compareTrees(a, b *form, limits algebra.Limits) (sameness, string) {
	x, y := a.node(), b.node()
	if x == nil || y == nil {
		return different, "string"
	}
	result := algebra.Compare(x, y, hashOf(a.answer)^hashOf(b.answer), limits)
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
	return &latex.Node{Kind: latex.Number, Value: f.number(), Decimal: f.decimal}
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
	return &form{answer: f.answer, text: f.text, tree: last}
}

// hashOf seeds the points of a comparison: verdicts must not depend on the process.
func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s)) // never fails
	return h.Sum64()
}

// numberLimits are less than those of a comparison: a number that is not found here is
// compared as a formula.
func numberLimits() algebra.Limits {
	limits := algebra.DefaultLimits()
	limits.Work /= 4
	return limits
}

// isNumber reports whether an answer in LaTeX is a number.
func isNumber(answer string) bool {
	return mathForm(answer).isNumber()
}
