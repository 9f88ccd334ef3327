package signal

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// number reads digits with thousands separators and decimals.
func (l *lexer) number() {
	start := l.pos
	whole, fits := int64(0), true
	add := func(c byte) {
		if whole > (math.MaxInt64-9)/10 {
			fits = false
			return
		}
		whole = whole*10 + int64(c-'0')
	}
	for n := 0; digit(l.peek(0)); n++ {
		add(l.peek(0))
		l.pos++
		if sep := l.separator(); sep > 0 && l.pos-start <= 3+n/3*(3+sep) {
			l.pos += sep
		}
	}
	decimals := 0
	if l.peek(0) == '.' && digit(l.peek(1)) {
		for l.pos++; digit(l.peek(0)); l.pos++ {
			if decimals < 15 {
				add(l.peek(0))
				decimals++
			}
		}
	}
	t := l.emit(numeral, start, 0)
	if !fits || decimals == 0 && l.pos-start > 1 && l.text[start] == '0' { // 0730 is a time or a name
		t.kind = opaque
		return
	}
	t.digits, t.decimals = whole, int8(decimals)
	l.cross()
}

// vulgar emits a fraction sign of n bytes, such as ½.
func (l *lexer) vulgar(n int, digits int64, decimals int8) {
	t := l.take(n, numeral, 0)
	t.digits, t.decimals = digits, decimals
}

// separator is the length of the thousands separator at the current position: ",",
// "{,}", ",\!" or "\,", with three digits and no fourth behind it.
func (l *lexer) separator() int {
	if c := l.peek(0); c != ',' && c != '{' && c != '\\' {
		return 0
	}
	for _, s := range [...]string{",", "{,}", `,\!`, `\,`} {
		if n := len(s); l.has(s) && digit(l.peek(n)) && digit(l.peek(n+1)) && digit(l.peek(n+2)) && !digit(l.peek(n+3)) {
			return n
		}
	}
	return 0
}

// cross emits the multiplication sign of "5x3", "5 x 3" and "5 X $3".
func (l *lexer) cross() {
	i := 0
	for l.peek(i) == ' ' {
		i++
	}
	if l.peek(i)|0x20 != 'x' {
		return
	}
	j := i + 1
	for l.peek(j) == ' ' {
		j++
	}
	c := l.peek(j)
	if digit(c) || c == '$' || c == '(' && i > 0 && j > i+1 {
		l.pos += i
		t := l.take(1, operator, '*')
		t.cross = i == 0 && j == 1
	}
}

// word reads letters, digits behind them, and apostrophes inside.
func (l *lexer) word() {
	start := l.pos
	var seen uint8
	for n := 0; ; l.pos += n {
		for l.pos < len(l.text) && inWord[l.text[l.pos]] != 0 {
			seen |= inWord[l.text[l.pos]]
			l.pos++
		}
		if n = l.letters(); n == 0 {
			break
		}
	}
	if l.crosses(start) {
		l.emit(operator, start, '*')
		return
	}
	w := l.text[start:l.pos]
	t := l.emit(word, start, 0)
	if seen&indexed != 0 || l.variable(w, t.glued) {
		t.kind = opaque
		if len(w) == 1 {
			t.symbol = w[0]
		}
		return
	}
	t.class = classify(w)
	switch t.class {
	case percentWord:
		t.kind = percent
	case functionWord:
		t.kind = opaque
		l.modular = l.modular || w == "mod" || w == "modulo"
	case plainWord:
		l.digits = l.digits || w == "digit" || w == "digits"
	case plusWord:
		t.kind, t.symbol = operator, '+'
	case minusWord:
		t.kind, t.symbol = operator, '-'
	case equalsWord:
		l.equals(t)
	}
}

// indexed marks the bytes that make a variable of a word, digits and "_".
const indexed = 2

// inWord are the bytes that continue a word in any place.
var inWord = func() (in [256]uint8) {
	for c := range in {
		switch {
		case letter(byte(c)):
			in[c] = 1
		case digit(byte(c)) || c == '_':
			in[c] = indexed
		}
	}
	return in
}()

// letters is the length of what continues a word at the current position, besides the
// bytes that do so in any place; 0 if the word ends.
func (l *lexer) letters() int {
	c := l.peek(0)
	switch {
	case c == '\'' && letter(l.peek(1)):
		return 1
	case c >= utf8.RuneSelf:
		r, n := utf8.DecodeRuneInString(l.text[l.pos:])
		if isLetter(r) || r == '’' && letter(l.peek(n)) {
			return n
		}
	}
	return 0
}

// isLetter holds for letters of words; Greek ones are variables.
func isLetter(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Greek, r) }

// crosses reports whether the word from start is the sign of "3 boxes x 12 eggs".
func (l *lexer) crosses(start int) bool {
	if l.pos-start != 1 || l.text[start]|0x20 != 'x' || !l.space || len(l.tokens) == 0 || l.peek(0) != ' ' || !digit(l.peek(1)) && l.peek(1) != '$' {
		return false
	}
	switch l.tokens[len(l.tokens)-1].kind {
	case word, textUnit, closing, percent:
		return true
	}
	return false
}

// variable tells letters that stand for a number from words: one letter (but for the
// article), two that are no word (ab, OM), letters that touch a number or a closing
// bracket, capitals that touch an operator (66/BC).
func (l *lexer) variable(w string, touching bool) bool {
	if n := len(l.tokens); touching && n > 1 {
		switch l.tokens[n-2].kind {
		case numeral:
			return !glued[w]
		case closing:
			return !glued[w] && classify(w) == plainWord
		case operator:
			if len(w) <= 3 && capitals(w) {
				return true
			}
		}
	}
	switch len(w) {
	case 1:
		return w != "a" && w != "A" && w != "I" || l.peek(0) != ' ' || !letter(l.peek(1)) || !letter(l.peek(2))
	case 2:
		return letter(w[1]) && capitals(w[1:]) == capitals(w[:1]) && !shortWords[short(w)] && classify(w) == plainWord && !glued[w]
	}
	return false
}

// short numbers the words of two letters, whatever their case.
func short(w string) int { return int(w[0]&31)<<5 | int(w[1]&31) }

// shortWords are the words of two letters that are not in the dictionary.
var shortWords = func() (known [1 << 10]bool) {
	for _, w := range strings.Fields(`as at be do go in me my no on or up us am an id tv pm uk cd pc ok et al eg ie vs mr ms dr st nd rd th ea sq mb gb kb tb hp`) {
		known[short(w)] = true
	}
	return known
}()

func capitals(w string) bool {
	for i := range len(w) {
		if w[i] < 'A' || w[i] > 'Z' {
			return false
		}
	}
	return true
}

// equals makes a relation of "equals" and "equal to".
func (l *lexer) equals(t *token) {
	if l.text[t.end-1] == 's' {
		l.relate('e')
		return
	}
	if l.has(" to ") {
		l.pos += 4
		t.end = int32(l.pos)
		if n := len(l.tokens); n > 1 && l.tokens[n-2].class == breakWord { // "is equal to"
			l.tokens[n-2] = l.tokens[n-1]
			l.tokens = l.tokens[:n-1]
		}
		l.relate('e')
	}
}

var runes = map[rune]token{
	'×': {kind: operator, symbol: '*'}, '·': {kind: operator, symbol: '*'}, '∗': {kind: operator, symbol: '*'}, '⋅': {kind: operator, symbol: '*'},
	'÷': {kind: operator, symbol: '/'}, '∕': {kind: operator, symbol: '/'}, '⁄': {kind: operator, symbol: '/'},
	'−': {kind: operator, symbol: '-'}, '–': {kind: operator, symbol: '-'},
	'≈': {kind: relation, symbol: 'a'}, '≃': {kind: relation, symbol: 'a'},
	'≠': {kind: comparison}, '≤': {kind: comparison}, '≥': {kind: comparison},
	'€': {kind: currency}, '£': {kind: currency}, '°': {kind: unitSign},
	'—': {kind: stop}, '→': {kind: stop}, '⇒': {kind: stop}, '•': {kind: stop}, '…': {kind: opaque},
	'²': {kind: operator, symbol: '2'}, '³': {kind: operator, symbol: '3'},
}

// symbol reads what is not ASCII.
func (l *lexer) symbol() {
	r, n := utf8.DecodeRuneInString(l.text[l.pos:])
	switch t, known := runes[r]; {
	case known:
		l.take(n, t.kind, t.symbol)
		if t.kind == relation {
			l.relate(t.symbol)
		}
	case r == 'π':
		l.take(n, opaque, '\x01')
	case r == '½':
		l.vulgar(n, 5, 1)
	case r == '¼':
		l.vulgar(n, 25, 2)
	case r == '¾':
		l.vulgar(n, 75, 2)
	case r == '\u00a0' || r == '\u2009' || r == '\u202f': // spaces
		l.skip(n)
	case isLetter(r):
		l.word()
	case r == '“' || r == '”' || r == '‘' || r == '’':
		l.skip(n)
	case unicode.IsPunct(r):
		l.take(n, stop, 0)
	default:
		l.modular = l.modular || r == '≡'
		l.take(n, opaque, 0)
	}
}
