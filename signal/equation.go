package signal

import (
	"slices"
	"strings"
)

// Equation is a line of arithmetic that was read as a whole on both sides of its sign.
type Equation struct {
	Text        string `json:"text"` // the candidate's own words, text[Start:End]
	Start       int    `json:"start"`
	End         int    `json:"end"`  // bytes of the text
	Left        string `json:"left"` // the two sides, as written
	Right       string `json:"right"`
	Holds       bool   `json:"holds"`                 // false: an error of calculation
	Approximate bool   `json:"approximate,omitempty"` // the sign is ≈
	Rounded     bool   `json:"rounded,omitempty"`     // holds up to the rounding of the side that is a single number
	Want        string `json:"want,omitempty"`        // of a wrong equation: the value of its left side, what the right should be

	stated number // what the text gives as the result
	result bool   // stated is the result of the equation
}

// Equations reads the equations of a text, in their order. A side that is not read as
// a whole (a variable, a cut left end, an unknown sign) is not judged and not returned.
func Equations(text string) []Equation {
	_, found := read(text)
	return found
}

func read(text string) ([]token, []Equation) {
	l := lexer{text: text, tokens: make([]token, 0, 64+len(text)/4)}
	l.run()
	r := reader{text: text, tokens: bridge(l.tokens), modular: l.modular}
	r.read()
	n := len(r.found)
	for _, note := range l.notes {
		r.note(note, n)
	}
	if len(l.notes) > 0 {
		slices.SortStableFunc(r.found, func(a, b Equation) int { return a.Start - b.Start })
	}
	return r.tokens, r.found
}

// bridge removes the ends of lines inside an equation: before "=", and behind an
// operator or "=".
func bridge(tokens []token) []token {
	kept := tokens[:0]
	moved := make([]int32, len(tokens))
	for i, t := range tokens {
		moved[i] = int32(len(kept))
		if t.kind == stop && t.symbol == ')' && i+1 < len(tokens) && tokens[i+1].kind == relation {
			continue
		}
		if t.kind == line && i+1 < len(tokens) && len(kept) > 0 {
			last := kept[len(kept)-1]
			if tokens[i+1].kind == relation || last.kind == operator || last.kind == relation {
				continue
			}
		}
		kept = append(kept, t)
	}
	for i := range kept {
		if kept[i].match >= 0 {
			kept[i].match = moved[kept[i].match]
		}
	}
	return kept
}

// reader goes through the tokens of a text once.
type reader struct {
	text     string
	tokens   []token
	found    []Equation
	modular  bool // an equation may be a congruence
	parser   parser
	lhs, rhs sideTokens
	joined   bool // the side stands behind an equation and "and"
}

// note reads a calculator annotation, unless it stands inside one of the first n
// equations found.
func (r *reader) note(s span, n int) {
	i, _ := slices.BinarySearchFunc(r.found[:n], s.start, func(e Equation, start int) int { return e.End - start })
	if i < n && r.found[i].Start < s.end {
		return
	}
	inside := Equations(r.text[s.start:s.end])
	for k := range inside {
		inside[k].Start += s.start
		inside[k].End += s.start
	}
	r.found = append(r.found, inside...)
}

func (r *reader) read() {
	from, chain := 0, false // where the current side begins, and whether a relation stands before it
	for i, t := range r.tokens {
		switch {
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
}

// breaks reports whether a token ends a side for certain.
func breaks(t token) bool {
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
	t := r.tokens[i]
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
	switch t := r.tokens[s]; t.kind {
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
	t, first := r.tokens[s-1], r.tokens[s]
	switch t.kind {
	case stop, line:
		return true
	case comparison:
		return true
	case open:
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
	switch t := r.tokens[p.pos]; t.kind {
	case stop:
		return true
	case line, relation, comparison, closing, currency:
		return true
	case word:
		return t.class != timesWord && t.class != multiplied && t.class != divided
	case open:
		return !t.glued
	case bang:
		return true
	}
	return false
}

func (e *Equation) words(text string, start, stop int) {
	e.Start, e.End = start, stop
	e.Text = text[start:stop]
}

func trim(s string) string { return strings.TrimSpace(s) }
