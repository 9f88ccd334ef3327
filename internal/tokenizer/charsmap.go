package tokenizer

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// charsmap is SentencePiece's precompiled table of replacements: a double array over the
// bytes of what is replaced, whose values are places in a list of strings.
//
// Source: sentencepiece's normalizer.cc and darts-clone for the format, Hugging Face's
// precompiled.rs for which match counts.
type charsmap struct {
	units        []uint32
	replacements []byte // NUL-terminated strings
}

// maxCharsmap is the most bytes of a table; XLM-RoBERTa's has 237,539.
const maxCharsmap = 16 << 20

func newCharsmap(data []byte) (*charsmap, error) {
	if len(data) < 8 || len(data) > maxCharsmap {
		return nil, errors.New("precompiled charsmap: its size is out of range")
	}
	size := uint64(binary.LittleEndian.Uint32(data))
	if size == 0 || size%4 != 0 || size > uint64(len(data)-4) {
		return nil, errors.New("precompiled charsmap: its trie does not fit it")
	}
	m := &charsmap{units: make([]uint32, size/4), replacements: data[4+size:]}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(data[4+4*i:])
	}
	return m, nil
}

// offset returns how far the children of a unit are.
func offset(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }

// shortest returns the replacement of the shortest prefix of s that has one.
func (m *charsmap) shortest(s string) ([]byte, bool) {
	at := offset(m.units[0])
	for i := range len(s) {
		c := uint32(s[i])
		if at ^= c; c == 0 || int64(at) >= int64(len(m.units)) {
			return nil, false
		}
		unit := m.units[at]
		if unit&(1<<31|0xff) != c {
			return nil, false
		}
		at ^= offset(unit)
		if unit>>8&1 == 1 {
			return m.replacement(at)
		}
	}
	return nil, false
}

func (m *charsmap) replacement(leaf uint32) ([]byte, bool) {
	if int64(leaf) >= int64(len(m.units)) {
		return nil, false
	}
	start := int(m.units[leaf] &^ (1 << 31))
	if start >= len(m.replacements) {
		return nil, false
	}
	end := start
	for end < len(m.replacements) && m.replacements[end] != 0 {
		end++
	}
	return m.replacements[start:end], true
}

// normalize replaces as Hugging Face does: a grapheme cluster of fewer than six bytes as
// a whole by what its shortest known prefix becomes, others rune by rune.
func (m *charsmap) normalize(text string) string {
	if printable(text) {
		return text // no table changes it
	}
	var b strings.Builder
	b.Grow(len(text) + 8)
	state := -1
	for text != "" {
		var cluster string
		cluster, text, _, state = uniseg.FirstGraphemeClusterInString(text, state)
		if len(cluster) < 6 {
			if to, ok := m.shortest(cluster); ok {
				b.Write(to)
				continue
			}
		}
		for _, r := range cluster {
			var buffer [utf8.UTFMax]byte
			char := buffer[:utf8.EncodeRune(buffer[:], r)]
			if to, ok := m.shortest(string(char)); ok {
				char = to
			}
			b.Write(char)
		}
	}
	return b.String()
}

func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
