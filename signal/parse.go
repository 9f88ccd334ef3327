package signal

// parser reads one side of an equation, an expression of numbers with units between
// them:
//
//	sum     = product { ("+" | "-") product }
//	product = signed { ("*" | "/" | "of" | nothing) signed }
//	signed  = "-" signed | primary [ "^" signed ] { "%" | "!" } units
//	primary = numeral | "(" sum ")" | \frac{sum}{sum} | \sqrt{sum} | "half"
//
// It stops at the first token that does not continue the expression.
type parser struct {
	text   string
	tokens []token
	pos    int
	limit  int // tokens from here on are not read
	depth  int
	bad    bool // pos is where reading failed, in the middle of the expression
	mode        // how what can be read in two ways is read

	reading
}

// mode chooses between readings of what people write in more than one sense.
type mode struct {
	plain    bool // % is a unit, not a hundredth
	relative bool // 50 + 20 % = 60
	flat     bool // from left to right: 100 - 4 / 6 = 16
	tight    bool // 6 / 1/2 = 12

	name byte    // the variable that is read, 0 for none
	x    float64 // its value
}

// reading is what is known about a side besides its value.
type reading struct {
	value    number
	first    number // the first operand, for 5 + 3 = 8 * 2 = 16
	last     number // the last term of a sum
	lastOps  int    // operations in it
	from, to int    // bytes of the side, without units at its end
	ops      int
	sums     int // of them + and -
	names    int // how often the variable stands in it
	percents int
	divided  bool
	decimals int      // of the last numeral
	doubt    bool     // other readings are possible: judged only if it holds
	units    [8]uint8 // for each measure one unit, 255 for several
	scale    bool
	named    bool // units stand in it
}

const maxDepth = 24

// side reads the tokens from pos up to limit at most.
func side(text string, tokens []token, pos, limit int, m mode) *parser {
	p := &parser{text: text, tokens: tokens, pos: pos, limit: limit, mode: m}
	for p.at(currency) {
		p.measured(moneyWord, '$')
		p.pos++
	}
	if p.pos < limit {
		p.from = int(tokens[p.pos].start)
	}
	p.value = p.sum()
	return p
}

func (p *parser) peek() token {
	if p.pos < p.limit {
		return p.tokens[p.pos]
	}
	return token{kind: end}
}

func (p *parser) at(k kind) bool { return p.pos < p.limit && p.tokens[p.pos].kind == k }

// next consumes a token that belongs to the expression.
func (p *parser) next() token {
	t := p.tokens[p.pos]
	p.pos++
	p.to = int(t.end)
	return t
}

func (p *parser) fail() number { p.bad = true; return number{} }

func (p *parser) sum() number {
	v := p.product()
	for !p.bad {
		t := p.peek()
		if t.kind != operator || t.symbol != '+' && t.symbol != '-' || !p.operand(p.pos+1) {
			break
		}
		p.next()
		p.ops++
		p.sums++
		percents, ops := p.percents, p.ops
		var w number
		if p.flat {
			w = p.signed()
		} else {
			w = p.product()
		}
		if p.relative && p.percents != percents {
			w = w.mul(v)
		}
		p.last, p.lastOps = w, p.ops-ops
		if t.symbol == '-' {
			w = w.neg()
		}
		v = v.add(w)
		if p.flat && !p.bad {
			v = p.factors(v)
		}
	}
	return v
}

func (p *parser) product() number {
	v := p.signed()
	if p.bad {
		return v
	}
	return p.factors(v)
}

// factors multiplies a value by the factors that follow it.
func (p *parser) factors(v number) number {
	for !p.bad {
		symbol, skip := p.factor()
		if symbol == 0 {
			break
		}
		for range skip {
			p.next()
		}
		p.ops++
		w := p.signed()
		if p.bad {
			break
		}
		if symbol == '/' {
			if w.f == 0 {
				return p.fail()
			}
			w = w.inverse()
			p.divided = true
		}
		v = v.mul(w)
	}
	return v
}

// factor tells how the next factor is joined: its symbol, 0 for none, and how many
// tokens stand before it.
func (p *parser) factor() (symbol byte, skip int) {
	t := p.peek()
	switch {
	case t.kind == operator && (t.symbol == '*' || t.symbol == '/') && p.operand(p.pos+1):
		return t.symbol, 1
	case t.kind == word && t.class == timesWord && p.operand(p.pos+1):
		return '*', 1
	case t.kind == word && (t.class == multiplied || t.class == divided):
		if p.pos+1 < p.limit && p.tokens[p.pos+1].class == byWord && p.operand(p.pos+2) {
			return map[class]byte{multiplied: '*', divided: '/'}[t.class], 2
		}
	case (t.kind == word || t.kind == textUnit) && t.class == ofWord:
		return p.share()
	case t.kind == open && t.match >= 0 && int(t.match) < p.limit && p.juxtaposed(t):
		p.doubt = p.doubt || !t.glued
		return '*', 0
	case t.kind == fracSign, t.kind == rootSign:
		p.doubt = true // 3\frac12 is a sum, 3\sqrt2 a product
		return '*', 0
	case p.variable(p.pos):
		return '*', 0
	}
	return 0, 0
}

// juxtaposed reports whether a parenthesis begins a factor: (2)(3), 2(3).
func (p *parser) juxtaposed(t token) bool {
	if p.pos == 0 || t.symbol == '[' {
		return false
	}
	before := p.tokens[p.pos-1]
	return (before.kind == numeral || before.kind == closing) && p.operand(p.pos+1)
}

// share is the "of" of "20 % of 50" and "1/3 of the 24 eggs".
func (p *parser) share() (symbol byte, skip int) {
	if p.pos == 0 {
		return 0, 0
	}
	before := p.tokens[p.pos-1]
	two := p.pos > 1 && p.tokens[p.pos-2].kind == operator && p.tokens[p.pos-2].symbol == '/'
	if before.kind != percent && before.kind != closing && !two && before.class != halfWord && (before.kind != numeral || before.decimals == 0) {
		return 0, 0
	}
	skip = 1
	for skip < 4 && p.pos+skip < p.limit && p.tokens[p.pos+skip].kind == word && p.tokens[p.pos+skip].class == plainWord {
		skip++
	}
	if !p.operand(p.pos + skip) {
		return 0, 0
	}
	return '*', skip
}

// operand reports whether an operand begins at a token.
func (p *parser) operand(i int) bool {
	for i < p.limit && (p.tokens[i].kind == currency || p.tokens[i].kind == operator && p.tokens[i].symbol == '-') {
		i++
	}
	if i >= p.limit {
		return false
	}
	switch t := p.tokens[i]; t.kind {
	case numeral, fracSign, rootSign:
		return true
	case open:
		return t.match >= 0 && int(t.match) < p.limit
	case word:
		return t.class == halfWord
	case opaque:
		return p.variable(i)
	}
	return false
}

// variable reports whether a token is the variable that is read.
func (p *parser) variable(i int) bool {
	return p.name != 0 && i < p.limit && p.tokens[i].kind == opaque && p.tokens[i].symbol == p.name
}

func (p *parser) signed() number {
	if t := p.peek(); t.kind == operator && t.symbol == '-' {
		p.next()
		if p.depth++; p.depth > maxDepth {
			return p.fail()
		}
		ops := p.ops
		v := p.signed()
		p.depth--
		p.doubt = p.doubt || p.ops > ops // -3^2
		return v.neg()
	}
	v := p.primary()
	if !p.bad {
		v = p.exponent(v)
	}
	if !p.bad {
		v = p.postfix(v)
		p.unit()
	}
	if p.ops == 0 && !p.bad {
		p.first = v
	}
	return v
}

func (p *parser) primary() number {
	for p.at(currency) {
		p.measured(moneyWord, '$')
		p.next()
	}
	switch t := p.peek(); {
	case t.kind == numeral:
		p.next()
		p.decimals = int(t.decimals)
		return p.mixed(t)
	case t.kind == open && t.match >= 0 && int(t.match) < p.limit:
		return p.group()
	case t.kind == fracSign:
		p.next()
		above := p.group()
		if p.bad {
			return above
		}
		below := p.group()
		if p.bad || below.f == 0 {
			return p.fail()
		}
		p.ops++
		p.divided = true
		return above.mul(below.inverse())
	case t.kind == rootSign:
		return p.radical()
	case t.kind == word && t.class == halfWord:
		p.next()
		return fraction(1, 2)
	case p.variable(p.pos):
		p.next()
		p.names++
		return inexact(p.x)
	}
	return p.fail()
}

// radical reads \sqrt{2} and \sqrt[3]{8}.
func (p *parser) radical() number {
	p.next()
	index := integer(2)
	if t := p.peek(); t.kind == open && t.symbol == '[' {
		index = p.group()
		if index.f < 2 || index.f > 64 {
			return p.fail()
		}
	}
	radicand := p.group()
	if p.bad {
		return radicand
	}
	v, ok := radicand.root(index)
	if !ok {
		return p.fail()
	}
	p.ops++
	p.divided = true
	return v
}

// group reads an expression in parentheses or braces.
func (p *parser) group() number {
	t := p.peek()
	if p.depth++; t.kind != open || t.match < 0 || int(t.match) >= p.limit || p.depth > maxDepth {
		return p.fail()
	}
	p.next()
	v := p.sum()
	p.depth--
	if p.bad || p.pos != int(t.match) {
		return p.fail()
	}
	p.next()
	return v
}

// mixed adds the fraction of a mixed number: 2 1/2, 3\frac{1}{2}, 2½.
func (p *parser) mixed(whole token) number {
	v := whole.value()
	if p.pos+2 > p.limit {
		return v
	}
	a, slash := p.tokens[p.pos], p.tokens[p.pos+1]
	if p.tight && a.symbol == '/' && a.glued && slash.kind == numeral && slash.glued && slash.digits != 0 {
		p.pos++
		p.next()
		p.ops++
		p.divided = true
		return v.mul(slash.value().inverse())
	}
	if whole.decimals > 0 || p.pos+2 >= p.limit {
		return v
	}
	b := p.tokens[p.pos+2]
	switch {
	case a.kind == numeral && !a.glued && slash.symbol == '/' && slash.glued && b.kind == numeral && b.glued && a.digits < b.digits && a.decimals == 0 && b.decimals == 0:
		p.pos += 2
		p.next()
		av, bv := a.value(), b.value()
		return v.add(av.mul(bv.inverse()))
	case a.kind == fracSign:
		ops := p.ops
		f := p.primary()
		p.doubt = true
		p.ops = ops
		return v.add(f)
	case a.kind == numeral && a.glued && a.decimals > 0 && whole.end == a.start:
		p.next()
		return v.add(a.value())
	}
	return v
}

func (p *parser) exponent(base number) number {
	t := p.peek()
	if t.kind != operator {
		return base
	}
	switch t.symbol {
	case '2', '3':
		p.next()
		p.ops++
		v, _ := base.power(integer(int64(t.symbol - '0')))
		return v
	case '^':
	default:
		return base
	}
	if p.degree() {
		return base
	}
	p.next()
	if p.depth++; p.depth > maxDepth {
		return p.fail()
	}
	var e number
	if p.at(open) {
		e = p.group()
	} else {
		e = p.signedExponent()
	}
	p.depth--
	v, ok := base.power(e)
	if p.bad || !ok {
		return p.fail()
	}
	p.ops++
	return v
}

// signedExponent reads the number behind ^; 2^-1 is allowed, 2^10x is not read.
func (p *parser) signedExponent() number {
	sign := false
	if t := p.peek(); t.kind == operator && t.symbol == '-' {
		sign = true
		p.next()
	}
	if !p.at(numeral) {
		return p.fail()
	}
	t := p.next()
	v := t.value()
	if sign {
		v = v.neg()
	}
	return v
}

// degree skips ^\circ and ^{\circ}.
func (p *parser) degree() bool {
	for n := 1; n <= 2 && p.pos+n < p.limit; n++ {
		switch p.tokens[p.pos+n].kind {
		case unitSign:
			p.pos += 2*n - 1
			p.pos = min(p.pos, p.limit-1)
			p.next()
			return true
		case open:
		default:
			return false
		}
	}
	return false
}

func (p *parser) postfix(v number) number {
	for {
		switch t := p.peek(); {
		case t.kind == percent:
			p.next()
			p.percents++
			if !p.plain {
				v = v.mul(fraction(1, 100))
			}
		case t.kind == unitSign:
			p.next()
		case t.kind == bang && t.glued && v.exact() && v.den == 1 && 0 <= v.num && v.num <= 20:
			p.next()
			p.ops++
			p.doubt = true // or the end of a sentence
			f := integer(1)
			for i := int64(2); i <= v.num; i++ {
				f = f.mul(integer(i))
			}
			v = f
		default:
			return v
		}
	}
}
