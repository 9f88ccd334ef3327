package signal

func (p *parser) primary() number {
	if p.spent() {
		return p.fail()
	}
	p.steps++
	for p.at(currency) {
		p.measured(moneyWord, '$')
		p.next()
	}
	switch t := p.peek(); {
	case t.kind == numeral:
		p.next()
		p.decimals = int(t.decimals)
		p.finest = max(p.finest, p.decimals)
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
	case t.kind == word && p.half(p.pos):
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
func (p *parser) mixed(whole *token) number {
	v := whole.value()
	if p.pos+2 > p.limit {
		return v
	}
	a, slash := &p.tokens[p.pos], &p.tokens[p.pos+1]
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
	b := &p.tokens[p.pos+2]
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
