package grade

import (
	"iter"
	"strings"
)

const (
	maxLine    = 2000 // bytes of a line that are looked at
	maxPhrases = 64   // phrases of a solution that are looked at
)

// lineAt returns the rest of the line at s[i:], cut at maxLine bytes.
func lineAt(s string, i int) string {
	line, _, _ := strings.Cut(s[i:min(len(s), i+maxLine)], "\n")
	return line
}

// phrases yields what follows "answer is", "answer:" and the like up to the end of
// the line, the last one first.
func phrases(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		const word = "answer"
		left := maxPhrases
		for i := len(s) - len(word); i >= 0 && left > 0; i-- {
			if s[i]|0x20 != 'a' || !strings.EqualFold(s[i:i+len(word)], word) {
				continue
			}
			rest, ok := afterVerb(s[i+len(word):])
			if !ok {
				continue
			}
			left--
			line := strings.Trim(lineAt(rest, 0), " \t\r*")
			if line != "" && !yield(line) {
				return
			}
		}
	}
}

// afterVerb skips the word that joins "answer" with the answer.
func afterVerb(s string) (rest string, ok bool) {
	s = strings.TrimLeft(s, " \t\r\n*_")
	for _, verb := range [...]string{":", "is", "=", "would be", "will be"} {
		if len(s) >= len(verb) && strings.EqualFold(s[:len(verb)], verb) {
			rest = s[len(verb):]
			if verb[0] >= 'a' && rest != "" && isLetter(rest[0]) {
				return "", false // "answer isn't"
			}
			return strings.TrimLeft(rest, ": \t\r\n*_"), true
		}
	}
	return "", false
}

// closingNumber returns the number of a phrase on the last line.
func closingNumber(s string) (string, bool) {
	s = strings.TrimRight(s, " \t\r\n")
	for rest := range phrases(s[strings.LastIndexByte(s, '\n')+1:]) {
		return phraseNumber(rest)
	}
	return "", false
}

// phraseNumber returns the number that a phrase states: in its first sentence if
// it has one there, else anywhere on the line. Where an explanation follows instead
// of an answer, its last number counts.
func phraseNumber(rest string) (string, bool) {
	const shortest = 40 // bytes of a sentence that explains
	first := sentence(rest)
	if len(rest) > len(first)+3 && (len(first) > shortest || strings.Contains(rest[len(first):], " = ")) {
		return lastNumber(rest)
	}
	if i := strings.IndexByte(first, '$'); i > 0 && isLetter(first[0]) { // "after 2 years she has $600"
		first = first[i:]
	}
	if answer, ok := canonicalNumber(first); ok {
		return answer, true
	}
	return canonicalNumber(rest)
}

// phraseText returns the formula or the words that a phrase states. Of a sentence of
// many words it takes what stands behind the last "is", or the only number.
func phraseText(rest string) string {
	if formula := leadingFormula(rest); formula != "" {
		return formula
	}
	text := sentence(rest)
	clause := beforeClause(text)
	if !isBare(clause) {
		if i := strings.LastIndex(text, " is "); i >= 0 {
			return phraseText(text[i+len(" is "):])
		}
		if n, ok := onlyNumber(text); ok {
			return n
		}
	}
	return strings.Trim(clause, " *")
}

// beforeClause cuts a clause that follows behind a comma, but no list.
func beforeClause(text string) string {
	for i := range len(text) - 2 {
		if text[i] == ',' && text[i+1] == ' ' && isLetter(text[i+2]) && !strings.ContainsAny(text[:i], "([{") {
			return text[:i]
		}
	}
	return text
}

// leadingFormula returns the formula with which a phrase begins.
func leadingFormula(rest string) string {
	for _, delimiter := range [...][2]string{{"$$", "$$"}, {"$", "$"}, {`\(`, `\)`}, {`\[`, `\]`}} {
		inner, ok := strings.CutPrefix(rest, delimiter[0])
		if !ok {
			continue
		}
		if formula, _, ok := strings.Cut(hideEscapes(inner), delimiter[1]); ok && strings.TrimSpace(formula) != "" {
			return strings.TrimSpace(inner[:len(formula)])
		}
	}
	return ""
}

// onlyNumber returns the number of a text of words that holds exactly one.
func onlyNumber(text string) (string, bool) {
	if strings.ContainsAny(text, "$\\=^(") {
		return "", false
	}
	n, ok := lastNumber(text)
	i := strings.IndexAny(text, "0123456789")
	if !ok || i < 0 || literalEnd(text, i) <= strings.LastIndexAny(text, "0123456789") {
		return "", false
	}
	return n, true
}

// hideEscapes replaces each escaped dollar sign by two other bytes.
func hideEscapes(s string) string { return strings.ReplaceAll(s, `\$`, "  ") }

// sentence cuts a line at its first full stop.
func sentence(line string) string {
	if i := strings.Index(line, ". "); i >= 0 {
		line = line[:i]
	}
	return strings.TrimRight(line, ". *")
}

// bareAnswer returns a text that is an answer and nothing else, without the word
// "answer" and the delimiters around it.
func bareAnswer(s string) (string, bool) {
	s = strings.TrimSpace(s)
	const word = "answer"
	if len(s) > len(word) && strings.EqualFold(s[:len(word)], word) {
		s = strings.TrimSpace(s[len(word):])
	}
	if inner := stripDelimiters(s); inner != s && len(inner) <= maxBare {
		return inner, true
	}
	return s, isBare(s)
}

const maxBare = 200 // bytes of an answer without a solution

// isBare reports whether a text is an answer and not a solution: one short line of
// at most two words outside commands.
func isBare(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) > maxBare || strings.ContainsAny(s, "\n?!") {
		return false
	}
	words, letters := 0, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			for i+1 < len(s) && isLetter(s[i+1]) {
				i++
			}
		case isLetter(s[i]):
			letters++
			if letters == 2 {
				words++
			}
			continue
		}
		letters = 0
	}
	return words <= 2
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
