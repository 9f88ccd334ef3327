package latex

import (
	"strings"
)

// Normal writes an answer so that different ways to write one thing become one, without
// any arithmetic: the tokens that have a meaning, in their order, with braces around
// the arguments of fractions and roots. Units, degrees, percent and currency signs and
// a subject such as "x =" go. It follows the normalisation of Hendrycks et al. (MATH,
// 2021) and Lewkowycz et al. (Minerva, 2022).
func Normal(s string) string {
	tokens := withoutSubject(withoutUnit(lex(s)))
	w := writer{}
	for i := 0; i < len(tokens); i++ {
		i += w.token(tokens[i:])
	}
	out := strings.TrimRight(strings.TrimLeft(w.String(), "="), ".,")
	switch {
	case len(out) == 3 && out[0] == '(' && isLetter(out[1]) && out[2] == ')': // (C)
		return out[1:2]
	case isGroup(out):
		return out[1 : len(out)-1]
	case out == "0.5":
		return `\frac{1}{2}`
	}
	if over, under, ok := strings.Cut(out, "/"); ok && isDigits(over) && isDigits(under) {
		return `\frac{` + over + "}{" + under + "}"
	}
	return out
}

// writer writes tokens and braces the arguments that have none.
type writer struct {
	strings.Builder
	wanted  int   // arguments that may still come without braces
	outside []int // wanted, outside each open brace
	script  bool  // behind ^ or _
	numeral bool  // behind a number
}

// token writes the first token and returns how many more it has read.
func (w *writer) token(tokens []token) (more int) {
	t := tokens[0]
	script, numeralBefore := w.script, w.numeral
	w.script, w.numeral = false, t.kind == numeral
	switch {
	case t.kind == end, t.text == "%", t.text == "degree":
		return 0
	case t.text == "^" && behind(tokens, "degree"):
		return 1
	case t.text == "^" && behind(tokens, "{", "degree", "}"):
		return 3
	case t.text == "^", t.text == "_":
		w.script = true
	case t.text == "{" && t.kind == mark:
		if script && len(tokens) > 2 && len(tokens[1].text) == 1 && tokens[2].text == "}" { // x^{2}
			w.WriteString(tokens[1].text)
			return 2
		}
		w.outside = append(w.outside, max(0, w.wanted-1))
		w.wanted = 0
	case t.text == "}" && t.kind == mark:
		if n := len(w.outside); n > 0 {
			w.wanted = w.outside[n-1]
			w.outside = w.outside[:n-1]
		}
	case t.kind == numeral, t.kind == word:
		w.letters(t, numeralBefore)
		return 0
	case t.kind == command:
		w.command(t.text)
		return 0
	}
	if t.kind == text {
		w.WriteString(strings.ReplaceAll(t.text, " ", ""))
	} else {
		w.WriteString(t.text)
	}
	return 0
}

func (w *writer) command(name string) {
	switch {
	case w.wanted > 0 && has(name, letter):
		w.WriteString(`{\` + name + "}")
		w.wanted--
		return
	case name == "frac":
		w.wanted = 2
	case name == "sqrt":
		w.wanted = 1
	}
	w.WriteString(`\` + name)
}

// letters writes a number or letters. An argument without braces is one character.
func (w *writer) letters(t token, numeralBefore bool) {
	s := t.text
	for ; w.wanted > 0 && s != ""; w.wanted-- {
		w.WriteString("{" + s[:1] + "}")
		s = s[1:]
	}
	if s == "" {
		return
	}
	switch {
	case t.kind == numeral && numeralBefore && t.spaced: // 1 1/4 is not 11/4
		w.WriteByte(' ')
	case s[0] == '.':
		w.WriteByte('0')
	}
	w.WriteString(s)
}

// behind reports whether these tokens stand behind the first.
func behind(tokens []token, texts ...string) bool {
	if len(tokens) <= len(texts) {
		return false
	}
	for i, want := range texts {
		if tokens[i+1].text != want {
			return false
		}
	}
	return true
}

// withoutUnit removes words behind a number, such as \text{ cm}^2, but no time of day
// and no million.
func withoutUnit(tokens []token) []token {
	last := len(tokens) - 2 // before the end
	if last > 1 && tokens[last-1].text == "^" {
		last -= 2
	}
	if last < 1 || tokens[last].kind != text || scales[strings.ToLower(tokens[last].text)] > 0 {
		return tokens
	}
	if lower := strings.ToLower(tokens[last].text); lower == "am" || lower == "pm" {
		return tokens
	}
	for _, t := range tokens[:last] {
		if t.kind == numeral {
			return tokens[:last]
		}
	}
	return tokens
}

// withoutSubject removes x=, f(x)= and x\in from the front.
func withoutSubject(tokens []token) []token {
	if len(tokens) < 2 || tokens[0].kind != word || len(tokens[0].text) != 1 {
		return tokens
	}
	rest := tokens[1:]
	if len(rest) > 3 && rest[0].text == "(" && rest[1].kind == word && len(rest[1].text) == 1 && rest[2].text == ")" {
		rest = rest[3:]
	}
	if rest[0].kind == mark && (rest[0].text == "=" || rest[0].text == "in") {
		return rest[1:]
	}
	return tokens
}

// isGroup reports whether s is one pair of braces and what is in it.
func isGroup(s string) bool {
	if len(s) < 3 || s[0] != '{' {
		return false
	}
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i == len(s)-1
			}
		}
	}
	return false
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
