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

// left reads the side that ends at the relation i. Behind another relation it must be
// the whole side; else words may stand before it.
func (r *reader) left(from, i int, chain bool, m mode) *sideTokens {
	if chain {
		p := r.side(from, i, m)
		if p.bad || p.pos != i {
			return nil
		}
		return keep(&r.lhs, p, from, i)
	}
	for s := from; s < i; {
		if !r.begins(s, i, m) {
			s++
			continue
		}
		p := r.side(s, i, m)
		if !p.bad && p.pos == i {
			if !r.clean(s, from) {
				return nil
			}
			return keep(&r.lhs, p, s, i)
		}
		s = max(s+1, p.pos)
	}
	return nil
}

// sideTokens is a side that was read as a whole: tokens[start:stop].
type sideTokens struct {
	reading
	start, stop int
}

// keep copies what the parser has read, before it reads the next side.
func keep(s *sideTokens, p *parser, start, stop int) *sideTokens {
	*s = sideTokens{p.reading, start, stop}
	return s
}

// begins reports whether a side may begin at a token.
func (r *reader) begins(s, limit int, m mode) bool {
	switch t := &r.tokens[s]; t.kind {
	case numeral, fracSign, rootSign, currency:
		return true
	case open:
		return t.match >= 0 && int(t.match) < limit
	case operator:
		return t.symbol == '-'
	case word:
		return t.class == halfWord && s+1 < limit && r.tokens[s+1].class == ofWord
	case opaque:
		return m.name != 0 && t.symbol == m.name
	}
	return false
}

// clean reports whether nothing that belongs to the side was cut off at its left.
func (r *reader) clean(s, from int) bool {
	if s == 0 {
		return true
	}
	t, first := &r.tokens[s-1], &r.tokens[s]
	switch t.kind {
	case stop:
		return t.symbol != '|' || first.kind != operator // |x - 7| - 3 + 3
	case line:
		return s == 1 || !r.goesOn(s-2)
	case comparison:
		return true
	case open:
		if t.match < 0 && s > 1 && (r.tokens[s-2].kind == operator || r.tokens[s-2].kind == currency) {
			return false
		}
		return t.match < 0 || int(t.match) > s
	case textUnit:
		return first.kind != operator && (t.class == plainWord || t.class >= timeWord) && r.unscathed(s, from)
	case word:
		if first.kind == operator || first.kind == open && first.glued {
			return false
		}
		switch t.class {
		case joinWord:
			return r.joined
		case plainWord, breakWord, timeWord, lengthWord, massWord, volumeWord, moneyWord:
			return r.unscathed(s, from)
		}
	}
	return false
}

// unscathed reports whether no operator stands before the words left of a side, as in
// "price - discount 5 + 3".
func (r *reader) unscathed(s, from int) bool {
	for j := s - 1; j >= from && j >= s-5; j-- {
		switch r.tokens[j].kind {
		case operator, opaque, fracSign:
			return false
		}
	}
	return true
}

// right reads the side that begins at a token.
func (r *reader) right(from int, m mode) *sideTokens {
	p := r.side(from, len(r.tokens), m)
	if p.bad || !r.ends(p) {
		return nil
	}
	return keep(&r.rhs, p, from, p.pos)
}

// ends reports whether nothing that belongs to the side was cut off at its right.
func (r *reader) ends(p *parser) bool {
	if p.pos >= len(r.tokens) {
		return true
	}
	switch t := &r.tokens[p.pos]; t.kind {
	case stop, relation, comparison, currency, closing:
		return true
	case line:
		return !r.continued(p.pos)
	case word:
		return t.class != timesWord && t.class != multiplied && t.class != divided
	case open:
		return !t.glued && !r.unknown(p.pos)
	case bang:
		return true
	}
	return false
}

// goesOn reports whether the line that ends with the token i goes on in the next one:
// \log_{2} has its argument there.
func (r *reader) goesOn(i int) bool {
	t := &r.tokens[i]
	return t.kind == closing && t.match > 0 && r.tokens[t.match-1].kind == opaque && r.tokens[t.match].glued
}

// continued reports whether a side goes on behind the end of a line at i, with an
// operator on the next one.
func (r *reader) continued(i int) bool {
	t := &r.tokens[i]
	if t.kind != line {
		return false
	}
	for i++; i < len(r.tokens) && r.tokens[i].kind == stop && r.tokens[i].symbol == 'q'; i++ { // \\ &\quad + 3
	}
	return i < len(r.tokens) && r.tokens[i].kind == operator && (r.tokens[i].symbol != '-' || r.text[t.start] == '\\')
}

// hundredths reports whether a formula that ends at the token i is followed by
// "percent" or "cents": $\frac{1}{5} = 20$ percent.
func (r *reader) hundredths(i int) bool {
	for ; i < len(r.tokens); i++ {
		switch t := &r.tokens[i]; {
		case t.kind == closing || t.kind == currency || t.kind == stop && t.symbol == ')':
		case t.kind == word && t.class == moneyWord:
			return r.text[t.start] == 'c'
		default:
			return t.kind == percent
		}
	}
	return false
}

// unknown reports whether the parenthesis at i holds what is not read: the side before
// it is one factor, 2 (AC + BC).
func (r *reader) unknown(i int) bool {
	for k := i + 1; k < int(r.tokens[i].match); k++ {
		if r.tokens[k].kind == opaque {
			return true
		}
	}
	return false
}

func (e *Equation) words(text string, start, stop int) {
	e.Start, e.End = start, stop
	e.Text = text[start:stop]
}

func trim(s string) string { return strings.TrimSpace(s) }
