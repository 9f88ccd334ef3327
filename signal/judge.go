package signal

import (
	"math"
	"slices"
	"strings"
)

// judge compares two sides that were read as a whole and appends the verdict. Where
// they could be read in another way (a percentage that is a unit, hours with minutes,
// a mixed number) an equation that does not hold is not reported.
func (r *reader) judge(left, right *sideTokens, approximate bool) {
	e := Equation{Approximate: approximate}
	e.words(r.text, left.from, right.to)
	e.Left, e.Right = trim(r.text[left.from:left.to]), trim(r.text[right.from:right.to])
	e.stated, e.result = right.value, right.ops == 0
	e.Holds, e.Rounded = compare(&left.reading, &right.reading, approximate)
	if !e.Holds {
		e.Holds = r.otherwise(left, right, approximate)
	}
	if !e.Holds && right.ops > 0 { // 5 + 3 = 8 * 2 = 16 is a running calculation
		running := reading{value: right.first, decimals: 2}
		e.Holds, _ = compare(&left.reading, &running, approximate)
	}
	if !e.Holds && (r.declines(left, right) || r.parser.spent()) {
		return
	}
	if !e.Holds {
		e.Want = left.value.String()
	}
	r.found = append(r.found, e)
}

// declines reports whether what does not hold may be right in a sense that is not read.
func (r *reader) declines(left, right *sideTokens) bool {
	return r.modular || left.doubt || right.doubt || r.share(left, right) || r.digit(left, right) || right.of || mixes(&left.reading, &right.reading) ||
		r.span(left) || swapped(left, right) || defines(left, right) || r.enumerates(left, right) || r.continues(right) ||
		r.breaksOff(left, right) || r.denied(right.to)
}

// quotient reports whether units stand inside a side, 72 people / 576 people per week,
// and not only behind it, 1/3 hour.
func (r *reader) quotient(s *sideTokens) bool {
	for k := s.start; k < s.stop && int(r.tokens[k].end) <= s.to; k++ {
		if t := &r.tokens[k]; t.kind == textUnit || t.kind == word && t.class != divided && t.class != byWord {
			return true
		}
	}
	return false
}

// share recognises a fraction that stands for a part of something, 1/3 of the day =
// 8 hours, 3/8 = $375, and a factor of conversion, 2.54 cm / 1 in = 1.
func (r *reader) share(left, right *sideTokens) bool {
	if left.ops != 1 || !left.divided {
		return false
	}
	const money = moneyWord - timeWord
	priced := right.units[money] != 0 && left.units[money] == 0 && left.finest == 0
	return left.named && right.ops == 0 && right.value.f == 1 || left.value.f < 1 && (left.named && !r.quotient(left) || priced)
}

// digit recognises an equation of last digits, 7 * 3 = 1, in a text that is about them.
func (r *reader) digit(left, right *sideTokens) bool {
	gap := left.value.add(right.value.neg())
	return right.ops == 0 && left.value.isInteger() && right.value.f >= 0 && right.value.f < 10 && gap.exact() && gap.den == 1 && gap.num%10 == 0 && r.lexer.digits
}

// denials are what a text says of an equation that it does not claim.
var denials = [...]string{"not true", "is not", "isn't", "not equal", "not satisf", "not hold", "false", "contradict", "impossible", "incorrect", "not possible", "no solution", "\\neq", "not correct", "not valid", "does not"}

// rejections are what a text says of a case that it has tried.
var rejections = [...]string{"contradict", "impossible", "not possible", "not valid", "not a valid", "extraneous"}

// denied reports whether the text goes on to deny the equation that ends at a byte, in
// the same sentence, or in the next one to reject the case.
func (r *reader) denied(end int) bool {
	rest := r.text[end:min(len(r.text), end+160)]
	sentence := rest[:min(len(rest), 64)]
	if i := strings.IndexAny(sentence, ".\n="); i >= 0 {
		sentence = sentence[:i]
	}
	contains := func(text string) func(string) bool {
		return func(d string) bool { return strings.Contains(text, d) }
	}
	if slices.ContainsFunc(denials[:], contains(sentence)) {
		return true
	}
	rest = strings.TrimLeft(rest, " .\n\\])$")
	if i := strings.Index(rest, ". "); i >= 0 {
		rest = rest[:i]
	}
	return slices.ContainsFunc(rejections[:], contains(rest))
}

// swapped recognises a difference whose terms stand in the wrong order: 70 - 80 = 10.
func swapped(left, right *sideTokens) bool {
	return left.ops == 1 && left.sums == 1 && right.ops == 0 && left.value.neg().equal(right.value)
}

// span recognises a range that looks like a difference: aged 45-54.
func (r *reader) span(left *sideTokens) bool {
	return left.ops == 1 && left.sums == 1 && left.value.f < 0 && strings.IndexByte(r.text[left.from:left.to], ' ') < 0
}

// defines recognises an operation that is applied by its definition, which is not a
// product: 3 * 2 = 3^2 + 3 \cdot 2 - 2^2.
func defines(left, right *sideTokens) bool {
	return left.ops == 1 && left.sums == 0 && !left.divided && right.ops > 1 && right.sums > 0
}

// enumerates recognises sums whose terms are worked out as they are listed:
// 8 + 95 * 0.10 = 9.50 + 120 * 0.05 = 6.
func (r *reader) enumerates(left, right *sideTokens) bool {
	chain := left.start > 0 && r.tokens[left.start-1].kind == relation
	if left.lastOps == 0 || right.ops == 0 && !chain {
		return false
	}
	term, first := reading{value: left.last, ops: 1}, reading{value: right.first, decimals: 2}
	holds, _ := compare(&term, &first, false)
	return holds
}

// breaksOff reports whether the text was cut at its token limit inside the right side.
func (r *reader) breaksOff(left, right *sideTokens) bool {
	if r.annotation || strings.TrimLeft(r.text[right.to:], " \n\t\r") != "" {
		return false
	}
	return right.ops > 0 || strings.HasPrefix(left.value.String(), r.text[right.from:right.to])
}

// continues reports whether a quantity goes on behind its first number: 4 hours and
// 40 minutes.
func (r *reader) continues(right *sideTokens) bool {
	i := right.stop
	return right.named && i+2 < len(r.tokens) && r.tokens[i].class == joinWord && r.tokens[i+1].kind == numeral && r.tokens[i+2].class >= timeWord
}

// otherwise compares the sides in all senses that people write them in.
func (r *reader) otherwise(left, right *sideTokens, approximate bool) bool {
	var a, b [len(modes)]reading
	lefts, rights := r.senses(left, &a), r.senses(right, &b)
	for i := range lefts {
		for k := range rights {
			if holds, _ := compare(&lefts[i], &rights[k], approximate); holds {
				return true
			}
		}
	}
	const money = moneyWord - timeWord
	if right.units[money] == '$' && left.units[money] == 0 { // 20 * 45 = $9, in cents
		if holds, _ := compare(&reading{value: left.value.mul(fraction(1, 100)), ops: 1}, &right.reading, approximate); holds {
			return true
		}
	}
	return (left.percents+right.percents > 0 || r.hundredths(right.stop)) && lacksPercent(left, right, approximate)
}

var modes = [...]mode{{}, {plain: true}, {relative: true}, {flat: true}, {tight: true}}

// matters reports whether a side may have another value in a mode.
func (s *reading) matters(m mode) bool {
	switch {
	case m.plain, m.relative:
		return s.percents > 0
	case m.flat:
		return s.sums > 0 && s.ops > s.sums
	case m.tight:
		return s.divided
	}
	return false
}

// senses reads a side in all modes that matter, into the given memory.
func (r *reader) senses(s *sideTokens, all *[len(modes)]reading) []reading {
	all[0] = s.reading
	n := 1
	for _, m := range modes[1:] {
		if !s.matters(m) {
			continue
		}
		if p := r.side(s.start, s.stop, m); !p.bad {
			all[n] = p.reading
			n++
		}
	}
	return all[:n]
}

// lacksPercent recognises 5 / 20 = 25 and 20 * 50 = 10, where one side goes without its
// percent sign.
func lacksPercent(left, right *sideTokens, approximate bool) bool {
	a, b := left.value, right.value
	hundred := integer(100)
	one := reading{value: a.mul(hundred), ops: 1, divided: true}
	two := reading{value: b, decimals: right.decimals}
	if holds, _ := compare(&one, &two, approximate); holds {
		return true
	}
	one.value = a.mul(hundred.inverse())
	holds, _ := compare(&one, &two, approximate)
	return holds
}

// compare reports whether two values are the same, and whether only by rounding: a
// single number may differ from the other side by its last digit, if the other side
// has more digits than it shows.
func compare(left, right *reading, approximate bool) (holds, rounded bool) {
	a, b := left.value, right.value
	if math.IsNaN(a.f) || math.IsNaN(b.f) || math.IsInf(a.f, 0) || math.IsInf(b.f, 0) {
		return false, false
	}
	if a.equal(b) {
		return true, false
	}
	exact, stated := a, right
	if right.ops > 0 {
		exact, stated = b, left
	}
	if left.ops > 0 && right.ops > 0 {
		holds = close(left, right)
	} else {
		holds = near(exact, stated, approximate)
	}
	return holds, holds
}

// close compares two expressions: the numbers of the right side may be rounded results
// of the left.
func close(left, right *reading) bool {
	gap := math.Abs(left.value.f - right.value.f)
	if gap <= (left.value.slack+right.value.slack)*1.01 || gap <= 1e-9*math.Abs(left.value.f) {
		return true
	}
	if !right.divided && !left.value.fits(right.finest) && gap < float64(right.sums+1)*math.Pow10(-right.finest) {
		return true
	}
	return (!left.value.exact() || !right.value.exact()) && gap <= 0.006*math.Abs(left.value.f)
}

// near compares a value with the single number that states it.
func near(exact number, stated *reading, approximate bool) bool {
	gap := math.Abs(exact.f - stated.value.f)
	slack := exact.slack + stated.value.slack
	if gap <= slack*1.01 || gap <= 1e-9*math.Abs(exact.f) {
		return true
	}
	if approximate && gap <= 0.05*math.Abs(exact.f) {
		return true
	}
	decimals := stated.decimals
	if !approximate && exact.fits(decimals) {
		return false
	}
	unit := math.Pow10(-decimals)
	return gap < unit*1.0001+slack || gap <= 0.006*math.Abs(exact.f)
}
