package grade

import (
	"math/big"
	"strings"
	"unicode"

	"rcvae/grade/internal/algebra"
	"rcvae/grade/internal/latex"
)

// numberIn returns the number that a short answer is: "\$1,234.50", "3 + 4 = 7",
// "\frac{3}{4}", "2 1/2 hours", "15\%". Of an equation the last side counts. An answer of
// words, "6 boxes (3 red and 3 blue)", is its first number. A root, a list, an interval
// or a formula with variables is none.
func numberIn(answer string) (*number, bool) {
	if answer == "" || len(answer) > maxAnswer {
		return nil, false
	}
	if isInteger(answer) {
		return parseLiteral(answer)
	}
	text := plainNumbers(answer)
	side := text[strings.LastIndexByte(text, '=')+1:]
	if n, ok := soleNumber(side); ok {
		if loss := strings.TrimSpace(answer); strings.HasPrefix(loss, "($") && strings.HasSuffix(loss, ")") { // how accounts write −5
			n.Neg(&n.Rat)
		}
		return n, true
	}
	if hasProse(answer) && strings.ContainsAny(answer, "0123456789") {
		return numberOfWords(text)
	}
	tree, err := latex.Parse(answer, latex.DefaultLimits())
	if err != nil {
		return nil, false
	}
	value, ok := algebra.Number(tree, numberLimits())
	if !ok || value.Num().BitLen()+value.Denom().BitLen() > 4*maxDigits {
		return nil, false
	}
	return &number{Rat: *new(big.Rat).Set(value), decimal: algebra.IsDecimal(tree)}, true
}

// numberOfWords returns the first number behind the last "=" that has one.
func numberOfWords(text string) (*number, bool) {
	for {
		i := strings.LastIndexByte(text, '=')
		if n, ok := firstNumber(text[i+1:]); ok {
			return n, true
		}
		if i < 0 {
			return nil, false
		}
		text = text[:i]
	}
}

// soleNumber reads a text that is one number, with nothing but words around it.
func soleNumber(s string) (*number, bool) {
	begin := strings.IndexAny(s, "-.0123456789\\")
	if begin < 0 {
		return nil, false
	}
	if s[begin] == '.' && (begin+1 == len(s) || !isDigit(s[begin+1])) {
		return nil, false
	}
	n, end, ok := scanNumber(s, begin)
	if !ok {
		return nil, false
	}
	n.Add(&n.Rat, minutes(s, end))
	if end < len(s) && s[end] == ':' && digitsEnd(s, end+1) == end+3 {
		end += len(":00")
	}
	return n, isWords(s[:begin], false) && isWords(s[end:], true)
}

// isWords reports whether a text beside a number is words and no mathematics. A single
// letter behind a number is a unit only if a space stands between.
func isWords(s string, behind bool) bool {
	letters := 0
	for i, r := range s + " " {
		if unicode.IsLetter(r) {
			letters++
			continue
		}
		if letters == 1 && (!behind || i == 1) && r < 0x80 && isLetter(s[i-1]) {
			return false // a variable
		}
		letters = 0
		if !strings.ContainsRune(" .?!:'\"$*~≈()}\n\t€£¥/", r) || r == '(' && behind && strings.TrimSpace(s[:i]) == "" {
			return false
		}
	}
	return true
}

// hasProse reports whether a text has words of a language outside of its formulas.
func hasProse(s string) bool { return proseWords(s) > 0 }

// proseWords counts the words outside of commands that mean nothing in a formula. A run
// of letters that are not Latin or Greek is a sentence.
func proseWords(s string) int {
	count := 0
	for range proseSpans(s) {
		count++
	}
	return count
}

// proseSpans yields where the words of a language stand in a text.
func proseSpans(s string) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		for i := 0; i < len(s); {
			from := i
			switch {
			case s[i] == '\\':
				for i++; i < len(s) && isLetter(s[i]); i++ {
				}
			case isLetter(s[i]):
				for i < len(s) && (isLetter(s[i]) || s[i] >= 0x80 && unicode.Is(unicode.Latin, runeAt(s, i))) {
					i += runeSize(s, i)
				}
				if word := s[from:i]; len(word) > 1 && !latex.Known(word) && !isName(word) && !yield(from, i) {
					return
				}
			case s[i] >= 0x80 && isForeign(runeAt(s, i)):
				for i < len(s) && s[i] >= 0x80 && unicode.In(runeAt(s, i), unicode.L, unicode.M) {
					i += runeSize(s, i)
				}
				i = max(i, from+runeSize(s, from))
				if !yield(from, i) {
					return
				}
			default:
				i += runeSize(s, i)
			}
		}
	}
}

// isName reports whether letters name points: AB, ABC.
func isName(s string) bool { return len(s) <= 3 && strings.ToUpper(s) == s }

// isForeign reports whether a letter is neither Latin, Greek nor a sign of mathematics.
func isForeign(r rune) bool {
	return unicode.IsLetter(r) && !unicode.Is(unicode.Greek, r)
}

// plainNumbers rewrites what stands around numbers in LaTeX and in money.
func plainNumbers(s string) string {
	if strings.ContainsAny(s, "\\$%{") {
		for i := strings.IndexByte(s, '$'); i >= 0 && i < len(s); { // $1.2k
			if _, end, ok := scanLiteral(s, i+1); ok && end < len(s) && s[end]|0x20 == 'k' && (end+1 == len(s) || !isLetter(s[end+1])) {
				s = s[:end] + " thousand" + s[end+1:]
			}
			next := strings.IndexByte(s[i+1:], '$')
			if next < 0 {
				break
			}
			i += 1 + next
		}
		s = numberMarks.Replace(s)
	}
	return s
}

var numberMarks = strings.NewReplacer(`\$`, "", "$", "", `\%`, "", "%", "", `\!`, "", "{,}", ",", `\,`, "", `\ `, " ", "~", " ",
	`\dfrac`, `\frac`, `\tfrac`, `\frac`, `\cfrac`, `\frac`, `\text{`, " ", `\mathrm{`, " ", `\mathbf{`, " ", `\textbf{`, " ", `\mbox{`, " ", `\approx`, "")

// firstNumber reads the first number of a text. A time of day is a number of hours.
func firstNumber(s string) (*number, bool) {
	for i := 0; i < len(s); i++ {
		if n, end, ok := scanNumber(s, i); ok {
			n.Add(&n.Rat, minutes(s, end))
			return n, true
		}
	}
	return nil, false
}

// minutes reads the ":30" of a time of day, in hours.
func minutes(s string, i int) *big.Rat {
	if i+3 > len(s) || s[i] != ':' || s[i+1] > '5' || digitsEnd(s, i+1) != i+3 || i+3 < len(s) && s[i+3] == ':' {
		return new(big.Rat)
	}
	return big.NewRat(int64(s[i+1]-'0')*10+int64(s[i+2]-'0'), 60)
}

// lastNumber returns the number with which a solution ends: the first behind the last
// "=" of the last line that has a number, and else the last of that line. What stands
// behind it in brackets only explains it.
func lastNumber(s string) (*number, bool) {
	line := lastLine(s)
	if end := strings.LastIndexAny(line, "0123456789"); end > 0 { // its last sentence that has a number
		line = line[strings.LastIndex(line[:end], ". ")+1:]
	}
	for _, clause := range [...]string{", which ", " because ", " since "} {
		if i := strings.Index(line, clause); i > 0 && strings.ContainsAny(line[:i], "0123456789") {
			line = line[:i]
		}
	}
	if i := strings.LastIndexByte(line, '='); i >= 0 {
		if n, ok := resultBehind(plainNumbers(line[i+1:])); ok {
			return n, true
		}
	}
	if i := strings.LastIndexByte(line, '('); i > 0 && line[i-1] != '\\' && hasProse(line[:i]) && strings.ContainsAny(line[:i], "0123456789") {
		if rest := line[i:]; strings.Trim(rest[strings.IndexByte(rest, ')')+1:], " .!*\r") == "" {
			line = line[:i]
		}
	}
	all := numbers(plainNumbers(line))
	if len(all) == 0 {
		return nil, false
	}
	return all[len(all)-1], true
}

// resultBehind returns the first number behind "=" if words alone stand between it and the
// next one: "= $70,000 gain on $130,000 spent".
func resultBehind(side string) (*number, bool) {
	for i := range len(side) {
		n, end, ok := scanNumber(side, i)
		if !ok {
			continue
		}
		words, _, _ := strings.Cut(side[end:], strings.TrimLeft(side[end:], " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
		return n, strings.TrimSpace(side[:i]) == "" && hasProse(words) && strings.IndexAny(side[end:], "0123456789") == len(words)
	}
	return nil, false
}

// lastLine returns the last line that has a digit, cut at maxLine bytes.
func lastLine(s string) string {
	last := strings.LastIndexAny(s, "0123456789")
	if last < 0 {
		return ""
	}
	begin := max(strings.LastIndexByte(s[:last], '\n')+1, last-maxLine)
	line := strings.TrimLeft(lineAt(s, begin), " \t")
	for _, item := range [...]string{"- ", "* ", "• "} {
		line = strings.TrimPrefix(line, item)
	}
	return line
}
