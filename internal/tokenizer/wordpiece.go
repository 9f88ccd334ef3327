// Package tokenizer turns text into the token ids that an encoder was trained on.
//
// [WordPiece] is the uncased tokenizer of BERT (Devlin et al. 2018) as Hugging
// Face's BertTokenizerFast runs it: clean, split ideographs, strip accents, lower
// case, split at white space and punctuation, then cut each word into the longest
// pieces that the vocabulary knows.
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

// WordPiece is an uncased WordPiece tokenizer. It is immutable and safe for
// concurrent use.
type WordPiece struct {
	tokens  []string         // by id
	start   map[string]int32 // pieces that start a word
	inside  map[string]int32 // pieces that go on with one, without the mark
	longest int              // bytes of the longest piece
	special []special        // recognised in the raw text
	cls     int32
	sep     int32
	unk     int32
}

// special is a token that stands for itself wherever the raw text spells it.
type special struct {
	text string
	id   int32
}

// NewWordPiece reads a vocabulary in the form of BERT's vocab.txt: one token a
// line, its id the line's number from 0. The tokens [UNK], [CLS] and [SEP] must
// be there.
func NewWordPiece(vocab []byte) (*WordPiece, error) {
	w := &WordPiece{start: map[string]int32{}, inside: map[string]int32{}}
	for line := range bytes.Lines(vocab) {
		token := string(bytes.TrimRight(line, "\r\n"))
		if err := w.add(token); err != nil {
			return nil, fmt.Errorf("vocabulary line %d: %w", len(w.tokens)+1, err)
		}
	}
	for _, name := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		if id, ok := w.start[name]; ok {
			w.special = append(w.special, special{name, id})
		}
	}
	for name, id := range map[string]*int32{"[UNK]": &w.unk, "[CLS]": &w.cls, "[SEP]": &w.sep} {
		found, ok := w.start[name]
		if !ok {
			return nil, fmt.Errorf("vocabulary of %d tokens has no %s: it is not one of BERT's", len(w.tokens), name)
		}
		*id = found
	}
	return w, nil
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

// Size returns the number of tokens in the vocabulary; ids are below it.
func (w *WordPiece) Size() int { return len(w.tokens) }

// Token returns the token with the given id.
func (w *WordPiece) Token(id int32) string { return w.tokens[id] }

// Encode appends the ids of [CLS] text [SEP] to dst, at most maxTokens of them
// (at least 2): a longer text loses its end. Text behind the cut is not read.
// Bytes that are not UTF-8 are dropped.
func (w *WordPiece) Encode(dst []int32, text string, maxTokens int) []int32 {
	e := encoder{WordPiece: w, ids: append(dst, w.cls)}
	e.limit = len(dst) + max(maxTokens, 2) - 1
	for text != "" && !e.full() {
		plain, found, rest := w.cutSpecial(text)
		e.plain(plain)
		if found != nil && !e.full() {
			e.ids = append(e.ids, found.id)
		}
		text = rest
	}
	return append(e.ids, w.sep)
}

// cutSpecial splits text around its first special token; found is nil when there is none.
func (w *WordPiece) cutSpecial(text string) (plain string, found *special, rest string) {
	for from := 0; ; {
		open := strings.IndexByte(text[from:], '[')
		if open < 0 {
			return text, nil, ""
		}
		at := from + open
		for i := range w.special {
			if s := &w.special[i]; strings.HasPrefix(text[at:], s.text) {
				return text[:at], s, text[at+len(s.text):]
			}
		}
		from = at + 1
	}
}

// encoder is one call of Encode.
type encoder struct {
	*WordPiece
	ids   []int32
	limit int // of len(ids)

	word  [maxWordRunes * utf8.UTFMax]byte // the word being read, normalised
	bytes int                              // of word in use
	runes int                              // in the word; may exceed maxWordRunes
}

func (e *encoder) full() bool { return len(e.ids) >= e.limit }

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
		e.emit(e.unk)
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
			e.emit(e.unk)
			return
		}
		e.ids = append(e.ids, id)
		word, known = word[n:], e.inside
	}
	if e.full() {
		e.ids = e.ids[:e.limit]
	}
}

func (e *encoder) emit(id int32) {
	if !e.full() {
		e.ids = append(e.ids, id)
	}
}
