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
		if !ok || s[i] == '-' && !(isSign(s[:i]) && s[i+1] != ' ') {
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

// scanNumber reads the number that begins at s[i]: 12, -1,234.5, .5, 3/4, 2 1/2,
// \frac{3}{4}, 2\frac{3}{4}, 1.5e3, 2^{10}, 1.2 million, 5 dollars and 50 cents.
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

// scanRest reads what makes a power, a fraction or a mixed number of the literal n that
// ends before s[i]: "^3", "/4", "\frac{3}{4}", " 3/4". It changes n and returns the new
// end.
func scanRest(s string, i int, n *number) (end int) {
	if e, end, ok := scanExponent(s, i); ok {
		return raise(n, &n.Rat, e, i, end)
	}
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

// scanExponent reads "^3", "^{-3}", or "e3" unless a letter follows.
func scanExponent(s string, i int) (e int64, end int, ok bool) {
	if i >= len(s) || s[i] != '^' && s[i]|0x20 != 'e' {
		return 0, i, false
	}
	braced := i+1 < len(s) && s[i] == '^' && s[i+1] == '{'
	begin := i + 1
	if braced {
		begin++
	}
	digits := begin
	if digits < len(s) && (s[digits] == '-' || s[digits] == '+') {
		digits++
	}
	end = digitsEnd(s, digits)
	if end == digits || end-digits > 3 || s[i] != '^' && end < len(s) && isLetter(s[end]) {
		return 0, i, false
	}
	for _, c := range s[digits:end] {
		e = e*10 + int64(c-'0')
	}
	if s[begin] == '-' {
		e = -e
	}
	if braced {
		if end >= len(s) || s[end] != '}' {
			return 0, i, false
		}
		end++
	}
	if s[i] != '^' { // the base is 10
		return e + tenth, end, true
	}
	return e, end, true
}

// tenth marks an exponent of ten.
const tenth = 1 << 20

// raise makes n the power of the base, or n times a power of ten, unless it is too large.
func raise(n *number, base *big.Rat, e int64, from, end int) int {
	factor := new(big.Rat).SetInt64(1)
	if e > tenth/2 {
		e -= tenth
		base = big.NewRat(10, 1)
		factor.Set(&n.Rat)
	}
	over, under := base.Num(), base.Denom()
	if e < 0 {
		over, under, e = under, over, -e
	}
	if under.Sign() == 0 || int64(over.BitLen()+under.BitLen())*e > 4*maxDigits {
		return from
	}
	exponent := big.NewInt(e)
	power := new(big.Rat).SetFrac(new(big.Int).Exp(over, exponent, nil), new(big.Int).Exp(under, exponent, nil))
	n.Mul(factor, power)
	return end
}

// scales are words for powers of ten.
var scales = [...]struct {
	word  string
	value int64
}{{"thousand", 1e3}, {"million", 1e6}, {"billion", 1e9}, {"trillion", 1e12}}

// scanScale reads what multiplies the number n that ends before s[i]: "× 10^3",
// " million". It adds the cents of "5 dollars and 50 cents".
func scanScale(s string, i int, n *number) (end int) {
	after := skipSpaces(s, i)
	for _, times := range [...]string{`\times`, `\cdot`, "×", "·", "*", "x"} {
		rest, ok := strings.CutPrefix(s[after:], times)
		if !ok {
			continue
		}
		at := skipSpaces(s, len(s)-len(rest))
		if strings.HasPrefix(s[at:], "10^") {
			if e, end, ok := scanExponent(s, at+2); ok {
				return raise(n, nil, e+tenth, i, end)
			}
		}
	}
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
