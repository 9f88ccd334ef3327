package grade

import (
	"slices"
	"strings"

	"rcvae/grade/internal/latex"
)

const maxBare = 200 // bytes of an answer without a solution

// bareAnswer returns a text that is an answer and nothing else, without the word
// "answer", the delimiters and the emphasis around it.
func bareAnswer(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if fenced, ok := strings.CutPrefix(s, "```"); ok {
		_, s, _ = strings.Cut(strings.TrimSuffix(fenced, "```"), "\n")
	}
	s = strings.Trim(strings.TrimSpace(s), "*`_ ")
	const word = "answer"
	if len(s) > len(word) && strings.EqualFold(s[:len(word)], word) {
		s = strings.TrimSpace(s[len(word):])
	}
	if inner := stripDelimiters(s); inner != s && len(inner) <= maxBare {
		return inner, true
	}
	if len(s) <= maxBare && !isAnswer(s) {
		s = withoutReason(s)
	}
	return s, isAnswer(s)
}

// months begin a date, which is no number.
var months = " january february march april may june july august september october november december "

// isAnswer reports whether a text is an answer and no sentence: one short line of
// mathematics, a number and its unit, or at most two words.
func isAnswer(s string) bool {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxBare || strings.ContainsAny(s, "\n?") || strings.Contains(s, "! ") {
		return false
	}
	first, count, foreign := -1, 0, false
	last := ""
	for from, to := range proseSpans(s) {
		if first < 0 {
			first = from
		}
		count++
		last = strings.ToLower(s[from:to])
		foreign = foreign || s[from] >= 0x80
	}
	digit := strings.IndexAny(s, "0123456789")
	switch {
	case count == 0:
		return true
	case foreign:
		return false
	case digit < 0 && !strings.ContainsAny(s, `\=`):
		return count <= 2 && !strings.Contains(s, " is ") || strings.HasPrefix(strings.ToLower(s), "all real")
	case first > digit && digit >= 0 && !hasLetterBefore(s[:digit]), first > 0 && s[0] == '\\' || first > 0 && s[0] == '$':
		return count <= 3 && !strings.Contains(s, ", ")
	case strings.HasPrefix(strings.ToLower(s), "all real"):
		return true
	}
	return count == 1 && strings.Contains(months, " "+last+" ")
}

func hasLetterBefore(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r > ' ' && r < 0x80 && isLetter(byte(r)) })
}

// formulaIn returns the last formula of a line of words, or the first: what stands
// between two words and has a number or a command in it.
func formulaIn(line string, first bool) (string, bool) {
	begin := 0
	var pieces []string
	for from, to := range proseSpans(line) {
		pieces = append(pieces, line[begin:from])
		begin = to
		if first && to < len(line) && line[to] == '(' { // str(2*3): code states no formula
			return "", false
		}
	}
	pieces = append(pieces, line[begin:])
	if !first {
		slices.Reverse(pieces)
	}
	for _, piece := range pieces {
		if run, ok := formula(piece); ok {
			return run, true
		}
	}
	return "", false
}

// formula trims what stands between words to the formula in it.
func formula(piece string) (string, bool) {
	piece = trimPunctuation(piece)
	for _, open := range [...]string{`\(`, `\[`} {
		if rest, ok := strings.CutPrefix(piece, open); ok {
			piece = strings.TrimSpace(rest)
		}
	}
	for _, lead := range [...]string{"s ", "and ", "or ", "a ", "A ", "I "} {
		if rest, ok := strings.CutPrefix(piece, lead); ok && rest != "" && !strings.ContainsAny(rest[:1], "=<>+*/^") {
			piece = strings.TrimSpace(rest)
		}
	}
	for _, tail := range [...]string{" and", " or", " a", " I"} {
		piece = strings.TrimSpace(strings.TrimSuffix(piece, tail))
	}
	piece = trimPunctuation(piece)
	if !strings.ContainsAny(piece, "0123456789\\") {
		return "", false
	}
	if n, unit, ok := scanNumber(piece, 0); ok && isArea(piece[unit:]) {
		return n.String(), true
	}
	if len(piece) <= maxBare {
		if _, err := latex.Parse(piece, latex.DefaultLimits()); err == nil {
			return piece, true
		}
	}
	all := numbers(plainNumbers(piece))
	if len(all) == 0 {
		return "", false
	}
	return all[len(all)-1].String(), true
}

// isArea reports whether a text is a unit of area or volume: m^2, cm^{3}.
func isArea(s string) bool {
	unit, exponent, _ := strings.Cut(strings.TrimSpace(s), "^")
	exponent = strings.Trim(exponent, "{}")
	return (unit == "m" || unit == "cm" || unit == "km" || unit == "mm" || unit == "ft") && (exponent == "2" || exponent == "3")
}

// trimPunctuation removes what ends sentences and stands around formulas.
func trimPunctuation(s string) string {
	s = strings.Trim(s, " \t\r\n.,;:*_`'\"?")
	opened, closed := strings.Count(s, "(")+strings.Count(s, "["), strings.Count(s, ")")+strings.Count(s, "]")
	switch { // "(6)" stays, of "5 (" and "5)" the bracket goes
	case s == "":
	case opened > closed && strings.ContainsAny(s[len(s)-1:], "(["):
		s = s[:len(s)-1]
	case opened < closed && strings.ContainsAny(s[:1], ")]"):
		s = s[1:]
	case opened < closed && strings.ContainsAny(s[len(s)-1:], ")]"):
		s = s[:len(s)-1]
	}
	return strings.Trim(stripDelimiters(s), "$ ,.")
}

// lastFormula returns the last formula of a text, if nothing but a few words and no
// number stands behind it.
func lastFormula(s string) (string, bool) {
	const tail = 60 // bytes behind the formula
	s = strings.TrimRight(s[max(0, len(s)-maxLine-tail):], " \t\r\n.*")
	behind := max(0, len(s)-tail-len("$$"))
	last, open, closing := -1, "", ""
	for _, d := range delimiters {
		i := strings.LastIndex(s[behind:], d[1]) + behind
		if i >= behind && i > last && (d[0] != "$" || open != "$$" || i != last+1) {
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

// endsSentence reports whether a text is not broken off: it is short, or ends a sentence.
func endsSentence(s string) bool {
	s = strings.TrimRight(s, " \t\r\n")
	return len(s) <= maxBare || strings.ContainsAny(s[len(s)-1:], ".!?:*)}$]`")
}

// tail returns the last words of a line.
func tail(line string) string {
	const most = 40
	if len(line) <= most {
		return line
	}
	line = line[len(line)-most:]
	return line[strings.IndexByte(line, ' ')+1:]
}

// lastWord returns the word that a text without any number states: in bold, or behind
// the last "is".
func lastWord(s string) (string, bool) {
	line := strings.TrimRight(s[max(0, len(s)-maxLine):], " \t\r\n.")
	line = line[strings.LastIndexByte(line, '\n')+1:]
	if strings.ContainsAny(line, "0123456789") {
		return "", false
	}
	if parts := strings.Split(line, "**"); len(parts) > 2 {
		word := strings.Trim(parts[len(parts)-2], " .:")
		if len(strings.Fields(word)) <= 2 && word != "" {
			return word, true
		}
	}
	if i := strings.LastIndex(line, " is "); i >= 0 {
		word := strings.Trim(line[i+len(" is "):], " .*")
		return word, len(strings.Fields(word)) == 1
	}
	i := strings.LastIndexByte(line, ' ') + 1
	isName := len(line) <= maxBare && i > 0 && line[i] >= 'A' && line[i] <= 'Z' // it falls on a Monday
	return line[i:], isName
}
