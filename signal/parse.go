package signal

import "strings"

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
	steps  int  // operands looked at in the whole text
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
	finest   int      // the most decimals of a numeral
	of       bool     // a share of something stands in it
	doubt    bool     // other readings are possible: judged only if it holds
	units    [8]uint8 // for each measure one unit, 255 for several
	scale    bool
	named    bool // units stand in it
}

const maxDepth = 24

// side reads the tokens from pos up to limit at most. The parser is the reader's own,
// until the next side.
func (r *reader) side(pos, limit int, m mode) *parser {
	p := &r.parser
	*p = parser{text: r.text, tokens: r.tokens, pos: pos, limit: limit, mode: m, steps: p.steps}
	for p.at(currency) {
		p.measured(moneyWord, '$')
		p.pos++
	}
	if p.pos < limit {
		p.from = int(p.tokens[p.pos].start)
	}
	p.value = p.sum()
	return p
}

// spent reports whether so much of the text has been read that no more of it is judged.
func (p *parser) spent() bool { return p.steps > MaxSteps }

func (p *parser) peek() *token {
	if p.pos < p.limit {
		return &p.tokens[p.pos]
	}
	return &behind
}

func (p *parser) at(k kind) bool { return p.pos < p.limit && p.tokens[p.pos].kind == k }

// next consumes a token that belongs to the expression.
func (p *parser) next() *token {
	t := &p.tokens[p.pos]
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
			p.doubt = p.doubt || p.tokens[p.pos].cross
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
			if t.class == divided {
				return '/', 2
			}
			return '*', 2
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
func (p *parser) juxtaposed(t *token) bool {
	if p.pos == 0 || t.symbol == '[' {
		return false
	}
	before := &p.tokens[p.pos-1]
	return (before.kind == numeral || before.kind == closing) && p.operand(p.pos+1)
}

// share is the "of" of "20 % of 50" and "1/3 of the 24 eggs".
func (p *parser) share() (symbol byte, skip int) {
	if p.pos == 0 {
		return 0, 0
	}
	before := &p.tokens[p.pos-1]
	two := p.pos > 1 && p.tokens[p.pos-2].kind == operator && p.tokens[p.pos-2].symbol == '/'
	if before.kind != percent && before.kind != closing && !two && before.class != halfWord && (before.kind != numeral || before.decimals == 0) {
		return 0, 0
	}
	skip = 1
	for skip < 4 && p.pos+skip < p.limit && p.tokens[p.pos+skip].kind == word && p.tokens[p.pos+skip].class == plainWord && !p.owner(p.pos+skip) {
		skip++
	}
	if !p.operand(p.pos + skip) {
		p.doubt = true // a share of what is not read
		return 0, 0
	}
	p.of = true
	return '*', skip
}

// owner reports whether a word is possessive: half of Ann's 9 is not half of 9.
func (p *parser) owner(i int) bool {
	return strings.ContainsAny(p.text[p.tokens[i].start:p.tokens[i].end], "'’")
}

// operand reports whether an operand begins at a token.
func (p *parser) operand(i int) bool {
	for i < p.limit && (p.tokens[i].kind == currency || p.tokens[i].kind == operator && p.tokens[i].symbol == '-') {
		i++
	}
	if i >= p.limit {
		return false
	}
	switch t := &p.tokens[i]; t.kind {
	case numeral, fracSign, rootSign:
		return true
	case open:
		return t.match >= 0 && int(t.match) < p.limit
	case word:
		return p.half(i)
	case opaque:
		return p.variable(i)
	}
	return false
}

// half reports whether "half of" begins at a token.
func (p *parser) half(i int) bool {
	return p.tokens[i].class == halfWord && i+1 < p.limit && p.tokens[i+1].class == ofWord
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
		v = p.rate(v)
	}
	if p.ops == 0 && !p.bad {
		p.first = v
	}
	return v
}
