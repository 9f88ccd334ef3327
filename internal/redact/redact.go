// Package redact takes secrets out of texts that others wrote.
package redact

import (
	"regexp"
	"strings"
)

// hidden stands in place of a key, or a part of one.
const hidden = "[key]"

// gram is the length from which a part of the key is recognized anywhere in a text.
const gram = 8

var (
	maskedToken = regexp.MustCompile(`[\w\-]*(?:[*•]{2,}|…|\.{3,}|[xX]{4,})[\w\-]*`)
	maskOfToken = regexp.MustCompile(`[*•]{2,}|…|\.{3,}|[xX]{4,}`)
	endsOfKey   = regexp.MustCompile(`(?i)\b(?:end(?:ing|s)|start(?:ing|s)|begin(?:ning|s))(?: in| with)? ['"\x60]?([\w\-]{2,})`)
)

// Key takes a key out of a text of the server that it is for: the whole key, parts of it,
// what is left of it when its middle is masked ("sk-***ab"), and the ends that a text
// names.
func Key(text, key string) string {
	if len(key) < 4 || text == "" {
		return text
	}
	text = strings.ReplaceAll(text, key, hidden)
	isEnd := func(part string) bool {
		return part != "" && (strings.HasPrefix(key, part) || strings.HasSuffix(key, part))
	}
	text = maskedToken.ReplaceAllStringFunc(text, func(token string) string {
		at := maskOfToken.FindStringIndex(token)
		if isEnd(token[:at[0]]) || isEnd(token[at[1]:]) {
			return hidden
		}
		return token
	})
	text = endsOfKey.ReplaceAllStringFunc(text, func(phrase string) string {
		part := endsOfKey.FindStringSubmatch(phrase)[1]
		if isEnd(part) {
			return strings.TrimSuffix(phrase, part) + hidden
		}
		return phrase
	})
	return withoutParts(text, key)
}

// withoutParts replaces every stretch of the text that holds gram bytes or more of the
// key in a row.
func withoutParts(text, key string) string {
	size := min(gram, len(key))
	parts := map[string]bool{}
	for i := 0; i+size <= len(key); i++ {
		parts[key[i:i+size]] = true
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		if i+size > len(text) || !parts[text[i:i+size]] {
			out.WriteByte(text[i])
			i++
			continue
		}
		end := i + size
		for end < len(text) && parts[text[end-size+1:end+1]] {
			end++
		}
		out.WriteString(hidden)
		i = end
	}
	return out.String()
}
