package signal

import "math"

// kind is what a token is.
type kind uint8

const (
	end        kind = iota // behind the last token
	numeral                // 1,200.50
	operator               // + - * / ^ as its symbol
	relation               // = or ≈ as its symbol 'e', 'a'
	open                   // ( [ {
	closing                // ) ] }
	fracSign               // \frac
	rootSign               // \sqrt
	percent                // %
	currency               // $, € and £
	bang                   // !
	word                   // letters
	textUnit               // \text{…} without a digit
	unitSign               // °
	opaque                 // what is not read: variables, other commands, subscripts
	comparison             // <, ≠: a side ends here
	stop                   // a break: punctuation, the end of a line
	line                   // the end of a line, which an operator or a relation bridges
)

// token is a piece of the text, text[start:stop].
type token struct {
	kind       kind
	symbol     byte // of an operator or a relation
	class      class
	decimals   int8
	glued      bool // no space before it
	cross      bool // the sign of 5x3, which may be a measure or 5x₃
	start, end int32
	match      int32 // of a parenthesis: where its partner is, −1 for none
	digits     int64 // of a numeral, with its decimals
}

// behind stands for the token behind the last one.
var behind = token{kind: end}

var tens = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// float is the value of a numeral.
func (t *token) float() float64 { return float64(t.digits) / float64(tens[t.decimals]) }

// value is the value of a numeral, with the slack of one that looks rounded.
func (t *token) value() number {
	if t.decimals == 0 {
		return integer(t.digits)
	}
	v := fraction(t.digits, tens[t.decimals])
	if rounded(v.f, int(t.decimals)) {
		v.slack = 1 / float64(tens[t.decimals])
	}
	return v
}

// rounded reports whether a decimal looks like a fraction of small denominator cut
// short, such as 0.33, 16.67 or 0.1429.
func rounded(f float64, decimals int) bool {
	if decimals < 2 {
		return false
	}
	unit := math.Pow10(-decimals)
	for _, q := range [...]float64{3, 7, 9, 11, 12, 13} {
		if x := f * q; math.Abs(x-math.Round(x)) < q*unit && math.Abs(x-math.Round(x)) > 1e-9 {
			return decimals > 2 || q < 10
		}
	}
	return false
}
