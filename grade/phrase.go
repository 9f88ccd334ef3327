package grade

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxLine    = 2000 // bytes of a line that are looked at
	maxPhrases = 64   // phrases of a solution that are looked at
)

func runeAt(s string, i int) rune {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return r
}

func runeSize(s string, i int) int {
	_, n := utf8.DecodeRuneInString(s[i:])
	return n
}

// lineAt returns the rest of the line at s[i:], cut at maxLine bytes.
func lineAt(s string, i int) string {
	line, _, _ := strings.Cut(s[i:min(len(s), i+maxLine)], "\n")
	return line
}

// phrases yields what follows "answer is", "answer:" and the like, the last one first;
// in the languages of the table if there is none in English.
func phrases(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		left, found := maxPhrases, false
		for _, end := range slices.Backward(answerEnds(s)) {
			if left == 0 {
				return
			}
			rest, ok := afterVerb(s[end:], verbs)
			if !ok {
				continue
			}
			left--
			found = true
			if rest = strings.Trim(rest, " \t\r\n*"); rest != "" && !yield(rest) {
				return
			}
		}
		if !found {
			foreignPhrases(s, yield)
		}
	}
}

// answerEnds returns where the words "answer", "Answer" and "ANSWER" end. It looks for
// their rarest letter.
func answerEnds(s string) []int {
	var ends []int
	for _, word := range [...]string{"nswer", "NSWER"} {
		for i := 0; ; i++ {
			next := strings.IndexByte(s[i:], word[2])
			if next < 0 {
				break
			}
			i += next
			if i >= 3 && s[i-3]|0x20 == 'a' && strings.HasPrefix(s[i-2:], word) {
				ends = append(ends, i+3)
			}
		}
	}
	slices.Sort(ends)
	return ends
}

// answers are the words for "answer" in other languages, without a first letter that
// may be large or small.
var answers = [...]string{"答案", "答え", "解答", "答", "정답", "답", "твет", "ідповідь", "espuesta", "éponse", "ntwort", "rgebnis", "isposta", "esposta", "dpowiedź", "ntwoord", "evap", "awaban", "áp án", "áp số",
	"الجواب", "الإجابة", "উত্তর", "उत्तर", "సమాధానం", "คำตอบ", "ibu ni", "svar"}

// foreignPhrases yields what follows the last word of each language.
func foreignPhrases(s string, yield func(string) bool) {
	for _, english := range [...]string{" the ", " is ", "The ", " are "} {
		if strings.Contains(s, english) {
			return
		}
	}
	ascii := isASCII(s)
	for _, word := range answers {
		if ascii && word[0] >= utf8.RuneSelf {
			continue
		}
		i := strings.LastIndex(s, word)
		if i < 0 {
			continue
		}
		rest, ok := afterVerb(s[i+len(word):], foreignVerbs)
		if !ok {
			rest = strings.TrimLeft(s[i+len(word):], " *")
			ok = rest != "" && (isDigit(rest[0]) || strings.ContainsAny(rest[:1], `$\-`))
		}
		if rest = strings.Trim(rest, " \t\r\n*"); ok && rest != "" && !yield(rest) {
			return
		}
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// verbs join "answer" with the answer.
var verbs = []string{":", "is", "=", "would be", "will be"}

var foreignVerbs = []string{":", "=", "final es", "finale est", "final é", "final", "es", "est", "ist", "è", "é", "wynosi", "to", "is", "är", "adalah", "là", "应为", "是", "为", "為", "は", "은", "는", "هو", "هي", "है", "হল", "হলো", "это", "равен", "-", "—"}

// afterVerb skips the word that joins "answer" with the answer.
func afterVerb(s string, verbs []string) (rest string, ok bool) {
	s = strings.TrimLeft(s, " \t\r\n*_")
	for _, verb := range verbs {
		if len(s) >= len(verb) && strings.EqualFold(s[:len(verb)], verb) {
			rest = s[len(verb):]
			if isLetter(verb[0]) && rest != "" && isLetter(rest[0]) {
				continue // "answer isn't"
			}
			return strings.TrimLeft(rest, ": \t\r\n*_"), true
		}
	}
	return "", false
}

// closingNumber returns the number of a phrase on the last line.
func closingNumber(s string) (*number, bool) {
	s = strings.TrimRight(s, " \t\r\n")
	for rest := range phrases(s[strings.LastIndexByte(s, '\n')+1:]) {
		return phraseNumber(rest)
	}
	return nil, false
}

// phraseNumber returns the number that a phrase states: in its first sentence if
// it has one there, else anywhere on the line. Where an explanation follows instead
// of an answer, its last number counts.
func phraseNumber(rest string) (*number, bool) {
	const shortest = 40 // bytes of a sentence that explains
	if formula := leadingFormula(rest); strings.Contains(formula, "\n") || strings.HasPrefix(rest, "$$") || strings.HasPrefix(rest, `\[`) {
		if n, ok := numberIn(formula); ok {
			return n, true
		}
	}
	rest = lineAt(rest, 0)
	first := sentence(rest)
	if len(rest) > len(first)+3 && (len(first) > shortest && firstWordIsLong(first) || strings.Contains(rest[len(first):], " = ")) {
		return lastNumber(rest)
	}
	if i := strings.IndexByte(first, '$'); i > 0 && isLetter(first[0]) { // "after 2 years she has $600"
		first = first[i:]
	}
	if n, ok := numberOfWords(plainNumbers(first)); ok {
		return n, true
	}
	if n, ok := numberOfWords(plainNumbers(rest)); ok {
		return n, true
	}
	return numberIn(first) // eighteen
}

// firstWordIsLong reports whether a sentence begins with a word and not with a number.
func firstWordIsLong(s string) bool { return s != "" && !isDigit(s[0]) && s[0] != '$' && s[0] != '-' }

// phraseText returns the formula or the words that a phrase states. Of a sentence of
// many words it takes what stands behind the last "is", or its first formula.
func phraseText(rest string) string {
	rest = strings.TrimLeft(rest, "} ")
	if fenced, ok := strings.CutPrefix(rest, "```"); ok { // ```latex
		_, rest, _ = strings.Cut(fenced, "\n")
		rest, _, _ = strings.Cut(rest, "```")
	}
	if formula := leadingFormula(rest); formula != "" {
		return formula
	}
	text := withoutClosers(sentence(strings.TrimSpace(lineAt(rest, 0))))
	clause := withoutReason(text)
	if isAnswer(clause) {
		return strings.Trim(clause, " *")
	}
	if i := strings.LastIndex(text, " is "); i >= 0 {
		return phraseText(text[i+len(" is "):])
	}
	if run, ok := formulaIn(clause, true); ok {
		return run
	}
	return strings.Trim(clause, " *")
}

// withoutClosers removes signs that close what was opened before the answer: \], $ or }.
func withoutClosers(s string) string {
	for {
		before := s
		for _, closer := range [...][2]string{{`\]`, `\[`}, {`\)`, `\(`}, {"$$", "$$"}, {"$", "$"}, {"}", "{"}} {
			if cut, ok := strings.CutSuffix(s, closer[0]); ok && strings.Count(cut, closer[1]) <= strings.Count(cut, closer[0]) {
				if closer[0] == closer[1] && strings.Count(cut, closer[0])%2 == 1 {
					continue
				}
				s = strings.TrimRight(cut, " .")
			}
		}
		if s == before {
			return s
		}
	}
}

// reasons begin what stands behind an answer and is no part of it.
var reasons = [...]string{" since ", " because ", " as there ", " as we ", " as it ", " and we ", " and so ", " so ", " which ", " where ", " given ", " when ", " assuming ", " after ", " for all ", " for each ", " per ", " considering "}

// withoutReason cuts reasons, clauses behind a comma that are no list, and words in
// brackets.
func withoutReason(text string) string {
	lower := strings.ToLower(text)
	for _, reason := range reasons {
		if i := strings.Index(lower, reason); i > 0 && len(lower) == len(text) {
			text, lower = text[:i], lower[:i]
		}
	}
	bracket := strings.IndexAny(text, "([{")
	for i := range len(text) - 1 {
		if text[i] != ',' && text[i] != ' ' {
			continue
		}
		next := strings.TrimLeft(text[i+1:], " ")
		switch {
		case next == "" || bracket >= 0 && bracket < i:
		case text[i] == ',' && startsProse(next), text[i] == ' ' && next[0] == '(' && hasProse(next):
			return strings.TrimSpace(text[:i])
		}
	}
	if i := strings.IndexByte(text, '('); i > 0 && isDigit(text[i-1]) && hasProse(text[i:]) {
		return text[:i]
	}
	return text
}

// startsProse reports whether a text begins with a word of a language.
func startsProse(s string) bool {
	if r := runeAt(s, 0); r >= utf8.RuneSelf {
		return unicode.IsLetter(r)
	}
	return len(s) > 1 && isLetter(s[0]) && (isLetter(s[1]) || s[1] == ' ' && s[0] == 'a')
}

// delimiters stand around formulas.
var delimiters = [...][2]string{{"$$", "$$"}, {"$", "$"}, {`\(`, `\)`}, {`\[`, `\]`}}

// leadingFormula returns the formula with which a phrase begins, over several lines too.
func leadingFormula(rest string) string {
	rest = rest[:min(len(rest), maxLine)]
	for _, delimiter := range delimiters {
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

// hideEscapes replaces each escaped dollar sign by two other bytes.
func hideEscapes(s string) string { return strings.ReplaceAll(s, `\$`, "  ") }

// sentence cuts a line at its first full stop.
func sentence(line string) string {
	if i := strings.Index(line, ". "); i >= 0 {
		line = line[:i]
	}
	return strings.TrimRight(line, ". *")
}
