package signal

import (
	"slices"
	"strings"
)

// Equation is a line of arithmetic that was read as a whole on both sides of its sign.
type Equation struct {
	Text        string // the candidate's own words, text[Start:End]
	Start, End  int    // bytes of the text
	Left, Right string // the two sides, as written
	Holds       bool   // false: an error of calculation
	Approximate bool   // the sign is ≈
	Rounded     bool   // holds up to the rounding of the side that is a single number
	Want        string // of a wrong equation: the value of its left side, what the right should be

	stated number // what the text gives as the result
	result bool   // stated is the result of the equation
}

// Equations reads the equations of a text, in their order. A side that is not read as
// a whole (a variable, a cut left end, an unknown sign) is not judged and not returned.
//
// Of a text that no honest solution comes near, the beginning is read: [MaxTokens] tokens,
// and equations until [MaxSteps] operands have been read in them.
func Equations(text string) []Equation {
	r := reader{lexer: lexer{tokens: make([]token, 0, 64+min(len(text), MaxTokens)/4)}}
	r.read(text)
	return r.found
}

// The bounds of what is read in one text. A token is at least one byte, so that a text
// of [MaxTokens] bytes is within the first bound.
const (
	MaxTokens = 1 << 16 // words, numbers and signs
	MaxSteps  = 1 << 17 // operands, each as often as it is looked at
)

// reader goes through the tokens of a text once. It may read one text after the other,
// with the same memory.
type reader struct {
	lexer    lexer
	text     string
	tokens   []token
	found    []Equation
	modular  bool // an equation may be a congruence
	cut      bool // the text goes on behind what was read
	parser   parser
	lhs, rhs sideTokens
	joined   bool    // the side stands behind an equation and "and"
	inner    *reader // reads annotations

	annotation bool // the text is one, whose end is not where the solution was cut off
}

// read reads a text, whose tokens and equations are valid until the next one is read.
func (r *reader) read(text string) {
	r.parser.steps = 0
	r.pass(text)
	if len(r.lexer.notes) > 0 {
		r.annotations()
	}
}

// pass reads a text without its annotations.
func (r *reader) pass(text string) {
	r.lexer.reset(text)
	r.lexer.run()
	r.text, r.tokens, r.found, r.modular, r.joined = text, r.lexer.tokens, r.found[:0], r.lexer.modular, false
	r.cut = r.lexer.cut() && r.lexer.pos < len(text)
	from, chain := 0, false // where the current side begins, and whether a relation stands before it
	for i := range r.tokens {
		switch t := &r.tokens[i]; {
		case t.kind == relation:
			r.equation(from, i, chain)
			from, chain = i+1, true
		case t.class == breakWord && r.states(i):
			r.equation(from, i, chain)
			from, chain = i+1, false
		case breaks(t):
			r.joined = (chain || from == i) && t.class == joinWord
			from, chain = i+1, false
		}
	}
	r.cut = r.cut || r.parser.spent()
}

// annotations reads the calculator annotations that do not stand inside an equation.
func (r *reader) annotations() {
	if r.inner == nil {
		r.inner = &reader{annotation: true}
	}
	r.inner.parser.steps = r.parser.steps
	n := len(r.found)
	for _, note := range r.lexer.notes {
		r.note(note, n)
	}
	slices.SortStableFunc(r.found, func(a, b Equation) int { return a.Start - b.Start })
	r.cut = r.cut || r.inner.parser.spent()
}

// note reads an annotation, unless it stands inside one of the first n equations found.
func (r *reader) note(s span, n int) {
	i, _ := slices.BinarySearchFunc(r.found[:n], s.start, func(e Equation, start int) int { return e.End - start })
	if i < n && r.found[i].Start < s.end {
		return
	}
	r.inner.pass(r.text[s.start:s.end])
	for _, e := range r.inner.found {
		e.Start += s.start
		e.End += s.start
		r.found = append(r.found, e)
	}
}

// breaks reports whether a token ends a side for certain.
func breaks(t *token) bool {
	switch t.kind {
	case stop, line, comparison:
		return true
	case word:
		return t.class == breakWord || t.class == joinWord
	}
	return false
}

// states reports whether "is" stands between an expression and its value: 20 % of 50 is 10.
func (r *reader) states(i int) bool {
	t := &r.tokens[i]
	if r.text[t.start:t.end] != "is" || i == 0 {
		return false
	}
	k := r.tokens[i-1].kind
	return k == numeral || k == closing || k == percent
}

// equation judges the two sides of the relation at i.
func (r *reader) equation(from, i int, chain bool) {
	left := r.left(from, i, chain, mode{})
	if left == nil {
		r.identity(from, i, chain)
		return
	}
	right := r.right(i+1, mode{})
	if right == nil || left.ops == 0 { // a name, or what the text has said before
		return
	}
	r.judge(left, right, r.tokens[i].symbol == 'a')
}

func (e *Equation) words(text string, start, stop int) {
	e.Start, e.End = start, stop
	e.Text = text[start:stop]
}

func trim(s string) string { return strings.TrimSpace(s) }
