package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// pipeline does Hugging Face's steps: find added tokens, normalise what is between them,
// find those that are looked for after that, split into pieces, and encode each piece.
type pipeline struct {
	raw        added
	normalize  []normalizer
	normalized added
	split      []splitter
	model      pieces
}

// normalizer rewrites text.
type normalizer func(text string) string

// splitter calls emit for the parts of text. first tells that text is the beginning of
// the whole.
type splitter func(text string, first bool, emit func(string))

// pieces encodes what is left between the splits.
type pieces interface {
	encode(dst []int32, piece string) []int32
}

var _ Tokenizer = (*pipeline)(nil)

// Encode returns the ids of text. Bytes that are not UTF-8 count as U+FFFD.
func (p *pipeline) Encode(text string) []int32 {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	e := encoding{pipeline: p, ids: make([]int32, 0, 8+len(text)/3)}
	special := func(id int32) { e.ids, e.later = append(e.ids, id), true }
	p.raw.split(text, func(plain string) {
		for _, normalize := range p.normalize {
			plain = normalize(plain)
		}
		p.normalized.split(plain, e.plain, special)
		e.later = true
	}, special)
	return e.ids
}

// encoding is one call of Encode.
type encoding struct {
	*pipeline
	ids   []int32
	later bool // this is not the beginning of the text
}

func (e *encoding) plain(text string) {
	e.run(0, text, !e.later)
	e.later = true
}

// run takes text through the splitters from the i-th on.
func (e *encoding) run(i int, text string, first bool) {
	if text == "" {
		return
	}
	if i == len(e.split) {
		e.ids = e.model.encode(e.ids, text)
		return
	}
	e.split[i](text, first, func(part string) {
		e.run(i+1, part, first)
		first = false
	})
}
