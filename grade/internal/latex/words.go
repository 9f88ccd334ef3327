package latex

import "strings"

// words reads an answer that is words and not a formula: it begins with a word of three
// letters or more, or is a time of day, and has no operators.
func (p *parser) words() (*Node, bool) {
	var parts []string
	clock := false
	for i, t := range p.tokens {
		lower := strings.ToLower(t.text)
		switch {
		case t.kind == word, t.kind == numeral, t.kind == text:
			parts = append(parts, lower)
			clock = clock || (lower == "am" || lower == "pm") && p.tokens[0].kind == numeral
		case t.kind == mark && t.text == "-" && p.tokens[i+1].kind == numeral:
			return nil, false
		case t.kind == mark && strings.Contains("-'.,:()", t.text), t.kind == end:
		default:
			return nil, false
		}
	}
	joined := strings.Trim(strings.Join(strings.Fields(strings.Join(parts, " ")), " "), " .")
	if synonyms[joined] != "" || joined == "no solution" {
		return spoken(joined), true
	}
	first := p.tokens[0]
	if !clock && (len(first.text) < 3 || first.kind != text && (first.kind != word || known(first.text))) {
		return nil, false
	}
	if first.kind == word && len(p.tokens) > 2 && p.tokens[1].kind == mark && p.tokens[1].text == "(" && !p.tokens[1].spaced {
		return nil, false // a function
	}
	return spoken(joined), true
}

// exception reads "all real numbers except -4".
func exception(s string, limits Limits) *Node {
	const words = "all real numbers except "
	if len(s) <= len(words) || !strings.EqualFold(s[:len(words)], words) {
		return nil
	}
	n, err := Parse(s[len(words):], limits)
	if err != nil {
		return nil
	}
	points := []*Node{n}
	if n.Kind == List {
		points = n.Args
	}
	return &Node{Kind: Minus, Args: []*Node{symbol("mathbb:R"), {Kind: Set, Args: points}}}
}

// spoken reads words that are a number, a set or a list of numbers.
func spoken(words string) *Node {
	if other := synonyms[words]; other != "" {
		words = other
	}
	switch n, isNumber := numerals[words]; {
	case isNumber:
		return number(n)
	case words == "no solution":
		return &Node{Kind: Set}
	case words == "all real numbers":
		return symbol("mathbb:R")
	}
	return &Node{Kind: Text, Name: words}
}

// timeOfDay writes times in one way.
var timeOfDay = strings.NewReplacer("a.m.", "am", "A.M.", "am", "p.m.", "pm", "P.M.", "pm", "a.m", "am", "p.m", "pm", " o'clock", ":00")

// essential cuts what an answer is true for, and why: f(x) = 2x for all x. It cuts
// nothing behind other words, which are no formula.
func essential(tokens []token) []token {
	for i, t := range tokens {
		if i == 0 {
			tokens[0].text, _, _ = strings.Cut(t.text, ", because") // \text{Yes, because } 3>2
			if len(tokens[0].text) < len(t.text) {
				return tokens[:1]
			}
		}
		if i == 0 || t.kind != text && t.kind != word {
			continue
		}
		first, rest, _ := strings.Cut(strings.ToLower(t.text), " ")
		second, _, _ := strings.Cut(rest, " ")
		if t.kind == word && i+1 < len(tokens) {
			second = strings.ToLower(tokens[i+1].text)
		}
		if conditions[first] || conditions[first+" "+second] {
			tokens = tokens[:i]
			break
		}
	}
	for len(tokens) > 0 && tokens[len(tokens)-1].kind == mark && strings.Contains(",;.", tokens[len(tokens)-1].text) {
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

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
	trimmed := strings.TrimSpace(strings.ReplaceAll(content, `\$`, ""))
	plain := strings.Trim(trimmed, "()")
	unit := (l.spaced || len(content) > len(trimmed)) && l.behindNumber() // 5\text{ m}
	if len(plain) == 1 && !unit || isNumeral(plain) || strings.ContainsAny(plain, `\^=<`) || isNumbers(plain) {
		return // the braces stay and are read as a group
	}
	l.i += length + 1
	if trimmed != "" {
		l.emit(text, trimmed)
	}
}

// behindNumber reports whether the last token ends a number or a group.
func (l *lexer) behindNumber() bool {
	if len(l.tokens) == 0 {
		return false
	}
	last := l.tokens[len(l.tokens)-1]
	return last.kind == numeral || last.kind == mark && last.text == "}"
}

// isNumbers reports whether words are a list of numbers: 6 and 8.
func isNumbers(s string) bool {
	list := strings.NewReplacer(" and ", "", " or ", "", " ", "").Replace(s)
	return isNumeral(list)
}

func isNumeral(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) && s[i] != '.' && s[i] != ',' && s[i] != '-' {
			return false
		}
	}
	return s != ""
}
