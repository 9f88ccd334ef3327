package grade

import (
	"math/big"
	"strings"
)

// scanNumber reads the number that begins at s[i]: 12, -1,234.5, .5, 3/4, 2 1/2,
// \frac{3}{4}, 2\frac{3}{4}, 1.2 million, 5 dollars and 50 cents.
func scanNumber(s string, i int) (n *number, end int, ok bool) {
	begin := i
	negative := i < len(s) && s[i] == '-'
	if negative {
		for i++; i < len(s) && (s[i] == ' ' || s[i] == '$'); i++ {
		}
	}
	n, end, ok = scanFraction(s, i)
	if !ok {
		if n, end, ok = scanLiteral(s, i); !ok {
			return nil, begin, false
		}
		end = scanRest(s, end, n)
	}
	end = scanScale(s, end, n)
	if negative {
		n.Neg(&n.Rat)
	}
	return n, end, true
}

// scanRest reads what makes a fraction or a mixed number of the literal n that ends before
// s[i]: "/4", "\frac{3}{4}", " 3/4". It changes n and returns the new end.
func scanRest(s string, i int, n *number) (end int) {
	after := skipSpaces(s, i)
	if f, end, ok := scanFraction(s, after); ok {
		n.Add(&n.Rat, &f.Rat)
		return end
	}
	if d, end, ok := scanDivisor(s, after); ok {
		n.Quo(&n.Rat, &d.Rat)
		n.decimal = n.decimal || d.decimal
		return end
	}
	over, overEnd, ok := scanLiteral(s, after)
	if !ok || after == i {
		return i
	}
	d, end, ok := scanDivisor(s, overEnd)
	if !ok || !over.IsInt() || !d.IsInt() {
		return i
	}
	n.Add(&n.Rat, over.Quo(&over.Rat, &d.Rat))
	return end
}

// scanDivisor reads "/4".
func scanDivisor(s string, i int) (d *number, end int, ok bool) {
	if i >= len(s) || s[i] != '/' {
		return nil, i, false
	}
	d, end, ok = scanLiteral(s, skipSpaces(s, i+1))
	return d, end, ok && d.Sign() != 0
}

// scales are words for powers of ten.
var scales = [...]struct {
	word  string
	value int64
}{{"thousand", 1e3}, {"million", 1e6}, {"billion", 1e9}, {"trillion", 1e12}}

// scanScale reads " million" behind the number n that ends before s[i]. It adds the cents
// of "5 dollars and 50 cents".
func scanScale(s string, i int, n *number) (end int) {
	after := skipSpaces(s, i)
	for _, scale := range scales {
		if strings.HasPrefix(s[after:], scale.word) {
			n.Mul(&n.Rat, new(big.Rat).SetInt64(scale.value))
			return after + len(scale.word)
		}
	}
	if n.decimal && i < len(s) && s[i] == 'k' && (i+1 == len(s) || !isLetter(s[i+1])) { // 1.5k, but 2k may be a formula
		n.Mul(&n.Rat, big.NewRat(1000, 1))
		return i + 1
	}
	if rest, ok := strings.CutPrefix(s[after:], "dollars and "); ok {
		if cents, end, ok := scanLiteral(rest, 0); ok && strings.HasPrefix(rest[end:], " cent") {
			n.Add(&n.Rat, cents.Mul(&cents.Rat, big.NewRat(1, 100)))
			return len(s) - len(rest) + end + len(" cent")
		}
	}
	return i
}

// scanFraction reads \frac{3}{4} or \frac34 with numbers in it.
func scanFraction(s string, i int) (n *number, end int, ok bool) {
	if i >= len(s) || s[i] != '\\' || !strings.HasPrefix(s[i:], `\frac`) {
		return nil, i, false
	}
	over, i, ok := scanArgument(s, i+len(`\frac`))
	if !ok {
		return nil, i, false
	}
	under, i, ok := scanArgument(s, i)
	if !ok || under.Sign() == 0 {
		return nil, i, false
	}
	over.Quo(&over.Rat, &under.Rat)
	return over, i, true
}

// scanArgument reads {12} or a single digit.
func scanArgument(s string, i int) (n *number, end int, ok bool) {
	i = skipSpaces(s, i)
	if i < len(s) && isDigit(s[i]) {
		n, ok = parseLiteral(s[i : i+1])
		return n, i + 1, ok
	}
	if i >= len(s) || s[i] != '{' {
		return nil, i, false
	}
	i = skipSpaces(s, i+1)
	negative := i < len(s) && s[i] == '-'
	if negative {
		i++
	}
	n, i, ok = scanLiteral(s, i)
	if i = skipSpaces(s, i); !ok || i >= len(s) || s[i] != '}' {
		return nil, i, false
	}
	if negative {
		n.Neg(&n.Rat)
	}
	return n, i + 1, true
}
