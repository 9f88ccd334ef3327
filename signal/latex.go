package signal

import "strings"

// command reads what begins with a backslash.
func (l *lexer) command() {
	start := l.pos
	c := l.peek(1)
	if !letter(c) {
		l.escape(c)
		return
	}
	l.pos++
	for letter(l.peek(0)) {
		l.pos++
	}
	name := l.text[start+1 : l.pos]
	switch t, known := commands[name]; {
	case name == "text" || strings.HasPrefix(name, "text") || name == "mathrm" || name == "mathbf" || name == "mbox":
		l.argument(start)
	case name == "begin" || name == "end":
		l.environment(start)
	case !known:
		l.modular = l.modular || name == "pmod" || name == "bmod" || name == "mod"
		l.emit(opaque, start, 0)
	case t.kind != end:
		l.modular = l.modular || name == "equiv"
		l.emit(t.kind, start, t.symbol)
		if t.kind == relation {
			l.relate(t.symbol)
		}
	default:
		l.space = true
	}
}

// commands maps a command to its token; kind end marks those that only move things.
var commands = map[string]token{
	"times": {kind: operator, symbol: '*'}, "cdot": {kind: operator, symbol: '*'}, "ast": {kind: operator, symbol: '*'},
	"div":  {kind: operator, symbol: '/'},
	"frac": {kind: fracSign}, "dfrac": {kind: fracSign}, "tfrac": {kind: fracSign}, "cfrac": {kind: fracSign}, "sqrt": {kind: rootSign},
	"approx": {kind: relation, symbol: 'a'}, "simeq": {kind: relation, symbol: 'a'},
	"ne": {kind: comparison}, "neq": {kind: comparison}, "le": {kind: comparison}, "leq": {kind: comparison}, "ge": {kind: comparison},
	"geq": {kind: comparison}, "lt": {kind: comparison}, "gt": {kind: comparison}, "equiv": {kind: comparison}, "sim": {kind: comparison},
	"Rightarrow": {kind: stop}, "implies": {kind: stop}, "to": {kind: stop}, "rightarrow": {kind: stop}, "qquad": {kind: stop, symbol: 'q'}, "quad": {kind: stop, symbol: 'q'},
	"circ": {kind: unitSign}, "degree": {kind: unitSign}, "percent": {kind: percent},
	"left": {}, "right": {}, "big": {}, "Big": {}, "bigg": {}, "bigl": {}, "bigr": {}, "Bigl": {}, "Bigr": {}, "displaystyle": {}, "boxed": {}, "fbox": {},
	"pi": {kind: opaque, symbol: '\x01'}, "theta": {kind: opaque, symbol: '\x02'}, "alpha": {kind: opaque, symbol: '\x03'},
	"underline": {}, "limits": {}, "hline": {}, "therefore": {kind: stop}, "because": {kind: stop},
}

func (l *lexer) escape(c byte) {
	switch c {
	case '%':
		l.take(2, percent, 0)
	case '$':
		l.take(2, currency, '$')
	case '[', ']', '\\':
		l.pos += 2
		l.endLine(l.pos - 2)
		for c := l.peek(0); c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '&'; c = l.peek(0) {
			l.pos++
		}
	case '{', '}', '|':
		l.take(2, opaque, 0)
	case 0:
		l.skip(1)
	case '(':
		l.take(2, stop, 0)
	case ')':
		l.take(2, stop, ')')
	default: // spaces
		l.skip(2)
	}
}

// argument makes one token of \text{…}, unless its text has a digit.
func (l *lexer) argument(start int) {
	for l.peek(0) == ' ' {
		l.pos++
	}
	rest := l.text[l.pos:min(len(l.text), l.pos+200)]
	n := strings.IndexByte(rest, '}')
	if l.peek(0) != '{' || n < 0 {
		l.emit(opaque, start, 0)
		return
	}
	inside := rest[1:n]
	if strings.ContainsAny(inside, "0123456789{$=\\") {
		l.space = true // read what is inside
		l.stack = append(l.stack, int32(len(l.tokens)))
		l.take(1, open, '{')
		return
	}
	l.pos += n + 1
	t := l.emit(textUnit, start, 0)
	for i, w := range strings.Fields(inside) {
		if c := classify(w); c != plainWord && (c != shareWord || i == 0) {
			t.class = c
			_, t.symbol = measure(w)
			break
		}
	}
	if t.class == percentWord {
		t.kind = percent
	}
}

// environment skips \begin{align*} and ends the line; matrices and cases are not read.
func (l *lexer) environment(start int) {
	if n := strings.IndexByte(l.text[l.pos:min(len(l.text), l.pos+40)], '}'); n >= 0 {
		l.pos += n + 1
	}
	name := l.text[start:l.pos]
	if strings.Contains(name, "matrix") || strings.Contains(name, "array") || strings.Contains(name, "cases") {
		l.emit(opaque, start, 0)
		return
	}
	l.endLine(start)
}
