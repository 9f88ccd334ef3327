package grade

import (
	"encoding/json"
	"strings"
)

// fieldValue returns the value of the first field "ans", "answer" or "final_answer" of
// a JSON object. The first one counts: models that were asked for JSON often go on to
// questions that nobody asked.
func fieldValue(s string) string {
	for i := strings.IndexByte(s, '"'); i >= 0; {
		rest := s[i+1:]
		if name, raw, ok := cutField(rest); ok && isAnswerField(name) {
			if value := jsonValue(raw); value != "" {
				return value
			}
		}
		next := strings.IndexByte(rest, '"')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return ""
}

// jsonValue returns the string or the number with which a text begins.
func jsonValue(raw string) string {
	raw = strings.TrimLeft(raw, " \t\r\n$")
	if n, _, ok := scanNumber(strings.TrimLeft(raw, "\"$"), 0); ok && !strings.HasPrefix(raw, `"`) {
		return n.String()
	}
	var value string
	if err := json.NewDecoder(strings.NewReader(escapeCommands(raw[:min(len(raw), maxAnswer)]))).Decode(&value); err != nil {
		return ""
	}
	return value
}

// escapeCommands doubles the backslash of each command of LaTeX that is written in JSON as
// if it were no JSON: "\frac12" would be a form feed and "rac12".
func escapeCommands(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		b.WriteByte(s[i])
		switch {
		case s[i] != '\\' || i+2 >= len(s):
		case isLetter(s[i+1]) && isLetter(s[i+2]) && s[i+1] != 'u' && (s[i+1] != 'n' || s[i+2] >= 'a'):
			b.WriteByte('\\')
		default: // an escaped character
			i++
			b.WriteByte(s[i])
		}
	}
	return b.String()
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
