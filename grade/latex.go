package grade

import "strings"

// canonicalLaTeX returns "=" and the number of a numeric answer, and the normalised
// LaTeX of any other, in lower case if it is longer than one letter. The form is empty
// if nothing is left of the answer.
func canonicalLaTeX(answer string) (form string, isNumber bool) {
	s := normalize(answer)
	if s == "" {
		return "", false
	}
	if n, ok := wholeNumber(s); ok {
		return "=" + n.String(), true
	}
	if s = simpleFraction(withCommas(s)); len(s) > 1 {
		s = strings.ToLower(s)
	}
	return s, false
}

// withCommas ends the normalisation.
func withCommas(s string) string { return strings.ReplaceAll(s, listComma, ",") }

// normalString returns the normalised LaTeX of an answer at the level string, where
// 1/2 and 0.5 are \frac{1}{2} and no other numbers are worked out.
func normalString(answer string) string {
	s := withCommas(normalize(answer))
	if s == "0.5" {
		return `\frac{1}{2}`
	}
	return simpleFraction(s)
}

// simpleFraction writes 3/4 as \frac{3}{4}.
func simpleFraction(s string) string {
	if over, under, ok := strings.Cut(s, "/"); ok && isInteger(over) && isInteger(under) {
		return `\frac{` + over + "}{" + under + "}"
	}
	return s
}

// wholeNumber reads a normalised answer that is one number and nothing else.
func wholeNumber(s string) (*number, bool) {
	if c := s[0]; !isDigit(c) && c != '-' && c != '.' && c != '\\' {
		return nil, false
	}
	n, end, ok := scanNumber(s, 0)
	return n, ok && end == len(s)
}

// normalize rewrites LaTeX so that different ways to write one thing become one:
// fonts, spacing, sizes of brackets, units, degrees, percent and currency signs go,
// fractions and roots get braces. It follows the normalisation of Hendrycks et al.
// (MATH, 2021) and Lewkowycz et al. (Minerva, 2022).
func normalize(answer string) string {
	s := rewriteTokens(answer)
	s = dropUnits(s)
	s = unwrapText(s)
	s = dropSubject(s)
	if !strings.ContainsAny(s, "([{") {
		s = dropThousands(s)
	}
	s = braceArguments(s)
	s = unbraceScripts(s)
	if len(s) == 3 && s[0] == '(' && isLetter(s[1]) && s[2] == ')' {
		s = s[1:2]
	}
	s = strings.TrimRight(s, ".,")
	if isGroup(s) {
		s = s[1 : len(s)-1]
	}
	return strings.TrimLeft(s, "=") // "=5"
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

// dropUnits removes a text behind a number, such as \text{ cm}^2, but no time of day and no million.
func dropUnits(s string) string {
	i := strings.LastIndex(s, `\text{`)
	if i < 0 {
		return s
	}
	length := strings.IndexByte(s[i:], '}')
	if length < 0 {
		return s
	}
	unit, rest := s[i+len(`\text{`):i+length], s[i+length+1:]
	if strings.ContainsRune(unit, '{') || !isExponent(rest) || !strings.ContainsAny(s[:i], "0123456789") {
		return s
	}
	if unit == "p.m." || unit == "a.m." || strings.HasSuffix(unit, "illion") || strings.HasSuffix(unit, "thousand") {
		return s
	}
	return s[:i]
}

// isExponent reports whether s is empty, ^2 or ^{2}.
func isExponent(s string) bool {
	switch len(s) {
	case 0:
		return true
	case 2:
		return s[0] == '^' && isDigit(s[1])
	case 4:
		return s[0] == '^' && s[1] == '{' && isDigit(s[2]) && s[3] == '}'
	}
	return false
}

// unwrapText replaces \text{abc} by abc.
func unwrapText(s string) string {
	const open = `\text{`
	if !strings.Contains(s, open) {
		return s
	}
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, open)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		end := strings.IndexAny(after, "{}")
		if end < 0 || after[end] == '{' {
			b.WriteString(open)
			s = after
			continue
		}
		b.WriteString(after[:end])
		s = after[end+1:]
	}
}

// dropSubject removes x=, f(x)= and x\in from the front.
func dropSubject(s string) string {
	if s == "" || !isLetter(s[0]) {
		return s
	}
	rest := s[1:]
	if len(rest) > 3 && rest[0] == '(' && isLetter(rest[1]) && rest[2] == ')' {
		rest = rest[3:]
	}
	if after, ok := strings.CutPrefix(rest, "="); ok {
		return after
	}
	if after, ok := strings.CutPrefix(rest, `\in`); ok && (after == "" || !isLetter(after[0])) {
		return after
	}
	return s
}

// dropThousands removes the commas of 1,234,567.
func dropThousands(s string) string {
	if strings.IndexByte(s, ',') < 0 {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if s[i] == ',' && i > 0 && isDigit(s[i-1]) && digitsEnd(s, i+1) == i+4 {
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// braceArguments writes \frac12 as \frac{1}{2} and \sqrt3 as \sqrt{3}.
func braceArguments(s string) string {
	if !strings.Contains(s, `\frac`) && !strings.Contains(s, `\sqrt`) {
		return s
	}
	var b strings.Builder
	wanted := 0       // arguments that may still come without braces
	var outside []int // wanted, outside each open brace
	for i := 0; i < len(s); {
		end := i + 1
		if s[i] == '\\' {
			end = commandEnd(s, i)
		}
		token := s[i:end]
		i = end
		arguments := 0
		switch token {
		case `\frac`:
			arguments = 2
		case `\sqrt`:
			arguments = 1
		case "{":
			outside = append(outside, max(0, wanted-1))
		case "}":
			if n := len(outside); n > 0 {
				arguments = outside[n-1]
				outside = outside[:n-1]
			}
		default:
			if c := token[len(token)-1]; wanted > 0 && (isDigit(c) || isLetter(c)) {
				arguments = wanted - 1
				token = "{" + token + "}"
			}
		}
		b.WriteString(token)
		wanted = arguments
	}
	return b.String()
}

// unbraceScripts writes x_{1} as x_1.
func unbraceScripts(s string) string {
	if !strings.Contains(s, "_{") && !strings.Contains(s, "^{") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		b.WriteByte(s[i])
		if (s[i] == '_' || s[i] == '^') && i+3 < len(s) && s[i+1] == '{' && s[i+3] == '}' && (isDigit(s[i+2]) || isLetter(s[i+2])) {
			b.WriteByte(s[i+2])
			i += 3
		}
	}
	return b.String()
}
