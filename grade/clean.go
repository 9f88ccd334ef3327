package grade

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean returns the part of a text that its writer meant for the reader, in the
// characters that the rules know.
func clean(text string) string {
	if marked := mentionsMark(text); marked || strings.HasPrefix(text, "analysis") {
		text = withoutThinking(text)
		for _, end := range [...]string{"<|", "</s>"} { // the marks that end a turn
			if i := strings.Index(text, end); marked && i > 0 && strings.TrimSpace(text[:i]) != "" {
				text = text[:i]
			}
		}
	}
	return withoutRunOn(plain(text))
}

// thoughts are the marks around what a model thinks before it answers.
var thoughts = [...][2]string{
	{"<think>", "</think>"}, {"<thinking>", "</thinking>"}, {"<reasoning>", "</reasoning>"}, {"<thought>", "</thought>"}, {"<reflection>", "</reflection>"}, {"<scratchpad>", "</scratchpad>"},
	{"<seed:think>", "</seed:think>"}, {"<|begin_of_thought|>", "<|end_of_thought|>"}, {"<|channel|>analysis", "<|channel|>final"}, {"[THINK]", "[/THINK]"}, {"◁think▷", "◁/think▷"},
}

// withoutThinking removes what a model thinks: a box in it is a trial and not the answer.
// The mark that opens it is often part of the prompt, so that all before a closing mark
// goes. What is never closed is thinking up to the end.
func withoutThinking(text string) string {
	if strings.HasPrefix(text, "analysis") { // the marks of a channel, lost in decoding
		if _, final, ok := strings.Cut(text, "assistantfinal"); ok {
			text = final
		} else if len(text) > 8 && text[8] >= 'A' && text[8] <= 'Z' {
			return ""
		}
	}
	for _, mark := range thoughts {
		if strings.Contains(text, mark[1]) {
			i := strings.LastIndex(text, mark[1])
			text = strings.TrimPrefix(text[i+len(mark[1]):], "<|message|>")
		}
		if i := strings.Index(text, mark[0]); i >= 0 {
			text = text[:i]
		}
	}
	return text
}

// mentionsMark reports whether a text may have a mark of thinking or of a turn. Most have
// none. Marks that do not begin with "<" are looked for at the beginning alone.
func mentionsMark(text string) bool {
	const begin = 64
	for rest := text; ; {
		i := strings.IndexByte(rest, '<')
		if i < 0 || i+1 == len(rest) {
			break
		}
		if rest = rest[i+1:]; strings.IndexByte("/|trs", rest[0]) >= 0 {
			return true
		}
	}
	text = text[:min(len(text), begin)]
	return strings.Contains(text, "[THINK]") || strings.Contains(text, "◁think▷")
}

// turns are the beginnings of lines with which somebody else speaks.
var turns = [...]string{"Q:", "Question:", "QUESTION:", "Problem:", "Human:", "User:", "Input:", "Instruction:", "[INST]", "问题:", "问:",
	"### Instruction", "## Instruction", "### Question", "## Question", "### Problem"}

// withoutRunOn cuts what a model writes behind its answer as if it were asked again: the
// next question of a prompt with examples. A question ends a text only if an answer is
// stated before.
func withoutRunOn(text string) string {
	for i := 0; ; {
		next := strings.IndexByte(text[i:], '\n')
		if next < 0 {
			return text
		}
		if i += next + 1; i == len(text) {
			return text
		}
		switch text[i] { // fast: most lines begin with another character
		case 'Q', 'P', 'H', 'U', 'I', '#', '[', '*', '\xe9':
			if isTurn(text[i:]) && isStated(text[:i]) {
				return text[:i]
			}
		}
	}
}

func isTurn(line string) bool {
	line = strings.TrimLeft(line, " *")
	for _, turn := range turns {
		if strings.HasPrefix(line, turn) {
			return true
		}
	}
	return false
}

// isStated reports whether a text says what its answer is.
func isStated(text string) bool {
	if _, ok := hashAnswer(text); ok {
		return true
	}
	if _, ok := boxes(text); ok {
		return true
	}
	for range phrases(text) {
		return true
	}
	return false
}

// characters are other forms of ASCII characters, and signs with a name in LaTeX.
var characters = map[rune]string{
	'\u2212': "-", '–': "-", '‒': "-", '‑': "-", '﹣': "-", '、': ", ", '。': ". ", '।': ". ", '،': ", ", '؛': "; ", '٫': ".", '٬': ",", '“': `"`, '”': `"`, '’': "'", '‘': "'",
	'½': `\frac{1}{2}`, '⅓': `\frac{1}{3}`, '⅔': `\frac{2}{3}`, '¼': `\frac{1}{4}`, '¾': `\frac{3}{4}`, '⅕': `\frac{1}{5}`, '⅖': `\frac{2}{5}`, '⅗': `\frac{3}{5}`, '⅘': `\frac{4}{5}`, '⅙': `\frac{1}{6}`,
	'⅚': `\frac{5}{6}`, '⅛': `\frac{1}{8}`, '⅜': `\frac{3}{8}`, '⅝': `\frac{5}{8}`, '⅞': `\frac{7}{8}`, 'ℝ': `\mathbb{R}`, '⁄': "/", '∕': "/", '％': "%", '﹪': "%", '٪': "%", '或': " or ", '和': " and ",
	'\u200b': "", '\u200c': "", '\u200d': "", '\ufeff': "", '\u2060': "", '\u200e': "", '\u200f': "",
}

// scripts are raised and lowered digits.
var scripts = func() map[rune]string {
	table := map[rune]string{'⁻': "^-", '⁺': "^+", 'ⁿ': "^n", '₊': "_+", '₋': "_-"}
	for i, r := range []rune("⁰¹²³⁴⁵⁶⁷⁸⁹") {
		table[r] = "^" + string(rune('0'+i))
	}
	for i := range rune(10) {
		table['₀'+i] = "_" + string('0'+i)
	}
	return table
}()

// plain writes digits and punctuation of all scripts in ASCII, fractions and raised
// digits in LaTeX, and every minus sign as "-".
func plain(text string) string {
	first := 0
	for ; first+8 <= len(text); first += 8 { // fast, because most texts are ASCII
		if t := text[first : first+8]; (uint64(t[0])|uint64(t[1])<<8|uint64(t[2])<<16|uint64(t[3])<<24|uint64(t[4])<<32|uint64(t[5])<<40|uint64(t[6])<<48|uint64(t[7])<<56)&0x8080808080808080 != 0 {
			break
		}
	}
	if isASCII(text[first:]) {
		return text
	}
	var b strings.Builder
	open := byte(0) // ^ or _ while a script is written
	written := 0
	for i, r := range text[first:] {
		if r < utf8.RuneSelf && open == 0 {
			continue
		}
		i += first
		script, other := scripts[r], rewritten(r)
		if open == 0 && script == "" && other == "" {
			continue
		}
		b.WriteString(text[written:i])
		written = i
		if open != 0 && (script == "" || script[0] != open) {
			b.WriteByte('}')
			open = 0
		}
		size := utf8.RuneLen(r)
		switch {
		case script != "" && open == 0:
			open = script[0]
			b.WriteString(script[:1] + "{" + script[1:])
		case script != "":
			b.WriteString(script[1:])
		case other != "":
			b.WriteString(strings.TrimPrefix(other, "\x00"))
		default:
			continue
		}
		written = i + size
	}
	b.WriteString(text[written:])
	if open != 0 {
		b.WriteByte('}')
	}
	return b.String()
}

// rewritten returns what stands for a character, "" if it stays, and "\x00" for nothing.
func rewritten(r rune) string {
	if r < utf8.RuneSelf {
		return ""
	}
	if ascii, known := characters[r]; known {
		return "\x00" + ascii
	}
	if other := folded(r); other != r {
		return string(other)
	}
	return ""
}

// folded returns the ASCII form of a digit, a space, or a character of full width.
func folded(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	if r < 0x660 || !unicode.Is(unicode.Nd, r) {
		return r
	}
	for _, digits := range unicode.Nd.R16 {
		if r >= rune(digits.Lo) && r <= rune(digits.Hi) {
			return '0' + (r-rune(digits.Lo))%10
		}
	}
	return r
}
