package signal

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
	repeating  bool // a numeral that looks rounded: 0.33, 0.167
	start, end int32
	match      int32 // of a parenthesis: where its partner is, −1 for none
	value      number
}
