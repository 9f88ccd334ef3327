package grade

import (
	"strings"

	"rcvae/internal/boxed"
)

const maxBoxes = 32 // boxes that are joined to one answer

// boxes returns the content of the last box of a text. Boxes that stand side by side,
// or with a comma, "and" or "or" between them, are one answer: a list.
func boxes(text string) (content string, ok bool) {
	first := strings.Index(text, "box")
	if first < 0 {
		return "", false
	}
	text = text[max(0, strings.LastIndexByte(text[:first], '\\')):] // what stands before opens no box
	last, ok := boxed.Last(text)
	if !ok || strings.Count(text, "box") < 2 {
		return last, ok
	}
	all := []string{last}
	for range maxBoxes {
		at := boxStart(text, last)
		if at < 0 {
			break
		}
		rest, joined := cutJoiner(text[:at])
		if !joined {
			break
		}
		content, complete := boxed.Last(rest)
		if !complete || !strings.HasSuffix(rest, "{"+content+"}") {
			break
		}
		text, last = rest, content
		all = append(all, content)
	}
	return joinBoxes(all), true
}

// joinBoxes writes the boxes, the last one first, as a list without repetitions.
func joinBoxes(all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	var kept []string
	seen := map[string]bool{}
	for i := len(all) - 1; i >= 0; i-- {
		content := strings.TrimSpace(all[i])
		if content != "" && !seen[content] {
			seen[content] = true
			kept = append(kept, content)
		}
	}
	return strings.Join(kept, ", ")
}

// boxStart returns where the last box with this content begins, or −1.
func boxStart(text, content string) int {
	i := strings.LastIndex(text, "box{"+content+"}")
	if j := strings.LastIndex(text, "boxed{"+content+"}"); j > i {
		i = j
	}
	if i < 0 {
		return -1
	}
	return strings.LastIndexByte(text[:i], '\\')
}

// cutJoiner removes what may stand between two boxes of one answer.
func cutJoiner(s string) (rest string, joined bool) {
	before := s
	for {
		s = strings.TrimRight(s, " \t\r\n$,;")
		cut := s
		for _, joiner := range [...]string{`\(`, `\)`, `\[`, `\]`, "and", "or", `\text{and}`, `\text{ and }`, `\text{or}`, `\text{ or }`, `\quad`, `\qquad`, `\,`, `\;`, `\ `} {
			cut = strings.TrimSuffix(cut, joiner)
		}
		if cut == s && cutLabel(cut) == s {
			break
		}
		s = cutLabel(cut)
	}
	if !strings.HasSuffix(s, "}") && strings.Contains(before[len(s):], "and") { // \boxed{1} pen and \boxed{2} cups
		s = strings.TrimRight(strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz"), " $")
	}
	return s, strings.HasSuffix(s, "}") && len(before)-len(s) < 60
}

// cutLabel removes the name of a part: (b), (ii).
func cutLabel(s string) string {
	i := strings.LastIndexByte(s, '(')
	if i < 0 || !strings.HasSuffix(s, ")") || len(s)-i > len("(iii)") || strings.Trim(s[i+1:len(s)-1], "abcdefghijABCDEFGHIJ123456789v") != "" {
		return s
	}
	return s[:i]
}

// stripDelimiters removes $…$ around a whole answer.
func stripDelimiters(s string) string {
	for _, d := range delimiters {
		inner, ok := strings.CutPrefix(s, d[0])
		if inner, ok2 := strings.CutSuffix(inner, d[1]); ok && ok2 && !strings.Contains(hideEscapes(inner), d[0]) && !strings.HasSuffix(inner, `\`) {
			return strings.TrimSpace(inner)
		}
	}
	return s
}
