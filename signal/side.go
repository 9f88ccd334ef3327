package signal

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
