package grade

import "strings"

// listComma stands for a comma with a space behind it while an answer is normalised: it
// separates items and not thousands.
const listComma = "\x00"

// rewriteTokens goes once through the answer: it drops what has no meaning, all
// spaces included, and gives one name to commands of one meaning.
func rewriteTokens(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\':
			end := commandEnd(s, i)
			b.WriteString(rewriteCommand(s[i:end]))
			i = end
			continue
		case c == ' ', c == '\n', c == '\t', c == '\r', c == '$', c == '%', c == '~', c == '"':
		case c == '^' && isDegree(s[i:]):
			i = strings.IndexByte(s[i:], 'c') + i + len("circ")
			if i < len(s) && s[i] == '}' {
				i++
			}
			continue
		case c == '{' && (strings.HasPrefix(s[i:], "{,}") || strings.HasPrefix(s[i:], "{, }")):
			b.WriteByte(',')
			i += strings.IndexByte(s[i:], '}') + 1
			continue
		case c == ',' && i+1 < len(s) && s[i+1] == ' ':
			b.WriteString(listComma)
		case c == 0xc2 && strings.HasPrefix(s[i:], "°"):
			i += len("°")
			continue
		case c == 0xe2 && strings.HasPrefix(s[i:], "\u2212"):
			b.WriteByte('-')
			i += len("\u2212")
			continue
		case c == '.' && i+1 < len(s) && isDigit(s[i+1]) && (i == 0 || !isDigit(s[i-1])):
			b.WriteString("0.")
		default:
			b.WriteByte(c)
		}
		i++
	}
	return b.String()
}

// isDegree reports whether s begins with ^\circ or ^{\circ}.
func isDegree(s string) bool {
	return strings.HasPrefix(s, `^\circ`) || strings.HasPrefix(s, `^{\circ}`)
}

// commandEnd returns the end of the command whose backslash is s[i].
func commandEnd(s string, i int) int {
	i++
	if i == len(s) {
		return i
	}
	if s[i] == '\\' && i+1 < len(s) && isLetter(s[i+1]) {
		i++ // a backslash that was escaped once too often
	}
	if !isLetter(s[i]) {
		return i + 1
	}
	for i < len(s) && isLetter(s[i]) {
		i++
	}
	return i
}

func rewriteCommand(command string) string {
	command = `\` + strings.TrimLeft(command, `\`)
	switch command {
	case `\left`, `\right`, `\big`, `\Big`, `\bigl`, `\bigr`, `\Bigl`, `\Bigr`, `\bigg`, `\Bigg`,
		`\!`, `\,`, `\;`, `\:`, `\ `, `\$`, `\%`, `\quad`, `\qquad`, `\degree`, `\displaystyle`:
		return ""
	case `\dfrac`, `\tfrac`, `\cfrac`:
		return `\frac`
	case `\mathrm`, `\textbf`, `\mathbf`, `\textit`, `\mathit`, `\mbox`, `\operatorname`, `\textrm`:
		return `\text`
	case `\leq`, `\leqslant`:
		return `\le`
	case `\geq`, `\geqslant`:
		return `\ge`
	case `\neq`:
		return `\ne`
	case `\cdot`:
		return `\times`
	case `\`:
		return `\\`
	}
	return command
}
