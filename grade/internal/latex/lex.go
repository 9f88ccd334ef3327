package latex

import (
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	end     tokenKind = iota
	numeral           // digits with an optional decimal point; thousands separators are gone
	word              // letters in a row
	command           // \name, without the backslash
	text              // the content of \text{…}
	mark              // one character
)

type token struct {
	kind   tokenKind
	text   string
	spaced bool // white space before it
}

// lex cuts an answer into tokens and drops what has no meaning: spacing, sizes,
// dollar signs.
func lex(s string) []token {
	if strings.Contains(s, ".m") || strings.Contains(s, ".M") || strings.Contains(s, "o'clock") {
		s = timeOfDay.Replace(s)
	}
	l := lexer{s: s, tokens: make([]token, 0, len(s)/2+4), rows: strings.Contains(s, `\begin`)}
	for l.i < len(s) {
		l.next()
	}
	return append(essential(l.tokens), token{kind: end})
}

type lexer struct {
	s      string
	i      int
	depth  int  // of brackets, where a comma separates
	rows   bool // \\ ends a row of a matrix, even before a letter
	layout bool // in an environment that only lays formulas out
	spaced bool
	tokens []token
}

func (l *lexer) emit(kind tokenKind, text string) {
	l.tokens = append(l.tokens, token{kind, text, l.spaced})
	l.spaced = false
}

func (l *lexer) next() {
	c := l.s[l.i]
	switch {
	case l.layout && c == '&':
		l.i++
	case l.layout && strings.HasPrefix(l.s[l.i:], `\\`):
		l.i += 2
		l.newRow()
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '~' || c == '$' || c == '"':
		l.i++
		l.spaced = true
	case c == '\\':
		l.command()
	case isDigit(c) || c == '.' && l.i+1 < len(l.s) && isDigit(l.s[l.i+1]):
		l.numeral()
	case isLetter(c):
		from := l.i
		for l.i < len(l.s) && isLetter(l.s[l.i]) {
			l.i++
		}
		l.emit(word, l.s[from:l.i])
	case c < utf8.RuneSelf:
		l.bracket(c)
		l.i++
		l.emit(mark, string(c))
	default:
		r, n := utf8.DecodeRuneInString(l.s[l.i:])
		l.i += n
		l.rune(r)
	}
}

// newRow ends a row of formulas. One that begins with a relation goes on with the last.
func (l *lexer) newRow() {
	rest := strings.TrimLeft(l.s[l.i:], "& \t\r\n")
	if rest != "" && !strings.HasPrefix(rest, `\end`) && !strings.ContainsAny(rest[:1], "=<>") {
		l.emit(mark, ",")
	}
}

func (l *lexer) bracket(c byte) {
	switch c {
	case '(', '[':
		l.depth++
	case ')', ']':
		l.depth--
	}
}

func (l *lexer) rune(r rune) {
	switch name, known := runes[r]; {
	case r == '€' || r == '£' || r == '\u00a0':
		l.spaced = true
	case !known:
		l.emit(word, string(r))
	case len(name) == 1:
		l.bracket(name[0])
		l.emit(mark, name)
	case has(name, relation):
		l.emit(mark, commands[name].name)
	default:
		l.emit(command, commands[name].name)
	}
}

// numeral reads 12, 1,234.5, 1{,}234, 1,\!234 and .5.
func (l *lexer) numeral() {
	s, i := l.s, l.i
	var digits strings.Builder
	from := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	digits.WriteString(s[from:i])
	if n := i - from; n >= 1 && n <= 3 {
		for {
			next := thousands(s, i, l.depth == 0)
			if next == 0 {
				break
			}
			digits.WriteString(s[next : next+3])
			i = next + 3
		}
	}
	if i+1 < len(s) && s[i] == '.' && isDigit(s[i+1]) {
		from := i
		for i++; i < len(s) && isDigit(s[i]); i++ {
		}
		digits.WriteString(s[from:i])
	}
	l.i = i
	l.emit(numeral, digits.String())
}

// thousands returns where three digits behind a separator at s[i:] begin, or 0. A
// plain comma is a separator outside of brackets only, and never with a space.
func thousands(s string, i int, plain bool) int {
	next := 0
	for _, separator := range [...]string{"{,}", `{,}\!`, `,\!`, `,\! `, `{\,}`, `\,`, `\!`, "{, }", " {,}", " {, }"} {
		if strings.HasPrefix(s[i:], separator) {
			next = i + len(separator)
		}
	}
	if next == 0 && plain && i < len(s) && s[i] == ',' {
		next = i + 1
	}
	if next == 0 || next+3 > len(s) || !isDigit(s[next]) || !isDigit(s[next+1]) || !isDigit(s[next+2]) {
		return 0
	}
	if next+3 < len(s) && isDigit(s[next+3]) {
		return 0
	}
	return next
}

func (l *lexer) command() {
	name, after := commandName(l.s, l.i, l.rows)
	l.i = after
	if rest, ok := strings.CutPrefix(name, "quad"); ok && rest != "" { // \quadx
		l.i -= len(rest)
		name = "quad"
	}
	switch meant := commands[name]; meant.role {
	case words:
		l.textArgument()
	case skip:
		l.spaced = true
		if (name == "left" || name == "right") && l.i < len(l.s) && l.s[l.i] == '.' { // \left. is no bracket
			l.i++
		}
	case color:
		l.braces()
		l.spaced = true
	case env:
		l.environment(name)
	case relation:
		l.emit(mark, meant.name)
	default:
		l.named(name, meant.name)
	}
}

// named emits a command that the parser knows, or one that it does not.
func (l *lexer) named(name, meant string) {
	switch {
	case name == "langle" || name == "rangle": // ⟨1, 2⟩ is a vector, written like a tuple
		bracket := map[string]string{"langle": "(", "rangle": ")"}[name]
		l.bracket(bracket[0])
		l.emit(mark, bracket)
	case meant == "":
		l.emit(command, name)
	default:
		l.emit(command, meant)
	}
}

// environment reads \begin{name}. What only lays formulas out is dropped, so that its rows
// are a list.
func (l *lexer) environment(name string) {
	from := l.i
	content := l.braces()
	switch strings.TrimSuffix(content, "*") {
	case "aligned", "align", "gathered", "gather", "split", "equation", "displaymath", "math":
		l.layout = name == "begin"
	default:
		l.i = from
		l.emit(command, name)
	}
}

// braces skips {…} without braces in it, and returns the content.
func (l *lexer) braces() string {
	rest := strings.TrimLeft(l.s[l.i:], " ")
	length := strings.IndexByte(rest, '}')
	if length < 0 || rest[0] != '{' {
		return ""
	}
	l.i = len(l.s) - len(rest) + length + 1
	return rest[1:length]
}

// commandName reads the command whose backslash is s[i]. A backslash that was
// escaped once too often is one.
func commandName(s string, i int, rows bool) (name string, after int) {
	i++
	if i == len(s) {
		return "", i
	}
	if s[i] == '\\' && i+1 < len(s) && isLetter(s[i+1]) && (!rows || !spaceBefore(s, i-1)) {
		i++
	}
	from := i
	for i < len(s) && isLetter(s[i]) {
		i++
	}
	if i == from {
		_, n := utf8.DecodeRuneInString(s[i:])
		i += n
	}
	return s[from:i], i
}

// spaceBefore reports whether \\ at s[i] may be a line break of a matrix.
func spaceBefore(s string, i int) bool { return i > 0 && (s[i-1] == ' ' || s[i-1] == '\n') }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
