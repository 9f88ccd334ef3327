package grade

import (
	"iter"
	"strings"
)

// phrases yields what follows "answer is", "answer:" and the like up to the end of
// the line, the last one first.
func phrases(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		const word = "answer"
		for i := len(s) - len(word); i >= 0; i-- {
			if s[i]|0x20 != 'a' || !strings.EqualFold(s[i:i+len(word)], word) {
				continue
			}
			rest, ok := afterVerb(s[i+len(word):])
			if !ok {
				continue
			}
			line, _, _ := strings.Cut(rest, "\n")
			if line = strings.Trim(line, " \t\r*"); line != "" && !yield(line) {
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

// phraseNumber returns the number that a phrase states: in its first sentence if it
// has one there, else anywhere on the line.
func phraseNumber(rest string) (string, bool) {
	if answer, ok := canonicalNumber(sentence(rest)); ok {
		return answer, true
	}
	return canonicalNumber(rest)
}

// phraseText returns the formula or the words that a phrase states.
func phraseText(rest string) string {
	for _, delimiter := range [...][2]string{{"$$", "$$"}, {"$", "$"}, {`\(`, `\)`}, {`\[`, `\]`}} {
		inner, ok := strings.CutPrefix(rest, delimiter[0])
		if !ok {
			continue
		}
		if formula, _, ok := strings.Cut(inner, delimiter[1]); ok && strings.TrimSpace(formula) != "" {
			return strings.TrimSpace(formula)
		}
	}
	text := sentence(rest)
	if i := strings.Index(text, ", "); i >= 0 && !strings.ContainsAny(text[:i], "([{") {
		text = text[:i]
	}
	return strings.Trim(text, " *")
}

// sentence cuts a line at its first full stop.
func sentence(line string) string {
	if i := strings.Index(line, ". "); i >= 0 {
		line = line[:i]
	}
	return strings.TrimRight(line, ". *")
}

// isBare reports whether a text is an answer and not a solution: one short line of
// at most two words outside commands.
func isBare(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) > 200 || strings.ContainsAny(s, "\n?!") {
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
