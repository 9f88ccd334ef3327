package signal

import (
	"strings"
	"unicode/utf8"
)

// lexer cuts a text into tokens. It never looks further ahead than a few bytes, or to
// the end of what it consumes, so its time is linear.
//
// The end of a line inside an equation is no token: before "=", and behind an operator
// or "=".
type lexer struct {
	text    string
	tokens  []token
	pos     int
	space   bool // before the next token
	fresh   bool // at the beginning of a line
	emitted bool // something, since this was last reset
	stack   []int32
	notes   []span // calculator annotations
	noted   int    // bytes of them
	modular bool   // the text speaks of congruences
	digits  bool   // the text speaks of digits
}

type span struct{ start, end int }

// reset prepares the lexer for a text and keeps its memory.
func (l *lexer) reset(text string) {
	*l = lexer{text: text, tokens: l.tokens[:0], stack: l.stack[:0], notes: l.notes[:0]}
}

// run reads the text, up to its first [MaxTokens] tokens.
func (l *lexer) run() {
	l.fresh = true
	for l.pos < len(l.text) && !l.cut() {
		l.emitted = false
		l.next()
		if l.emitted {
			l.space = false
		}
	}
	l.emit(line, l.pos, 0)
}

// cut reports whether no more of the text is read. A byte of an annotation counts as a
// token, since it may be one where the annotation is read.
func (l *lexer) cut() bool { return len(l.tokens)+l.noted >= MaxTokens }

// emit appends the token that starts at start and ends at the current position.
func (l *lexer) emit(k kind, start int, symbol byte) *token {
	l.emitted, l.fresh = true, k == line
	l.tokens = append(l.tokens, token{kind: k, symbol: symbol, start: int32(start), end: int32(l.pos), glued: !l.space, match: -1})
	return &l.tokens[len(l.tokens)-1]
}

// last is the last token, one of kind end if there is none.
func (l *lexer) last() *token {
	if n := len(l.tokens); n > 0 {
		return &l.tokens[n-1]
	}
	return &behind
}

// endLine emits the end of a line, unless it stands behind an operator or a relation.
func (l *lexer) endLine(start int) {
	if k := l.last().kind; k == operator || k == relation {
		l.emitted, l.fresh = true, true
		return
	}
	l.emit(line, start, 0)
}

// relate makes a relation of the last token and removes the end of a line before it, as
// well as the end of a formula in parentheses.
func (l *lexer) relate(symbol byte) {
	n := len(l.tokens) - 1
	t := l.tokens[n]
	t.kind, t.symbol = relation, symbol
	if n > 0 && (n > 1 && l.tokens[n-1].kind == line || l.tokens[n-1].kind == stop && l.tokens[n-1].symbol == ')') {
		n--
	}
	l.tokens[n] = t
	l.tokens = l.tokens[:n+1]
}

func (l *lexer) peek(i int) byte {
	if l.pos+i < len(l.text) {
		return l.text[l.pos+i]
	}
	return 0
}

func (l *lexer) has(prefix string) bool { return strings.HasPrefix(l.text[l.pos:], prefix) }

// before is the byte before the current position.
func (l *lexer) before() byte {
	if l.pos > 0 {
		return l.text[l.pos-1]
	}
	return 0
}

func digit(c byte) bool  { return '0' <= c && c <= '9' }
func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// next reads one token or skips some bytes.
func (l *lexer) next() {
	c := l.text[l.pos]
	switch {
	case c == ' ' || c == '\t' || c == '\r' || c == '&' || c == '~':
		l.skip(1)
	case digit(c) || c == '.' && digit(l.peek(1)):
		if !l.listMark() {
			l.number()
		}
	case letter(c):
		l.word()
	case c == '\\':
		l.command()
	case c >= utf8.RuneSelf:
		l.symbol()
	default:
		l.punctuation(c)
	}
}

func (l *lexer) skip(n int) { l.pos += n; l.space = true }

// take emits a token of n bytes.
func (l *lexer) take(n int, k kind, symbol byte) *token {
	start := l.pos
	l.pos += n
	return l.emit(k, start, symbol)
}

func (l *lexer) punctuation(c byte) {
	switch c {
	case '\n':
		l.newline()
	case '(', '[', '{':
		l.stack = append(l.stack, int32(len(l.tokens)))
		l.take(1, open, c)
	case ')', ']', '}':
		l.close(c)
	case '+', '-', '*', '/', '^':
		l.operator(c)
	case '=', '<', '>', ':', '!':
		l.compare(c)
	case '%':
		l.take(1, percent, 0)
	case '$':
		l.dollar()
	case ',', '.':
		l.point(c)
	case '`', '"', '\'':
		l.skip(1)
	case '|':
		l.take(1, stop, '|')
	case '_':
		if l.peek(1) == '_' || l.space || l.fresh {
			l.skip(1)
			return
		}
		l.take(1, opaque, 0)
	default:
		l.take(1, stop, 0)
	}
}

// margin are the bytes that are skipped at the beginning of a line.
var margin = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, '&': true, '#': true, '>': true}

// newline ends a line unless the next one continues it; list and quotation marks at
// the beginning of the next line are skipped.
func (l *lexer) newline() {
	start := l.pos
	for l.pos < len(l.text) && margin[l.text[l.pos]] {
		l.pos++
	}
	if c := l.peek(0); (c == '-' || c == '*' || c == '+') && l.peek(1) == ' ' {
		l.pos++
	}
	l.endLine(start)
	l.stack = l.stack[:0]
}

// listMark skips "1." and "2)" at the beginning of a line.
func (l *lexer) listMark() bool {
	if !l.fresh {
		return false
	}
	i := 1
	for digit(l.peek(i)) {
		i++
	}
	if i > 2 || l.peek(i) != '.' && l.peek(i) != ')' || l.peek(i+1) != ' ' {
		return false
	}
	l.take(i+1, stop, 0)
	return true
}

func (l *lexer) close(c byte) {
	t := l.take(1, closing, c)
	if n := len(l.stack); n > 0 {
		partner := l.stack[n-1]
		l.stack = l.stack[:n-1]
		t.match = partner
		l.tokens[partner].match = int32(len(l.tokens) - 1)
	}
}

func (l *lexer) operator(c byte) {
	switch next := l.peek(1); {
	case next == '=' && c != '-': // += in a program; "16 -= 3" is one too, but "5 -=" is not seen
		l.take(2, stop, 0)
	case c == '*' && next == '*':
		if digit(l.before()) && digit(l.peek(2)) {
			l.take(2, operator, '^')
			return
		}
		l.skip(2)
		l.space = false
	case c == '/' && next == '/':
		l.take(2, opaque, 0)
	case c == '-' && (next == '>' || next == '-'):
		l.take(2, stop, 0)
	case c == '-' && letter(next) && letter(l.before()):
		l.skip(1)
	default:
		l.take(1, operator, c)
	}
}

func (l *lexer) compare(c byte) {
	next := l.peek(1)
	switch {
	case c == '<' && next == '<':
		l.annotation()
	case c == '!' && next != '=':
		l.take(1, bang, 0)
	case c == ':' && digit(next) && digit(l.before()):
		l.take(1, opaque, 0) // a time of day or a ratio
	case next == '=':
		l.take(2, comparison, 0)
	case c == '=' && next == '>':
		l.take(2, stop, 0)
	case c == '=':
		l.take(1, relation, 'e')
		l.relate('e')
	case c == ':':
		l.take(1, stop, 0)
	default:
		l.take(1, comparison, 0)
	}
}

// annotation skips <<18-3=15>>, which is read apart.
func (l *lexer) annotation() {
	rest := l.text[l.pos:min(len(l.text), l.pos+200)]
	n := strings.Index(rest, ">>")
	if n < 0 {
		l.take(2, stop, 0)
		return
	}
	l.notes = append(l.notes, span{l.pos + 2, l.pos + n})
	l.noted += n
	l.skip(n + 2)
}

// dollar is a currency sign, or $$, which ends a line as \[ does.
func (l *lexer) dollar() {
	if l.peek(1) == '$' {
		l.pos += 2
		l.endLine(l.pos - 2)
		return
	}
	l.take(1, currency, '$')
}

func (l *lexer) point(c byte) {
	switch {
	case c == '.' && l.peek(1) == '.':
		n := 2
		for l.peek(n) == '.' {
			n++
		}
		l.take(n, opaque, 0)
	case c == ',' && digit(l.before()) && digit(l.peek(1)):
		l.take(1, opaque, 0) // a list, or a decimal comma
	default:
		l.take(1, stop, 0)
	}
}
