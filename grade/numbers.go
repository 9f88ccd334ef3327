package grade

import (
	"math/big"
	"strings"
)

// maxDigits is the length of the longest number literal that is read exactly.
const maxDigits = 400

// number is the exact value of a number in a text.
type number struct {
	big.Rat
	decimal bool // it was written with a decimal point
}

// String returns an integer in full, a short decimal or one that was written so as a
// decimal, and any other number as a fraction.
func (n *number) String() string {
	if n.IsInt() {
		return n.Num().String()
	}
	const most = 4 // places of a fraction that is shown as a decimal
	places, exact := n.FloatPrec()
	if exact && (n.decimal || places <= most) {
		return n.FloatString(places)
	}
	return n.RatString()
}

// numbers returns the numbers of a text in their order. A minus sign belongs to a
// number unless a letter, a digit or a bracket stands before: the last number of "9-4"
// is 4.
func numbers(s string) []*number {
	var all []*number
	for i := 0; i < len(s); {
		n, end, ok := scanNumber(s, i)
		if !ok || s[i] == '-' && (!isSign(s[:i]) || s[i+1] == ' ') {
			i++
			continue
		}
		all = append(all, n)
		i = end
	}
	return all
}

// isSign reports whether a minus sign behind this text is a sign.
func isSign(before string) bool {
	if before == "" {
		return true
	}
	c := before[len(before)-1]
	return !isLetter(c) && !isDigit(c) && c != '_' && c != ')' && c != '}'
}

// scanLiteral reads 12, 1,234.5, .5, 43 279 and 1.234,56.
func scanLiteral(s string, i int) (n *number, end int, ok bool) {
	if end, ok := europeanEnd(s, i); ok {
		n, ok = parseLiteral(strings.ReplaceAll(strings.ReplaceAll(s[i:end], ".", ""), ",", "."))
		return n, end, ok
	}
	end = literalEnd(s, i)
	if end == i {
		return nil, i, false
	}
	literal := s[i:end]
	if strings.ContainsAny(literal, ", ") {
		literal = strings.NewReplacer(",", "", " ", "").Replace(literal)
	}
	n, ok = parseLiteral(literal)
	return n, end, ok
}

// europeanEnd returns the end of 1.234,56, where the point separates thousands.
func europeanEnd(s string, i int) (end int, ok bool) {
	end = digitsEnd(s, i)
	groups := 0
	for end-i >= 1 && end < len(s) && s[end] == '.' && digitsEnd(s, end+1) == end+4 && (groups > 0 || end-i <= 3) {
		end += 4
		groups++
	}
	if groups == 0 || end >= len(s) || s[end] != ',' {
		return i, false
	}
	cents := digitsEnd(s, end+1)
	return cents, cents == end+2 || cents == end+3
}

// literalEnd returns the end of the literal that begins at s[i], and i when there is
// none.
func literalEnd(s string, i int) int {
	end := digitsEnd(s, i)
	if n := end - i; n >= 1 && n <= 3 && end < len(s) && (s[end] == ',' || s[end] == ' ') {
		separator := s[end]
		for end < len(s) && s[end] == separator && digitsEnd(s, end+1) == end+4 && (separator == ',' || !strings.HasPrefix(s[end+4:], "/")) {
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
	n := &number{decimal: strings.IndexByte(literal, '.') >= 0}
	if len(literal) <= 18 && !n.decimal {
		var small int64
		for _, c := range []byte(literal) {
			small = small*10 + int64(c-'0')
		}
		n.SetInt64(small)
		return n, true
	}
	_, ok := n.SetString(literal)
	return n, ok
}

func skipSpaces(s string, i int) int {
	for i < len(s) && s[i] == ' ' {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
