package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// plain appends the tokens of text, which holds no special token. It walks over
// chunks between white space: almost all of them are ASCII and need no tables.
func (e *encoder) plain(text string) {
	for text != "" {
		n, ascii := chunk(text)
		if ascii {
			e.ascii(text[:n])
		} else {
			e.unicode(text[:n])
		}
		e.flush()
		if n < len(text) {
			n++ // the white space
		}
		text = text[n:]
	}
}

// chunk returns the length of text up to its first ASCII white space, and
// whether all of that is ASCII.
func chunk(text string) (n int, ascii bool) {
	var all byte
	for ; n < len(text) && classes[text[n]] != space; n++ {
		all |= text[n]
	}
	return n, all < utf8.RuneSelf
}

func (e *encoder) ascii(text string) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; classes[c] {
		case dropped:
		case punctuation:
			e.flush()
			e.push(rune(c))
			e.flush()
		default:
			if e.lower && 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			if e.runes < maxWordRunes {
				e.word[e.bytes] = c
				e.bytes++
			}
			e.runes++
		}
	}
}

// unicode normalises a chunk in the reference's order: clean, set ideographs
// apart, decompose (NFD), drop marks, lower case; and splits what comes out.
func (e *encoder) unicode(text string) {
	text = clean(text)
	if e.strip {
		text = norm.NFD.String(text)
	}
	for _, r := range text {
		switch {
		case e.strip && unicode.Is(unicode.Mn, r):
		case unicode.IsSpace(r):
			e.flush()
		default:
			if e.lower {
				r = unicode.ToLower(r)
			}
			if isPunctuation(r) {
				e.flush()
				e.push(r)
				e.flush()
			} else {
				e.push(r)
			}
		}
	}
}

// clean drops control characters and invalid bytes, and sets spaces around ideographs.
func clean(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/2)
	for _, r := range text {
		switch {
		case r == utf8.RuneError || isControl(r):
		case isIdeograph(r):
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Classes of ASCII bytes.
const (
	other = iota // letters, digits, and everything beyond ASCII
	space
	punctuation
	dropped
)

var classes = func() (table [256]uint8) {
	for c := range rune(utf8.RuneSelf) {
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			table[c] = space
		case isControl(c):
			table[c] = dropped
		case isPunctuation(c):
			table[c] = punctuation
		}
	}
	return table
}()

// isControl reports whether the reference deletes r. Tab and line ends are spaces
// to it, the other ASCII controls are not.
func isControl(r rune) bool {
	if r == '\t' || r == '\n' || r == '\r' {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}

// isPunctuation counts all ASCII symbols, such as $ + = ^, as punctuation.
func isPunctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r < 0x7f && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	return unicode.IsPunct(r)
}

// isIdeograph reports whether r is in one of the CJK blocks that the reference sets
// apart (it starts extension E at 2B920, not at 2B820);
// kana and hangul are not in them.
func isIdeograph(r rune) bool {
	switch {
	case r < 0x3400:
		return false
	case r <= 0x4DBF, 0x4E00 <= r && r <= 0x9FFF, 0xF900 <= r && r <= 0xFAFF:
		return true
	case 0x20000 <= r && r <= 0x2A6DF, 0x2A700 <= r && r <= 0x2B73F, 0x2B740 <= r && r <= 0x2B81F,
		0x2B920 <= r && r <= 0x2CEAF, 0x2F800 <= r && r <= 0x2FA1F:
		return true
	}
	return false
}
