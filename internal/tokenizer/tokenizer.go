// Package tokenizer turns text into the token ids that a model was trained on, as
// Hugging Face's tokenizers do: [WordPiece] (BERT), Unigram (XLM-RoBERTa) and byte pair
// encoding over bytes (GPT-2, Llama 3, Qwen, ModernBERT) or characters (Llama 2, Gemma),
// from a tokenizer.json, a vocab.txt or the metadata of a GGUF file.
//
// A tokenizer yields the ids of the text alone. What a model wants around them, and how
// a long text is cut, stands in [Template].
package tokenizer

import "slices"

// Tokenizer splits text. The ids are those of the text without the special tokens that
// a model wants around it; special tokens that the text itself spells are recognised.
// A Tokenizer is immutable and safe for concurrent use.
type Tokenizer interface {
	Encode(text string) []int32
}

// Template is what a model wants around the ids of a text, such as [CLS] and [SEP].
type Template struct {
	Prefix, Suffix []int32
}

// Wrap returns prefix, ids and suffix in at most limit ids, and at least those around
// the text. Of a longer text the start is kept, or with ends a quarter from its start and
// the rest from its end.
func (t Template) Wrap(ids []int32, limit int, ends bool) []int32 {
	room := max(0, limit-len(t.Prefix)-len(t.Suffix))
	return slices.Concat(t.Prefix, Cut(ids, room, ends), t.Suffix)
}

// Cut returns at most n ids: the first, or with ends a quarter from the start and the
// rest from the end.
func Cut(ids []int32, n int, ends bool) []int32 {
	switch {
	case len(ids) <= n:
		return ids
	case !ends:
		return ids[:n]
	}
	start := n / 4
	return slices.Concat(ids[:start], ids[len(ids)-(n-start):])
}

// Model is a tokenizer with what its files say about special tokens.
type Model struct {
	Tokenizer
	Template Template
	Size     int // ids are below it
}
