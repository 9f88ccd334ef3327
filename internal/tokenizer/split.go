package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The regular expressions of byte-level tokenizers look ahead, which Go's cannot, so the
// known ones are written out. Alternatives are tried in order.
const (
	// patternGPT2 is that of GPT-2, RoBERTa and ModernBERT.
	patternGPT2 = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	// patternLlama3 is that of Llama 3 and EuroBERT, patternQwen2 that of Qwen 2 and 3.
	patternLlama3 = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	patternQwen2  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// patterns are the splitters of the known expressions.
func patterns() map[string]splitter {
	return map[string]splitter{
		patternGPT2:   byPattern(gpt2Length),
		patternLlama3: byPattern(func(s string) int { return modernLength(s, 3) }),
		patternQwen2:  byPattern(func(s string) int { return modernLength(s, 1) }),
	}
}

// byPattern splits by a function that returns the length of the first part.
func byPattern(length func(text string) int) splitter {
	return func(text string, _ bool, emit func(string)) {
		for text != "" {
			n := length(text)
			emit(text[:n])
			text = text[n:]
		}
	}
}

func isOther(r rune) bool {
	return !unicode.IsSpace(r) && !unicode.IsLetter(r) && !unicode.IsNumber(r)
}

func isNewline(r rune) bool { return r == '\r' || r == '\n' }

// span returns the bytes of text's first runes that all satisfy is, at most most of them.
func span(text string, is func(rune) bool, most int) int {
	n := 0
	for i, r := range text {
		if n == most || !is(r) {
			return i
		}
		n++
	}
	return len(text)
}

const unlimited = -1

// contraction returns the length of 's, 't, 're, 've, 'm, 'll or 'd at the start of text.
func contraction(text string) int {
	if text[0] != '\'' {
		return 0
	}
	for _, s := range []string{"s", "t", "re", "ve", "m", "ll", "d"} {
		if strings.HasPrefix(text[1:], s) {
			return 1 + len(s)
		}
	}
	return 0
}

// foldedContraction is contraction without regard to case.
func foldedContraction(text string) int {
	if text[0] != '\'' {
		return 0
	}
	folded := []byte{'\''}
	for _, r := range text[1:] {
		if r = unicode.ToLower(r); r == 'ſ' {
			r = 's'
		}
		if r >= utf8.RuneSelf || len(folded) == 3 {
			break
		}
		folded = append(folded, byte(r))
	}
	runes := contraction(string(folded))
	n := 0
	for range runes {
		_, width := utf8.DecodeRuneInString(text[n:])
		n += width
	}
	return n
}

func gpt2Length(text string) int {
	if n := contraction(text); n > 0 {
		return n
	}
	blank := 0
	if text[0] == ' ' {
		blank = 1
	}
	for _, is := range []func(rune) bool{unicode.IsLetter, unicode.IsNumber, isOther} {
		if n := span(text[blank:], is, unlimited); n > 0 {
			return blank + n
		}
	}
	return blanks(text)
}

// blanks is \s+(?!\S)|\s+: white space but for the last of it before a word, which takes
// it.
func blanks(text string) int {
	n := span(text, unicode.IsSpace, unlimited)
	if n == len(text) {
		return n
	}
	_, last := utf8.DecodeLastRuneInString(text[:n])
	if n > last {
		return n - last
	}
	return n
}

// modernLength takes numbers of at most the given digits apart.
func modernLength(text string, digits int) int {
	if n := foldedContraction(text); n > 0 {
		return n
	}
	r, width := utf8.DecodeRuneInString(text)
	switch {
	case unicode.IsLetter(r):
		return span(text, unicode.IsLetter, unlimited)
	case unicode.IsNumber(r):
		return span(text, unicode.IsNumber, digits)
	case !isNewline(r):
		if n := span(text[width:], unicode.IsLetter, unlimited); n > 0 {
			return width + n
		}
	}
	blank := 0
	if r == ' ' {
		blank = 1
	}
	if n := span(text[blank:], isOther, unlimited); n > 0 {
		n += blank
		return n + span(text[n:], isNewline, unlimited)
	}
	run := text[:span(text, unicode.IsSpace, unlimited)]
	if end := strings.LastIndexAny(run, "\r\n"); end >= 0 {
		return end + 1
	}
	return blanks(text)
}
