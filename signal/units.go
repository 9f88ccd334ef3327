package signal

import "math"

// maxUnits is how many words may stand between a number and the next operator.
const maxUnits = 6

// unit skips the words behind a number: "eggs", "dollars per hour", "eggs/day",
// "(per day)". It stops before a word that ends a side.
func (p *parser) unit() {
	for n := 0; n < maxUnits && p.pos < p.limit; n++ {
		t := &p.tokens[p.pos]
		switch {
		case t.kind == word:
			if !p.unitWord(t) {
				return
			}
			p.pos++
		case t.kind == textUnit:
			if t.class == ofWord {
				if symbol, _ := p.share(); symbol != 0 {
					return
				}
			}
			p.note(t)
			p.pos++
			p.squared()
		case t.kind == operator && t.symbol == '/' && p.ratio():
			p.note(&p.tokens[p.pos+1])
			p.pos += 2
			p.squared()
		case t.kind == open && p.remark(t):
			p.pos = int(t.match) + 1
		default:
			return
		}
	}
}

// unitWord reports whether a word goes with the number before it.
func (p *parser) unitWord(t *token) bool {
	switch t.class {
	case plainWord, openWord, scaleWord, shareWord, timeWord, lengthWord, massWord, volumeWord, moneyWord:
	case timesWord: // 3 times, but not 5 times the number of eggs
		return p.pos+1 >= p.limit || p.tokens[p.pos+1].kind != word && !p.operand(p.pos+1)
	case ofWord:
		if symbol, _ := p.share(); symbol != 0 {
			return false
		}
	case multiplied, divided, byWord:
		return false
	default:
		return false
	}
	p.note(t)
	return true
}

// note remembers what a unit says about the number.
func (p *parser) note(t *token) {
	p.named = true
	switch t.class {
	case scaleWord, shareWord:
		p.scale = true
	case timeWord, lengthWord, massWord, volumeWord, moneyWord:
		w := p.text[t.start:t.end]
		if t.kind == textUnit {
			p.measured(t.class, t.symbol)
			return
		}
		k, unit := measure(w)
		p.measured(k, unit)
	}
}

func (p *parser) measured(k class, unit byte) {
	u := &p.units[k-timeWord]
	if *u != 0 && *u != unit {
		unit = 255
	}
	*u = unit
}

// ratio reports whether a slash begins a unit: "/day", "/\text{day}".
func (p *parser) ratio() bool {
	if p.pos+1 >= p.limit {
		return false
	}
	t := &p.tokens[p.pos+1]
	return t.kind == textUnit || t.kind == word && t.class != halfWord
}

// squared skips the exponent of a unit.
func (p *parser) squared() {
	if p.pos >= p.limit || p.tokens[p.pos].kind != operator {
		return
	}
	switch s := p.tokens[p.pos].symbol; {
	case s == '2' || s == '3':
		p.pos++
	case s == '^' && p.pos+1 < p.limit && p.tokens[p.pos+1].kind == numeral:
		p.pos += 2
	case s == '^' && p.pos+3 < p.limit && p.tokens[p.pos+1].kind == open && p.tokens[p.pos+1].match == int32(p.pos+3):
		p.pos += 4
	}
}

// remark reports whether a parenthesis holds a few words only.
func (p *parser) remark(t *token) bool {
	inside := int(t.match) - p.pos - 1
	if t.glued || t.symbol == '[' { // a factor, (AB)(BC), or an area, [ABC]
		return false
	}
	if t.match < 0 || int(t.match) >= p.limit || inside < 1 || inside > maxUnits {
		return false
	}
	for i := p.pos + 1; i < int(t.match); i++ {
		u := &p.tokens[i]
		if u.kind != word && u.kind != textUnit && (u.kind != operator || u.symbol != '/') {
			return false
		}
	}
	return true
}

// rate divides by the number of a unit, 200 calories/100 ml, where signs of division
// bind tightly.
func (p *parser) rate(v number) number {
	if !p.tight || p.pos == 0 || p.pos+1 >= p.limit {
		return v
	}
	slash, below := &p.tokens[p.pos], &p.tokens[p.pos+1]
	if p.tokens[p.pos-1].kind != word || slash.symbol != '/' || !slash.glued || below.kind != numeral || !below.glued || below.digits == 0 {
		return v
	}
	p.pos++
	p.next()
	p.ops++
	p.divided = true
	p.unit()
	return v.mul(below.value().inverse())
}

// mixes reports whether two sides together measure one thing in two units, or count
// in dozens or thousands: a sum of them is not the sum of the numbers, and a product may
// be converted on the way. It may be judged if no conversion explains it.
func mixes(a, b *reading) bool {
	if a.scale || b.scale {
		return true
	}
	for k := range a.units {
		x, y := a.units[k], b.units[k]
		if x == 255 || y == 255 || x != 0 && y != 0 && x != y {
			return a.sums > 0 || b.ops > 0 || a.percents+b.percents > 0 || converts(b.value.f/a.value.f)
		}
	}
	return false
}

// factors of conversion between units of time, length, mass, volume and money.
var factors = [...]float64{2, 3, 4, 5, 7, 8, 10, 12, 16, 20, 24, 25, 28, 30, 32, 36, 48, 50, 52, 60, 64, 90, 100, 120, 128, 168, 180, 360, 365, 366, 720, 1000, 1440, 1760, 2000, 3600, 5280, 8760,
	1.609, 2.2, 2.54, 3.28, 3.785, 4.33, 28.35, 29.57, 30.48, 453.6}

// converts reports whether a ratio is such a factor or its inverse, or 1.
func converts(ratio float64) bool {
	if ratio < 1 {
		ratio = 1 / ratio
	}
	for _, f := range factors {
		if math.Abs(ratio-f) <= 0.006*f {
			return true
		}
	}
	return ratio < 1.006
}
