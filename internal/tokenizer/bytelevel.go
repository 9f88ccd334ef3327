package tokenizer

import (
	"fmt"
	"strings"
)

// splitMerges reads merges as "left right".
func splitMerges(lines []string) ([][2]string, error) {
	pairs := make([][2]string, len(lines))
	for i, line := range lines {
		left, right, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("merge %d, %q, is not two tokens", i, line)
		}
		pairs[i] = [2]string{left, right}
	}
	return pairs, nil
}

// printableBytes are the characters that stand for bytes in the vocabularies of GPT-2 and
// its heirs: printable ones for themselves, the others for those from U+0100 on.
var printableBytes = func() map[rune]byte {
	table := make(map[rune]byte, 256)
	next := rune(0x100)
	for c := range 256 {
		switch {
		case c >= '!' && c <= '~', c >= 0xa1 && c <= 0xac, c >= 0xae:
			table[rune(c)] = byte(c)
		default:
			table[next] = byte(c)
			next++
		}
	}
	return table
}()

// unprintable returns the bytes that a token is written for; tokens that are not written
// so, such as <|endoftext|>, stay as they are.
func unprintable(t string) string {
	out := make([]byte, 0, len(t))
	for _, r := range t {
		c, ok := printableBytes[r]
		if !ok {
			return t
		}
		out = append(out, c)
	}
	return string(out)
}
