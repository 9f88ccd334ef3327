package latex

import (
	"fmt"
	"math/big"
	"strings"
)

// isDegree skips \circ or {\circ} behind ^.
func (p *parser) isDegree() bool {
	if p.take(command, "degree") {
		return true
	}
	if p.is(mark, "{") && p.ahead(1, command, "degree") && p.ahead(2, mark, "}") {
		p.pos += 3
		return true
	}
	return false
}

// postfix reads !, %, degrees, primes and subscripts.
func (p *parser) postfix(n *Node) *Node {
	const most = 8 // 5!!!…
	for count := 0; p.err == nil; count++ {
		if count > most {
			return p.stop(fmt.Errorf("%w: more than %d signs behind a factor", ErrBudget, most))
		}
		t := p.peek()
		switch {
		case t.kind == mark && t.text == "!" && !p.ahead(1, mark, "="):
			p.advance()
			n = p.op(Call, n)
			n.Name = "factorial"
		case t.kind == command && t.text == "%", t.kind == mark && t.text == "%", t.kind == word && isPercent(t.text), t.kind == text && isPercent(t.text):
			p.advance()
			n = p.op(Percent, n)
		case (t.kind == word || t.kind == text) && scales[strings.ToLower(t.text)] > 0 && !n.Free():
			scale := p.op(Power, p.node(number(10)), p.node(number(scales[strings.ToLower(t.text)])))
			p.advance()
			n = p.op(Product, n, scale)
		case t.kind == command && t.text == "degree":
			p.advance()
			n = p.angle(n)
		case t.kind == mark && t.text == "'" && n.Kind == Symbol:
			p.advance()
			n.Name += "'"
		case t.kind == command && t.text == "prime" && n.Kind == Symbol:
			p.advance()
			n.Name += "'"
		case t.kind == mark && t.text == "_":
			p.advance()
			n = p.subscript(n)
		default:
			return n
		}
	}
	return n
}

// angle returns n degrees: in radians where a function of the angle is taken, and n as it
// is in an answer.
func (p *parser) angle(n *Node) *Node {
	if !p.degrees {
		return n
	}
	return p.op(Product, n, p.op(Quotient, p.node(symbol("pi")), p.node(number(180))))
}

// subscript reads what stands behind _: a part of a name, or the base of a number.
func (p *parser) subscript(n *Node) *Node {
	if n.Kind == Number {
		digits := n.Value.Num().String()
		n = p.op(Based, p.argument(true))
		n.Name = digits
		return n
	}
	if n.Kind != Symbol {
		return p.fail()
	}
	n.Name += "_" + p.flat()
	return n
}

// flat reads an argument as the text of its tokens.
func (p *parser) flat() string {
	if !p.take(mark, "{") {
		t := p.peek()
		if t.kind == end {
			p.fail()
			return ""
		}
		if t.kind == word || t.kind == numeral {
			return p.first()
		}
		p.advance()
		return t.text
	}
	var b strings.Builder
	for depth := 1; ; p.advance() {
		t := p.peek()
		switch {
		case t.kind == end:
			p.fail()
			return ""
		case t.kind == mark && t.text == "{":
			depth++
		case t.kind == mark && t.text == "}":
			if depth--; depth == 0 {
				p.advance()
				return b.String()
			}
		default:
			b.WriteString(t.text)
		}
	}
}

// first takes the first character of a word or of a number.
func (p *parser) first() string {
	t := p.peek()
	_, size := firstRune(t.text)
	c := t.text[:size]
	if len(t.text) == size {
		p.advance()
	} else {
		t.text = t.text[size:]
		t.spaced = false
	}
	return c
}

func rational(digits string) *big.Rat {
	r, ok := new(big.Rat).SetString(digits)
	if !ok {
		return new(big.Rat)
	}
	return r
}
