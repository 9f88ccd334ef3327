package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Limits on a tokenizer.json. The largest known ones have 17 MB and 262,144 tokens.
const (
	maxJSON   = 128 << 20 // bytes
	maxTokens = 4 << 20
	maxSteps  = 16 // normalisers or splitters within each other or in a row
)

// file is a tokenizer.json.
type file struct {
	Added      []token
	Normalizer json.RawMessage
	Split      json.RawMessage
	Post       json.RawMessage
	Model      struct {
		Type         string          `json:"type"`
		UnknownID    *int32          `json:"unk_id"`
		Unknown      *string         `json:"unk_token"`
		Continuation string          `json:"continuing_subword_prefix"`
		EndOfWord    string          `json:"end_of_word_suffix"`
		MaxChars     int             `json:"max_input_chars_per_word"`
		Dropout      *float64        `json:"dropout"`
		FuseUnknown  bool            `json:"fuse_unk"`
		ByteFallback bool            `json:"byte_fallback"`
		IgnoreMerges bool            `json:"ignore_merges"`
		Vocabulary   json.RawMessage `json:"-"`
		Merges       json.RawMessage `json:"-"`
	}
}

// FromJSON reads a tokenizer.json of Hugging Face's tokenizers library.
func FromJSON(data []byte) (*Model, error) {
	if len(data) > maxJSON {
		return nil, fmt.Errorf("tokenizer.json of %d bytes, at most %d are read", len(data), maxJSON)
	}
	f, err := readFile(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	m, err := f.model()
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	return m, nil
}

func readFile(data []byte) (*file, error) {
	top, err := members(data)
	if err != nil {
		return nil, err
	}
	f := &file{Normalizer: top["normalizer"], Split: top["pre_tokenizer"], Post: top["post_processor"]}
	if raw := top["added_tokens"]; !isNull(raw) {
		if err := json.Unmarshal(raw, &f.Added); err != nil {
			return nil, fmt.Errorf("added_tokens: %w", err)
		}
	}
	model, err := members(top["model"])
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	f.Model.Vocabulary, f.Model.Merges = model["vocab"], model["merges"]
	delete(model, "vocab")
	delete(model, "merges")
	rest, err := json.Marshal(model)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := json.Unmarshal(rest, &f.Model); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return f, nil
}

func (f *file) model() (*Model, error) {
	p := &pipeline{}
	steps, err := f.steps()
	if err != nil {
		return nil, err
	}
	p.normalize, p.split = steps.normalize, steps.split
	var size int
	switch f.Model.Type {
	case "Unigram":
		p.model, size, err = f.unigram()
	case "BPE":
		p.model, size, err = f.bpe(steps.bytes)
	case "WordPiece":
		p.model, size, err = f.wordPiece(steps.bert)
	default:
		err = fmt.Errorf("models of type %q are not supported: Unigram, BPE and WordPiece are", f.Model.Type)
	}
	if err != nil {
		return nil, err
	}
	if (steps.bert == nil) == (f.Model.Type == "WordPiece") {
		return nil, fmt.Errorf("a %s model wants another normaliser and pre-tokeniser than those that are there", f.Model.Type)
	}
	m := &Model{Tokenizer: p, Size: size}
	if err := f.addTokens(p, m); err != nil {
		return nil, err
	}
	m.Template, err = readTemplate(f.Post, 0)
	if err != nil {
		return nil, err
	}
	for _, ids := range [][]int32{m.Template.Prefix, m.Template.Suffix} {
		for _, id := range ids {
			m.Size = max(m.Size, int(id)+1)
		}
	}
	return m, nil
}

// addTokens sets the added tokens, those that are looked for in normalised text in their
// normalised form.
func (f *file) addTokens(p *pipeline, m *Model) error {
	var raw, normalized []token
	for _, t := range f.Added {
		if t.ID < 0 || t.ID >= math.MaxInt32-1 {
			return fmt.Errorf("added token %q has the id %d", t.Content, t.ID)
		}
		m.Size = max(m.Size, int(t.ID)+1)
		if !t.Normalized {
			raw = append(raw, t)
			continue
		}
		for _, normalize := range p.normalize {
			t.Content = normalize(t.Content)
		}
		normalized = append(normalized, t)
	}
	p.raw, p.normalized = newAdded(raw), newAdded(normalized)
	return nil
}

func (f *file) unigram() (pieces, int, error) {
	tokens, scores, err := scanPairs(f.Model.Vocabulary)
	if err != nil {
		return nil, 0, err
	}
	if f.Model.ByteFallback {
		return nil, 0, errors.New("a Unigram model with byte fallback is not supported")
	}
	if f.Model.UnknownID == nil {
		return nil, 0, errors.New("the Unigram model has no unk_id")
	}
	u, err := newUnigram(tokens, scores, *f.Model.UnknownID)
	return u, len(tokens), err
}

// vocabulary reads a map of tokens to ids.
func (f *file) vocabulary() (map[string]int32, int, error) {
	var ids map[string]int32
	if err := json.Unmarshal(f.Model.Vocabulary, &ids); err != nil {
		return nil, 0, fmt.Errorf("vocabulary: %w", err)
	}
	if len(ids) == 0 || len(ids) > maxTokens {
		return nil, 0, fmt.Errorf("a vocabulary of %d tokens, want 1 to %d", len(ids), maxTokens)
	}
	size := 0
	for t, id := range ids {
		if id < 0 || id >= maxTokens {
			return nil, 0, fmt.Errorf("token %q has the id %d", t, id)
		}
		size = max(size, int(id)+1)
	}
	return ids, size, nil
}

func (f *file) bpe(byBytes bool) (pieces, int, error) {
	ids, size, err := f.vocabulary()
	if err != nil {
		return nil, 0, err
	}
	if f.Model.Continuation != "" || f.Model.EndOfWord != "" || (f.Model.Dropout != nil && *f.Model.Dropout != 0) {
		return nil, 0, errors.New("a BPE model with marks within words or with dropout is not supported")
	}
	pairs, err := readMerges(f.Model.Merges)
	if err != nil {
		return nil, 0, err
	}
	unknown := int32(-1)
	if f.Model.Unknown != nil {
		if id, ok := ids[*f.Model.Unknown]; ok {
			unknown = id
		}
	}
	b, err := newBPE(ids, pairs, byBytes)
	if err != nil {
		return nil, 0, err
	}
	if !byBytes && !f.Model.ByteFallback {
		b.noBytes()
	}
	b.unk, b.fuse, b.whole = unknown, f.Model.FuseUnknown, f.Model.IgnoreMerges
	return b, size, nil
}

// readMerges reads merges as pairs or, as older files have them, as "left right".
func readMerges(raw json.RawMessage) ([][2]string, error) {
	var pairs [][2]string
	if json.Unmarshal(raw, &pairs) == nil {
		return pairs, nil
	}
	var lines []string
	if err := json.Unmarshal(raw, &lines); err != nil {
		return nil, fmt.Errorf("merges: %w", err)
	}
	return splitMerges(lines)
}

func (f *file) wordPiece(bert *bertNormalizer) (pieces, int, error) {
	ids, size, err := f.vocabulary()
	if err != nil {
		return nil, 0, err
	}
	tokens := make([]string, size)
	for t, id := range ids {
		tokens[id] = t
	}
	w := newWordPiece()
	if f.Model.Continuation != continuation || (f.Model.MaxChars != 0 && f.Model.MaxChars != maxWordRunes) {
		return nil, 0, fmt.Errorf("a WordPiece model with the mark %q and words of %d characters is not supported: want %q and %d", f.Model.Continuation, f.Model.MaxChars, continuation, maxWordRunes)
	}
	for i, t := range tokens {
		if t == "" {
			w.tokens = append(w.tokens, "") // an id that no token has
			continue
		}
		if err := w.add(t); err != nil {
			return nil, 0, fmt.Errorf("token %d: %w", i, err)
		}
	}
	unknown := "[UNK]"
	if f.Model.Unknown != nil {
		unknown = *f.Model.Unknown
	}
	if err := w.setUnknown(unknown); err != nil {
		return nil, 0, err
	}
	if bert != nil {
		w.normalization = bert.normalization()
	}
	return w, size, nil
}
