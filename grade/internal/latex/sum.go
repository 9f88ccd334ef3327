package latex

import "strings"

// sum reads terms with +, −, ± and ∓ between and before them.
func (p *parser) sum() *Node {
	var n *Node
	open := false // n is a sum made here, to which terms may be added
	for p.err == nil {
		sign, found := p.sign()
		if !found && n != nil {
			break
		}
		term := p.product()
		switch sign {
		case "pm", "mp":
			args := []*Node{term}
			if n != nil {
				args = []*Node{n, term}
			}
			n, open = p.op(PlusMinus, args...), false
			n.Name = sign
			continue
		case "-":
			term = p.op(Negative, term)
		}
		switch {
		case n == nil:
			n = term
		case open:
			n.Args = append(n.Args, term)
		default:
			n, open = p.op(Sum, n, term), true
		}
	}
	if n == nil {
		return p.fail()
	}
	return n
}

// sign reads the signs before a term; two minus signs cancel.
func (p *parser) sign() (sign string, found bool) {
	for p.err == nil {
		t := p.peek()
		switch {
		case t.kind == mark && t.text == "+":
		case t.kind == mark && t.text == "-":
			switch sign {
			case "-":
				sign = ""
			case "":
				sign = "-"
			}
		case t.kind == command && (t.text == "pm" || t.text == "mp"):
			sign = t.text
		default:
			return sign, found
		}
		found = true
		p.advance()
	}
	return sign, found
}

// product reads factors with or without signs between them.
func (p *parser) product() *Node {
	n := p.power()
	open := false // n is a product made here, to which factors may be added
	for p.err == nil {
		divide := false
		switch t := p.peek(); {
		case t.kind == mark && t.text == "*", t.kind == command && t.text == "times":
			p.advance()
		case t.kind == mark && t.text == "/", t.kind == command && t.text == "div":
			p.advance()
			if p.peek().kind == text { // \text{m}/\text{s}
				p.unit()
				continue
			}
			divide = true
		case p.isUnit(n):
			p.unit()
			if p.startsAtom() { // 3 feet 2 inches
				return p.fail()
			}
			continue
		case !p.startsAtom():
			return n
		case t.kind == numeral && p.tokens[p.pos-1].kind == numeral: // 2 3
			return p.fail()
		}
		factor := p.signedPower()
		switch {
		case divide:
			n, open = p.op(Quotient, n, factor), false
		case open:
			n.Args = append(n.Args, factor)
		default:
			n, open = p.op(Product, n, factor), true
		}
	}
	return n
}

// signedPower reads the factor behind a sign of multiplication: 2 · −3.
func (p *parser) signedPower() *Node {
	if !p.is(mark, "-") && !p.is(mark, "+") {
		return p.power()
	}
	sign, _ := p.sign()
	n := p.power()
	if sign == "-" {
		return p.op(Negative, n)
	}
	return n
}

// isUnit reports whether the next token is a unit of the number n.
func (p *parser) isUnit(n *Node) bool {
	t := p.peek()
	switch {
	case t.kind == text:
		lower := strings.ToLower(strings.Trim(t.text, " ,"))
		return lower != "and" && lower != "or" && lower != "am" && lower != "pm" && !n.Free()
	case t.kind == word && t.spaced && p.ahead(1, mark, "/") && p.pos+2 < len(p.tokens) && rates[p.tokens[p.pos+2].text]:
		return !n.Free() // m/s
	case t.kind == word && (t.spaced || len(t.text) > 2 || units[t.text]):
		lower := strings.ToLower(t.text)
		long := len(t.text) >= 3 && t.text == lower && !known(t.text) && lower != "and"
		return (units[t.text] || long) && !isPercent(lower) && !n.Free()
	}
	return false
}

// unit skips a unit and its exponent: square cm, \text{m}^2.
func (p *parser) unit() {
	p.advance()
	for p.peek().kind == word && (len(p.peek().text) >= 2 && !known(p.peek().text)) && p.peek().text != "and" && p.peek().text != "or" {
		p.advance()
	}
	if p.is(mark, "/") && p.pos+1 < len(p.tokens) && rates[p.tokens[p.pos+1].text] {
		p.advance()
		p.advance()
	}
	if p.take(mark, "^") {
		p.argument(true)
	}
}

// power reads a ^ b, which binds to the right, and what stands behind a factor.
func (p *parser) power() *Node {
	n := p.postfix(p.atom())
	if p.err != nil || !p.is(mark, "^") && (!p.is(mark, "*") || !p.ahead(1, mark, "*")) {
		return n
	}
	if p.take(mark, "*") {
		p.advance()
	} else {
		p.advance()
	}
	if p.isDegree() {
		return p.postfix(p.angle(n))
	}
	exponent := p.exponent()
	return p.postfix(p.op(Power, n, exponent))
}

// exponent reads what stands behind ^. Two letters or digits in a row are one
// exponent only if they are a number.
func (p *parser) exponent() *Node {
	if !p.enter() {
		return symbol("?")
	}
	defer p.leave()
	sign, _ := p.sign()
	n := p.argument(true)
	if p.is(mark, "^") { // a^b^c
		p.advance()
		n = p.op(Power, n, p.exponent())
	}
	if sign == "-" {
		return p.op(Negative, n)
	}
	return n
}
