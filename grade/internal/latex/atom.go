package latex

import (
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"
)

func firstRune(s string) (rune, int) { return utf8.DecodeRuneInString(s) }

// startsAtom reports whether the next token begins a factor.
func (p *parser) startsAtom() bool {
	t := p.peek()
	switch t.kind {
	case numeral:
		return true
	case text, word:
		lower := strings.ToLower(strings.Trim(t.text, " ,"))
		return lower != "and" && lower != "or" && (lower != "u" || !p.ahead(1, mark, "("))
	case mark:
		return t.text == "(" || t.text == "[" || t.text == "{" || t.text == "|" && p.bars == 0
	case command:
		return p.startsWithCommand(t.text)
	}
	return false
}

func (p *parser) startsWithCommand(name string) bool {
	switch name {
	case "frac", "sqrt", "binom", "lfloor", "lceil", "lvert", "begin", "{", "sum", "prod",
		"overline", "bar", "vec", "hat", "widehat", "overrightarrow", "boxed", "mathbb", "mathcal", "emptyset":
		return true
	case "|":
		return p.bars == 0
	}
	return known(name)
}

// enter counts a level of nesting, and stops the parser if there are too many.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > p.limits.Depth {
		p.stop(fmt.Errorf("%w: deeper than %d", ErrBudget, p.limits.Depth))
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

// atom reads a factor without what stands behind it.
func (p *parser) atom() *Node {
	if !p.enter() {
		return symbol("?")
	}
	defer p.leave()
	t := p.peek()
	switch t.kind {
	case numeral:
		return p.numeral()
	case word:
		return p.word()
	case text:
		p.advance()
		return p.node(symbol("text:" + strings.ToLower(strings.Join(strings.Fields(t.text), " "))))
	case command:
		name := t.text
		p.advance()
		return p.command(name)
	case mark:
		switch t.text {
		case "(", "[":
			return p.brackets()
		case "{":
			return p.group()
		case "|":
			p.advance()
			return p.absolute(mark, "|")
		}
	}
	return p.fail()
}

// numeral reads a number, a mixed number or a repeating decimal.
func (p *parser) numeral() *Node {
	t := *p.peek()
	p.advance()
	n := p.node(&Node{Kind: Number, Value: rational(t.text), Decimal: strings.Contains(t.text, ".")})
	if p.is(mark, ".") && p.ahead(1, command, "overline") {
		p.advance()
	}
	if (n.Decimal || p.tokens[p.pos-1].text == ".") && p.take(command, "overline") {
		return p.repeating(t.text)
	}
	if n.Decimal {
		return p.scientific(n)
	}
	if digits, ok := p.hexadecimal(t.text); ok {
		p.advance()
		based := p.op(Based, p.argument(true))
		based.Name = digits
		return based
	}
	next := p.peek()
	switch {
	case next.kind == numeral && next.spaced && p.ahead(1, mark, "/") && p.pos+2 < len(p.tokens) && p.tokens[p.pos+2].kind == numeral:
		over := rational(next.text)
		p.pos += 2
		return p.mixed(n, over, rational(p.digits()))
	case next.kind == numeral && next.spaced && len(t.text) <= 3: // 1 000
		digits := t.text
		for next = p.peek(); next.kind == numeral && next.spaced && len(next.text) == 3; next = p.peek() {
			digits += p.digits()
		}
		n.Value = rational(digits)
	case next.kind == command && next.text == "frac":
		before := p.pos
		p.advance()
		over, under := p.argument(false), p.argument(false)
		if p.err == nil && over.Kind == Number && under.Kind == Number {
			return p.mixed(n, over.Value, under.Value)
		}
		if p.err == nil {
			p.pos = before // a product
		}
	}
	return p.scientific(n)
}

// hexadecimal reads the rest of 2A_{16}, up to the base.
func (p *parser) hexadecimal(digits string) (string, bool) {
	at := p.pos
	for ; !p.tokens[at].spaced && (p.tokens[at].kind == word || p.tokens[at].kind == numeral); at++ {
		digits += p.tokens[at].text
	}
	if at == p.pos || p.tokens[at].text != "_" || strings.Trim(digits, "0123456789ABCDEFabcdef") != "" {
		return "", false
	}
	p.pos = at
	return strings.ToUpper(digits), true
}

// digits takes the whole next number.
func (p *parser) digits() string {
	s := p.peek().text
	p.advance()
	return s
}

// mixed makes whole + over/under.
func (p *parser) mixed(whole *Node, over, under *big.Rat) *Node {
	if under.Sign() == 0 {
		return p.fail()
	}
	whole.Value = new(big.Rat).Add(whole.Value, new(big.Rat).Quo(over, under))
	return whole
}

// scientific reads the exponent of 1.5e3.
func (p *parser) scientific(n *Node) *Node {
	t := p.peek()
	if t.kind != word || t.spaced || t.text != "e" && t.text != "E" {
		return n
	}
	at, negative := p.pos+1, false
	if at < len(p.tokens) && p.tokens[at].kind == mark && (p.tokens[at].text == "-" || p.tokens[at].text == "+") {
		negative = p.tokens[at].text == "-"
		at++
	}
	if at >= len(p.tokens) || p.tokens[at].kind != numeral || p.tokens[at].spaced || len(p.tokens[at].text) > 3 || strings.Contains(p.tokens[at].text, ".") {
		return n
	}
	p.pos = at
	exponent := p.op(Number)
	exponent.Value = rational(p.digits())
	if negative {
		exponent.Value.Neg(exponent.Value)
	}
	return p.op(Product, n, p.op(Power, p.node(number(10)), exponent))
}

// repeating reads the period of 0.1\overline{6}, as a fraction.
func (p *parser) repeating(digits string) *Node {
	text := p.flat()
	if !isNumeral(text) || strings.Trim(text, "0123456789") != "" {
		return p.fail()
	}
	fraction := 0
	if dot := strings.IndexByte(digits, '.'); dot >= 0 {
		fraction = len(digits) - dot - 1
	}
	power := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	nines := new(big.Int).Sub(power(len(text)), big.NewInt(1))
	tail := new(big.Rat).SetFrac(rational(text).Num(), nines.Mul(nines, power(fraction)))
	return p.node(&Node{Kind: Number, Value: tail.Add(tail, rational(digits))})
}

// word reads a function or the first letter of other words.
func (p *parser) word() *Node {
	t := p.peek()
	if known(t.text) {
		name := t.text
		p.advance()
		return p.command(name)
	}
	const longest = 24 // letters that are a product of variables
	if len(t.text) > longest {
		return p.fail()
	}
	return p.node(symbol(p.first()))
}

// group reads {…}.
func (p *parser) group() *Node {
	p.advance()
	bars := p.bars
	p.bars = 0
	n := p.list()
	p.bars = bars
	if !p.take(mark, "}") {
		return p.fail()
	}
	return n
}

// argument reads {…}, or one character; whole takes all digits of a number.
func (p *parser) argument(whole bool) *Node {
	t := p.peek()
	switch {
	case t.kind == numeral && !whole:
		return p.node(&Node{Kind: Number, Value: rational(p.first())})
	case t.kind == numeral:
		p.advance()
		return p.node(&Node{Kind: Number, Value: rational(t.text), Decimal: strings.Contains(t.text, ".")})
	case t.kind == mark && t.text == "{" && p.pos+2 < len(p.tokens) && p.tokens[p.pos+1].kind == numeral && p.ahead(2, mark, "}"):
		digits := p.tokens[p.pos+1].text
		p.pos += 3
		return p.node(&Node{Kind: Number, Value: rational(digits), Decimal: strings.Contains(digits, ".")})
	case t.kind == word && !known(t.text):
		return p.node(symbol(p.first()))
	}
	return p.atom()
}

// brackets reads (…) and […]: a group, a tuple or an interval.
func (p *parser) brackets() *Node {
	open := p.peek().text
	p.advance()
	bars := p.bars
	p.bars = 0
	n := p.list()
	p.bars = bars
	last := p.peek().text
	if !p.take(mark, ")") && !p.take(mark, "]") {
		return p.fail()
	}
	switch {
	case n.Kind == List && len(n.Args) != 2 && (open == "(") != (last == ")"): // no interval
		return p.fail()
	case n.Kind == List:
		n.Kind, n.Name = Tuple, open+last
	case open == "(" && last != ")", open == "[" && last != "]":
		return p.fail()
	}
	return n
}
