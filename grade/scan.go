package grade

import (
	"math/big"
	"strings"
)

// lastNumber returns the last number of a whole solution, as [number.String] does.
// A minus sign belongs to it unless a letter, a digit or a bracket stands before:
// the last number of "9-4" is 4.
func lastNumber(s string) (string, bool) {
	last := strings.LastIndexAny(s, "0123456789")
	if last < 0 {
		return "", false
	}
	begin := last
	for begin > 0 && last-begin < maxDigits && (isDigit(s[begin-1]) || s[begin-1] == '.' || s[begin-1] == ',') {
		begin--
	}
	literal, at := "", 0
	for i := begin; i <= last; { // "2,15" holds two numbers
		end := literalEnd(s, i)
		if end == i {
			i++
			continue
		}
		literal, at = s[i:end], i
		i = end
	}
	n, ok := parseLiteral(literal)
	if !ok {
		return "", false
	}
	if isNegative(s[:at]) {
		n.Neg(&n.Rat)
	}
	return n.String(), true
}

// isNegative reports whether before ends in a minus sign, or in "-$".
func isNegative(before string) bool {
	before, ok := strings.CutSuffix(strings.TrimSuffix(before, "$"), "-")
	if !ok {
		return false
	}
	if before == "" {
		return true
	}
	c := before[len(before)-1]
	return !isLetter(c) && !isDigit(c) && c != '_' && c != ')' && c != '}'
}

// scanNumber reads the number that begins at s[i]: 12, -1,234.5, .5, 3/4, 2 1/2,
// \frac{3}{4}, 2\frac{3}{4}.
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
	if negative {
		n.Neg(&n.Rat)
	}
	return n, end, true
}

// scanRest reads what makes a fraction or a mixed number of the literal n that ends
// before s[i]: "/4", "\frac{3}{4}", " 3/4". It changes n and returns the new end.
func scanRest(s string, i int, n *number) (end int) {
	after := skipSpaces(s, i)
	if f, end, ok := scanFraction(s, after); ok {
		n.Add(&n.Rat, &f.Rat)
		return end
	}
	if d, end, ok := scanDivisor(s, after); ok {
		n.Quo(&n.Rat, &d.Rat)
		return end
	}
	over, overEnd, ok := scanLiteral(s, after)
	if !ok || after == i {
		return i
	}
	d, end, ok := scanDivisor(s, overEnd)
	if !ok {
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

func scanLiteral(s string, i int) (n *number, end int, ok bool) {
	end = literalEnd(s, i)
	if end == i {
		return nil, i, false
	}
	n, ok = parseLiteral(s[i:end])
	return n, end, ok
}

// literalEnd returns the end of the literal that begins at s[i]: 12, 1,234.5, .5.
// It returns i when there is none.
func literalEnd(s string, i int) int {
	end := digitsEnd(s, i)
	if n := end - i; n >= 1 && n <= 3 {
		for end < len(s) && s[end] == ',' && digitsEnd(s, end+1) == end+4 {
			end += 4
		}
	}
	if end < len(s) && s[end] == '.' {
		if after := digitsEnd(s, end+1); after > end+1 {
			end = after
		}
	}
	return end
}

func digitsEnd(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

func parseLiteral(literal string) (*number, bool) {
	if literal == "" || len(literal) > maxDigits {
		return nil, false
	}
	if strings.IndexByte(literal, ',') >= 0 {
		literal = strings.ReplaceAll(literal, ",", "")
	}
	r, ok := new(big.Rat).SetString(literal)
	if !ok {
		return nil, false
	}
	return &number{*r}, true
}

func skipSpaces(s string, i int) int {
	for i < len(s) && s[i] == ' ' {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
