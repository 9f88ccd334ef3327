// Package boxed finds the final answer that a LaTeX solution puts in a box.
package boxed

import "strings"

// box is a \boxed or \fbox: where its command begins and its content's place.
type box struct{ command, begin, end int }

// Last returns the content of the last \boxed, \fbox, \framebox or \box of a text, and
// false when it has none. Braces must balance; an escaped brace is text. A box without braces
// (\boxed 5, \boxed\frac12) holds what follows up to a space or a dollar sign. The
// time is linear in the text's length.
func Last(text string) (content string, ok bool) {
	best := box{command: -1} // the last one that is complete
	bare := box{command: -1} // the last one without braces
	var open []box           // unclosed braces; command < 0 for those that open no box
	for i := 0; i < len(text); {
		switch text[i] {
		case '\\':
			name := commandName(text[i:])
			if name == 0 && commandName(text[i+1:]) > 0 { // the backslash was escaped once too often
				i++
				continue
			}
			if name == 0 {
				i += 2 // an escaped character
				continue
			}
			start := skipSpace(text, i+name)
			switch {
			case start == len(text):
			case text[start] == '{':
				open = append(open, box{command: i, begin: start + 1})
				start++
			case !endsBare(text[start]) && text[start] != '}':
				bare = box{command: i, begin: start}
			}
			i = start
			continue
		case '{':
			open = append(open, box{command: -1})
		case '}':
			if n := len(open); n > 0 {
				b := open[n-1]
				open = open[:n-1]
				if b.command > best.command {
					best = box{b.command, b.begin, i}
				}
			}
		}
		i++
	}
	if bare.command > best.command {
		return text[bare.begin:bareEnd(text, bare.begin)], true
	}
	if best.command < 0 {
		return "", false
	}
	return text[best.begin:best.end], true
}

// commandName returns the length of the box command that s begins with, or 0.
func commandName(s string) int {
	if len(s) < len(`\box`) || s[1] != 'b' && s[1] != 'f' { // fast: most commands are others
		return 0
	}
	for _, name := range [...]string{`\boxed`, `\fbox`, `\framebox`, `\box`} {
		if strings.HasPrefix(s, name) && (name != `\box` || len(s) > len(name) && s[len(name)] == '{') {
			return len(name)
		}
	}
	return 0
}

func skipSpace(s string, i int) int {
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func endsBare(c byte) bool { return isSpace(c) || c == '$' }

// bareEnd returns where the content of a box without braces ends.
func bareEnd(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '{':
			depth++
		case c == '}' && depth == 0, depth == 0 && endsBare(c):
			return i
		case c == '}':
			depth--
		}
	}
	return i
}
