package grade

import (
	"strings"

	"rcvae/internal/boxed"
)

// extractStrict finds "#### 72".
func extractStrict(solution string) Extraction {
	if answer, ok := hashAnswer(solution); ok {
		return Extraction{answer, "hash"}
	}
	return Extraction{}
}

// extractGSM8K finds a number in the first of these places that has one: behind
// "####", in an answer field of JSON (unless the text closes with a phrase), in the
// last box, in the last phrase, and at last anywhere. A box with words in it ends
// the search.
func extractGSM8K(solution string) Extraction {
	if answer, ok := hashAnswer(solution); ok {
		return Extraction{answer, "hash"}
	}
	closing, closed := closingNumber(solution)
	if answer, ok := fieldAnswer(solution); ok && !closed {
		return Extraction{answer, "field"}
	}
	content, _ := boxed.Last(solution)
	if answer, ok := canonicalNumber(content); ok {
		return Extraction{answer, "boxed"}
	}
	if closed {
		return Extraction{closing, "phrase"}
	}
	if strings.TrimSpace(content) != "" { // \boxed{Sarah} is an answer, but no number
		return Extraction{}
	}
	for rest := range phrases(solution) {
		if answer, ok := phraseNumber(rest); ok {
			return Extraction{answer, "phrase"}
		}
	}
	if answer, ok := lastNumber(solution); ok {
		return Extraction{answer, "number"}
	}
	return Extraction{}
}

// extractMATH finds an answer in LaTeX.
func extractMATH(solution string) Extraction {
	if content, ok := boxes(solution); ok {
		return found(content, "boxed")
	}
	for rest := range phrases(solution) {
		if answer := phraseText(rest); answer != "" {
			return found(answer, "phrase")
		}
	}
	if answer, ok := bareAnswer(solution); ok {
		return found(answer, "bare")
	}
	if answer, ok := lastFormula(solution); ok {
		return found(answer, "formula")
	}
	if answer, ok := lastFraction(solution); ok {
		return Extraction{answer, "number"}
	}
	return Extraction{}
}

// lastFormula returns the last formula of a text, if nothing but a few words and no
// number stands behind it.
func lastFormula(s string) (string, bool) {
	const tail = 60 // bytes behind the formula
	s = strings.TrimRight(s[max(0, len(s)-maxLine-tail):], " \t\r\n.*")
	last, open, closing := -1, "", ""
	for _, d := range [...][2]string{{"$$", "$$"}, {"$", "$"}, {`\(`, `\)`}, {`\[`, `\]`}} {
		i := strings.LastIndex(s, d[1])
		if i > last && (d[0] != "$" || open != "$$" || i != last+1) {
			last, open, closing = i, d[0], d[1]
		}
	}
	if last < 0 || len(s)-last-len(closing) > tail || strings.ContainsAny(s[last:], "0123456789") {
		return "", false
	}
	begin := strings.LastIndex(s[:last], open)
	if begin < 0 || last-begin > maxLine {
		return "", false
	}
	return strings.TrimSpace(s[begin+len(open) : last]), true
}

// lastFraction returns the last number of a text, with the numerator if it is the
// denominator of 2/3.
func lastFraction(s string) (string, bool) {
	answer, ok := lastNumber(s)
	if !ok {
		return "", false
	}
	end := strings.LastIndexAny(s, "0123456789") + 1
	under := digitsStart(s, end)
	if under == 0 || s[under-1] != '/' {
		return answer, true
	}
	over := digitsStart(s, under-1)
	if over == under-1 || over > 0 && (s[over-1] == '/' || s[over-1] == '.') || end-over > maxDigits {
		return answer, true
	}
	if over > 0 && isNegative(s[:over]) {
		over--
	}
	return s[over:end], true
}

// digitsStart returns where the digits that end before s[i] begin.
func digitsStart(s string, i int) int {
	for i > 0 && isDigit(s[i-1]) {
		i--
	}
	return i
}

// found makes an extraction of a text, which is none when the text is blank.
func found(answer, rule string) Extraction {
	if answer = strings.TrimSpace(answer); answer == "" {
		return Extraction{}
	}
	return Extraction{answer, rule}
}

// hashAnswer returns the number behind the last "####". A heading such as
// "#### 1. Count them" is none.
func hashAnswer(s string) (string, bool) {
	for i := strings.LastIndex(s, "####"); i >= 0; i = strings.LastIndex(s[:i], "####") {
		line := strings.TrimLeft(lineAt(s, i+len("####")), " \t$\\*")
		if n, end, ok := scanNumber(line, 0); ok && !strings.HasPrefix(line[end:], ". ") {
			return n.String(), true
		}
	}
	return "", false
}

// fieldAnswer returns the number of the first field "ans", "answer" or
// "final_answer" of a JSON object. The first one counts: models that were asked
// for JSON often go on to questions that nobody asked.
func fieldAnswer(s string) (string, bool) {
	for i := strings.IndexByte(s, '"'); i >= 0; {
		rest := s[i+1:]
		name, value, ok := cutField(rest)
		if ok && isAnswerField(name) {
			value = strings.TrimLeft(value, " \t\r\n\"$")
			if n, _, ok := scanNumber(value, 0); ok {
				return n.String(), true
			}
		}
		next := strings.IndexByte(rest, '"')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return "", false
}

// cutField reads `name":` and returns the name and what follows the colon.
func cutField(s string) (name, value string, ok bool) {
	const longest = len(`final_answer"`)
	end := strings.IndexByte(s[:min(len(s), longest)], '"')
	if end < 0 {
		return "", "", false
	}
	value, ok = strings.CutPrefix(strings.TrimLeft(s[end+1:], " \t"), ":")
	return s[:end], value, ok
}

func isAnswerField(name string) bool {
	for _, known := range [...]string{"ans", "answer", "final_answer"} {
		if strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}
