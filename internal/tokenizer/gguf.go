package tokenizer

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Kinds of tokens in GGUF files.
const (
	kindUnknown = 2
	kindControl = 3
	kindUser    = 4
	kindUnused  = 5
	kindByte    = 6
)

const separatorKey = "seperator_token_id" //nolint:misspell // the format spells it so

// vocabulary is what the metadata of a GGUF file says of the tokenizer.
type vocabulary struct {
	metadata map[string]any
	tokens   []string
	kinds    []int64
	scores   []float64
	merges   []string
}

// FromGGUF reads the tokenizer of a GGUF file from its metadata.
func FromGGUF(metadata map[string]any) (*Model, error) {
	v := &vocabulary{metadata: metadata}
	v.tokens, _ = metadata["tokenizer.ggml.tokens"].([]string)
	v.kinds, _ = metadata["tokenizer.ggml.token_type"].([]int64)
	v.scores, _ = metadata["tokenizer.ggml.scores"].([]float64)
	v.merges, _ = metadata["tokenizer.ggml.merges"].([]string)
	if n := len(v.tokens); n == 0 || n > maxTokens || (v.kinds != nil && len(v.kinds) != n) || (v.scores != nil && len(v.scores) != n) {
		return nil, fmt.Errorf("GGUF tokenizer: %d tokens, %d types and %d scores do not fit each other", n, len(v.kinds), len(v.scores))
	}
	m, err := v.model()
	if err != nil {
		return nil, fmt.Errorf("GGUF tokenizer: %w", err)
	}
	m.Size = len(v.tokens)
	return m, nil
}

func (v *vocabulary) model() (*Model, error) {
	name, _ := v.metadata["tokenizer.ggml.model"].(string)
	switch name {
	case "gpt2":
		return v.byteLevel()
	case "bert":
		return v.wordPiece()
	case "t5":
		return v.unigram()
	case "llama":
		return v.byScores()
	}
	return nil, fmt.Errorf("the model %q is not supported: gpt2, bert, t5 and llama are", name)
}

func (v *vocabulary) kind(i int) int64 {
	if v.kinds == nil {
		return 1
	}
	return v.kinds[i]
}

func (v *vocabulary) bool(key string, fallback bool) bool {
	if b, ok := v.metadata["tokenizer.ggml."+key].(bool); ok {
		return b
	}
	return fallback
}

// id returns the token that a key names, -1 for none.
func (v *vocabulary) id(key string) int32 {
	id, ok := v.metadata["tokenizer.ggml."+key].(int64)
	if !ok || id < 0 || id >= int64(len(v.tokens)) {
		return -1
	}
	return int32(id)
}

// special returns the tokens that stand for themselves.
func (v *vocabulary) special() added {
	var tokens []token
	for i, t := range v.tokens {
		if k := v.kind(i); k == kindControl || k == kindUser {
			tokens = append(tokens, token{ID: int32(i), Content: t, LeftStrip: t == "<mask>"})
		}
	}
	return newAdded(tokens)
}

// template puts the tokens for begin and end around a text where the file says so.
func (v *vocabulary) template(begin, end bool) (Template, error) {
	var t Template
	for _, x := range []struct {
		wanted bool
		key    string
		ids    *[]int32
	}{{v.bool("add_bos_token", begin), "bos_token_id", &t.Prefix}, {v.bool("add_eos_token", end), "eos_token_id", &t.Suffix}} {
		if !x.wanted {
			continue
		}
		id := v.id(x.key)
		if id < 0 {
			return t, fmt.Errorf("it wants a token around the text, but has no %s", x.key)
		}
		*x.ids = []int32{id}
	}
	return t, nil
}

// ids returns the tokens by text, those of text alone.
func (v *vocabulary) ids() map[string]int32 {
	ids := make(map[string]int32, len(v.tokens))
	for i, t := range v.tokens {
		if _, seen := ids[t]; !seen && v.kind(i) != kindUnused {
			ids[t] = int32(i)
		}
	}
	return ids
}

func (v *vocabulary) byteLevel() (*Model, error) {
	pairs, err := splitMerges(v.merges)
	if err != nil {
		return nil, err
	}
	b, err := newBPE(v.ids(), pairs, true)
	if err != nil {
		return nil, err
	}
	p := &pipeline{raw: v.special(), model: b}
	begin := false
	pre, _ := v.metadata["tokenizer.ggml.pre"].(string)
	switch pre {
	case "gpt-2", "modern-bert", "roberta-bpe":
		p.split = []splitter{patterns()[patternGPT2]}
	case "llama-bpe", "llama3", "llama-v3":
		p.split, b.whole, begin = []splitter{patterns()[patternLlama3]}, true, true
	case "qwen2", "deepseek-r1-qwen":
		p.split, p.normalize = []splitter{patterns()[patternQwen2]}, []normalizer{norm.NFC.String}
	default:
		return nil, fmt.Errorf("the splitter tokenizer.ggml.pre %q is not supported: gpt-2, modern-bert, llama-bpe and qwen2 are", pre)
	}
	t, err := v.template(begin, false)
	if err == nil && (pre == "modern-bert" || pre == "roberta-bpe") && len(t.Prefix)+len(t.Suffix) == 0 {
		t = Template{Prefix: []int32{v.id("cls_token_id")}, Suffix: []int32{v.id(separatorKey)}}
		if t.Prefix[0] < 0 || t.Suffix[0] < 0 {
			return nil, fmt.Errorf("it has no cls_token_id or no %s", separatorKey)
		}
	}
	return &Model{Tokenizer: p, Template: t}, err
}

// wordPiece reads BERT's vocabulary, which marks words' starts where vocab.txt marks what
// goes on with a word.
func (v *vocabulary) wordPiece() (*Model, error) {
	w := newWordPiece()
	for i, t := range v.tokens {
		bracketed := strings.HasPrefix(t, "[") && strings.HasSuffix(t, "]")
		if k := v.kind(i); k != kindControl && k != kindUnknown && k != kindUnused && !bracketed {
			rest, starts := strings.CutPrefix(t, metaspaceMark)
			if t = rest; !starts {
				t = continuation + rest
			}
		}
		if err := w.add(t); err != nil {
			return nil, fmt.Errorf("token %d: %w", i, err)
		}
	}
	return w.bert()
}

const metaspaceMark = "▁"

func (v *vocabulary) unigram() (*Model, error) {
	tokens := slices.Clone(v.tokens)
	for i := range tokens {
		if v.kind(i) == kindUnused {
			tokens[i] = ""
		}
	}
	u, err := newUnigram(tokens, v.scores, v.id("unknown_token_id"))
	if err != nil {
		return nil, err
	}
	p := &pipeline{raw: v.special(), model: u}
	if raw, ok := v.metadata["tokenizer.ggml.precompiled_charsmap"].([]byte); ok {
		m, err := newCharsmap(raw)
		if err != nil {
			return nil, err
		}
		p.normalize = []normalizer{m.normalize}
	}
	words, err := (&step{Type: "WhitespaceSplit"}).splitter()
	if err != nil {
		return nil, err
	}
	marks, err := v.metaspace()
	if err != nil {
		return nil, err
	}
	p.split = []splitter{words, marks}
	t, err := v.template(true, true)
	return &Model{Tokenizer: p, Template: t}, err
}

func (v *vocabulary) metaspace() (splitter, error) {
	scheme := "always"
	if !v.bool("add_space_prefix", true) {
		scheme = "never"
	}
	return (&step{Type: "Metaspace", Replacement: metaspaceMark, Scheme: &scheme}).splitter()
}

// byScores is SentencePiece's byte pair encoding: of two neighbours that make a token,
// those with the best score are merged first.
func (v *vocabulary) byScores() (*Model, error) {
	if v.scores == nil {
		return nil, errors.New("it has no scores")
	}
	b, err := newBPE(v.ids(), nil, false)
	if err != nil {
		return nil, err
	}
	b.unk, b.fuse = v.id("unknown_token_id"), true
	b.tokens, b.ranks = v.tokens, v.ranks()
	scheme := v.bool("add_space_prefix", true)
	p := &pipeline{raw: v.special(), model: b, split: []splitter{func(text string, first bool, emit func(string)) {
		text = strings.ReplaceAll(text, " ", metaspaceMark)
		if scheme && first {
			text = metaspaceMark + text
		}
		emit(text)
	}}}
	t, err := v.template(true, false)
	return &Model{Tokenizer: p, Template: t}, err
}

// ranks orders the tokens that a merge can make by their scores, the best first; others
// have none, -1.
func (v *vocabulary) ranks() []int32 {
	order := make([]int, 0, len(v.tokens))
	ranks := make([]int32, len(v.tokens))
	for i := range v.tokens {
		ranks[i] = -1
		if k := v.kind(i); k != kindControl && k != kindUnknown && k != kindUnused && k != kindByte {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(v.scores[b], v.scores[a]) })
	rank, last := int32(-1), math.Inf(1)
	for _, i := range order {
		if s := v.scores[i]; rank < 0 || s != last {
			rank, last = rank+1, s
		}
		ranks[i] = rank
	}
	return ranks
}
