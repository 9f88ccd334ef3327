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
	l := lexer{s: s, tokens: make([]token, 0, len(s)/2+4), rows: strings.Contains(s, `\begin`)}
	for l.i < len(s) {
		l.next()
	}
	return append(l.tokens, token{kind: end})
}

type lexer struct {
	s      string
	i      int
	depth  int  // of brackets, where a comma separates
	rows   bool // \\ ends a row of a matrix, even before a letter
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

func (l *lexer) bracket(c byte) {
	switch c {
	case '(', '[':
		l.depth++
	case ')', ']':
		l.depth--
	}
}

// runes are characters with a name in LaTeX, or with an ASCII form (one character).
var runes = map[rune]string{
	'\u2212': "-", '–': "-", '×': "times", '·': "times", '⋅': "times", '÷': "/", '√': "sqrt", 'π': "pi", '∞': "infty", '≤': "le", '≥': "ge",
	'≠': "ne", '∪': "cup", '∈': "in", '±': "pm", '≈': "approx", '∠': "angle", 'θ': "theta", 'φ': "varphi", 'α': "alpha", 'β': "beta", '′': "'",
	'⌊': "lfloor", '⌋': "rfloor", '⌈': "lceil", '⌉': "rceil", '°': "degree", 'λ': "lambda",
}

func (l *lexer) rune(r rune) {
	switch name, known := runes[r]; {
	case r == '²' || r == '³':
		l.emit(mark, "^")
		l.emit(numeral, map[rune]string{'²': "2", '³': "3"}[r])
	case r == '€' || r == '£' || r == '\u00a0':
		l.spaced = true
	case !known:
		l.emit(word, string(r))
	case len(name) == 1:
		l.emit(mark, name)
	default:
		l.emit(command, name)
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
	for _, separator := range [...]string{"{,}", `{,}\!`, `,\!`, `,\! `, `{\,}`, `\,`, `\!`, "{, }"} {
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

// skipped are commands without a meaning of their own.
var skipped = map[string]bool{
	"left": true, "right": true, "big": true, "Big": true, "bigl": true, "bigr": true, "Bigl": true, "Bigr": true, "bigg": true, "Bigg": true,
	"quad": true, "qquad": true, "displaystyle": true, "textstyle": true, "limits": true, "hspace": true, "middle": true, "rm": true, "bf": true,
	"": true, "!": true, ",": true, ";": true, ":": true, " ": true, ">": true, "$": true, "(": true, ")": true, "phantom": true, "nobreak": true,
}

// texts are commands whose argument is words.
var texts = map[string]bool{
	"text": true, "mbox": true, "textbf": true, "textit": true, "textrm": true, "textnormal": true, "textsf": true, "hbox": true, "texttt": true,
	"mathrm": true, "mathbf": true, "operatorname": true, "mathit": true, "mathsf": true, "boldsymbol": true, "emph": true,
}

func (l *lexer) command() {
	name, after := commandName(l.s, l.i, l.rows)
	l.i = after
	if rest, ok := strings.CutPrefix(name, "quad"); ok && rest != "" { // \quadx
		l.i -= len(rest)
		name = "quad"
	}
	switch {
	case name == "langle" || name == "rangle": // ⟨1, 2⟩ is a vector, written like a tuple
		bracket := map[string]string{"langle": "(", "rangle": ")"}[name]
		l.bracket(bracket[0])
		l.emit(mark, bracket)
	case name == "lbrace" || name == "rbrace":
		l.emit(command, map[string]string{"lbrace": "{", "rbrace": "}"}[name])
	case texts[name]:
		l.textArgument()
	case skipped[name]:
		l.spaced = true
		if name == "left" || name == "right" { // \left. is no bracket
			if l.i < len(l.s) && l.s[l.i] == '.' {
				l.i++
			}
		}
	default:
		l.emit(command, name)
	}
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

// textArgument reads {words}. Numbers and formulas in it are read as if they stood
// outside.
func (l *lexer) textArgument() {
	for l.i < len(l.s) && l.s[l.i] == ' ' {
		l.i++
	}
	if l.i == len(l.s) || l.s[l.i] != '{' {
		return
	}
	length := strings.IndexByte(l.s[l.i:], '}')
	if length < 0 || strings.IndexByte(l.s[l.i+1:l.i+length], '{') >= 0 {
		return
	}
	content := l.s[l.i+1 : l.i+length]
	trimmed := strings.TrimSpace(content)
	if plain := strings.Trim(trimmed, "()"); len(plain) == 1 || isNumeral(plain) || strings.ContainsAny(plain, `\^=<`) {
		return // the braces stay and are read as a group
	}
	l.i += length + 1
	if trimmed != "" {
		l.emit(text, trimmed)
	}
}

func isNumeral(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) && s[i] != '.' && s[i] != ',' && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
