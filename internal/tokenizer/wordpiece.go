package tokenizer

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxWordRunes is the length from which a word is unknown without a look at its pieces.
const maxWordRunes = 100

// continuation is how the vocabulary marks pieces that do not start a word.
const continuation = "##"

// WordPiece is the tokenizer of BERT (Devlin et al. 2018) as Hugging Face's
// BertTokenizerFast runs it: clean, split ideographs, strip accents, lower case, split at
// white space and punctuation, then cut each word into the longest pieces that the
// vocabulary knows. It is immutable and safe for concurrent use.
type WordPiece struct {
	normalization

	tokens  []string         // by id
	start   map[string]int32 // pieces that start a word
	inside  map[string]int32 // pieces that go on with one, without the mark
	longest int              // bytes of the longest piece
	unk     int32
}

// normalization is what is done to the characters of a text.
type normalization struct {
	lower bool // lower case
	strip bool // no accents
}

func newWordPiece() *WordPiece {
	return &WordPiece{normalization: normalization{lower: true, strip: true}, start: map[string]int32{}, inside: map[string]int32{}}
}

// setUnknown names the token of words that the vocabulary cannot spell.
func (w *WordPiece) setUnknown(name string) error {
	id, ok := w.start[name]
	if !ok {
		return fmt.Errorf("vocabulary of %d tokens has no %s: it is not one of BERT's", len(w.tokens), name)
	}
	w.unk = id
	return nil
}

// FromVocabulary reads a vocabulary in the form of BERT's vocab.txt: one token a line, its
// id the line's number from 0. The tokens [UNK], [CLS] and [SEP] must be there. Without
// lower, case and accents are kept.
func FromVocabulary(vocab []byte, lower bool) (*Model, error) {
	w := newWordPiece()
	w.normalization = normalization{lower: lower, strip: lower}
	for line := range bytes.Lines(vocab) {
		token := string(bytes.TrimRight(line, "\r\n"))
		if err := w.add(token); err != nil {
			return nil, fmt.Errorf("vocabulary line %d: %w", len(w.tokens)+1, err)
		}
	}
	return w.bert()
}

// bert returns the tokenizer with BERT's special tokens and [CLS] … [SEP].
func (w *WordPiece) bert() (*Model, error) {
	if err := w.setUnknown("[UNK]"); err != nil {
		return nil, err
	}
	var tokens []token
	for _, name := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		if id, ok := w.start[name]; ok {
			tokens = append(tokens, token{ID: id, Content: name})
		}
	}
	cls, okCLS := w.start["[CLS]"]
	sep, okSEP := w.start["[SEP]"]
	if !okCLS || !okSEP {
		return nil, fmt.Errorf("vocabulary of %d tokens has no [CLS] or [SEP]: it is not one of BERT's", len(w.tokens))
	}
	return &Model{
		Tokenizer: &pipeline{raw: newAdded(tokens), model: w}, Size: len(w.tokens),
		Template: Template{Prefix: []int32{cls}, Suffix: []int32{sep}},
	}, nil
}

func (w *WordPiece) add(token string) error {
	pieces, piece := w.start, token
	if rest, ok := strings.CutPrefix(token, continuation); ok && rest != "" {
		pieces, piece = w.inside, rest
	}
	switch _, seen := pieces[piece]; {
	case token == "":
		return errors.New("empty token")
	case seen:
		return fmt.Errorf("token %q occurs twice", token)
	case !utf8.ValidString(token):
		return fmt.Errorf("token %q is not UTF-8", token)
	}
	pieces[piece] = int32(len(w.tokens))
	w.tokens = append(w.tokens, token)
	w.longest = max(w.longest, len(piece))
	return nil
}

// encode appends the ids of a text without special tokens. U+FFFD is dropped.
func (w *WordPiece) encode(dst []int32, text string) []int32 {
	e := encoder{WordPiece: w, ids: dst}
	e.plain(text)
	return e.ids
}

// encoder is one call of encode.
type encoder struct {
	*WordPiece
	ids []int32

	word  [maxWordRunes * utf8.UTFMax]byte // the word being read, normalised
	bytes int                              // of word in use
	runes int                              // in the word; may exceed maxWordRunes
}

// push adds a normalised rune to the current word.
func (e *encoder) push(r rune) {
	if e.runes < maxWordRunes {
		e.bytes += utf8.EncodeRune(e.word[e.bytes:], r)
	}
	e.runes++
}

// flush ends the current word and appends its pieces.
func (e *encoder) flush() {
	if e.runes > 0 {
		e.pieces()
	}
	e.bytes, e.runes = 0, 0
}

// pieces cuts the current word greedily into the longest pieces known. A word
// with an unknown part is unknown as a whole.
func (e *encoder) pieces() {
	if e.runes > maxWordRunes {
		e.ids = append(e.ids, e.unk)
		return
	}
	word, known, before := e.word[:e.bytes], e.start, len(e.ids)
	for len(word) > 0 {
		n := min(len(word), e.longest)
		id, ok := known[string(word[:n])]
		for !ok && n > 1 {
			n--
			if n == len(word) || utf8.RuneStart(word[n]) {
				id, ok = known[string(word[:n])]
			}
		}
		if !ok {
			e.ids = e.ids[:before]
			e.ids = append(e.ids, e.unk)
			return
		}
		e.ids = append(e.ids, id)
		word, known = word[n:], e.inside
	}
}
