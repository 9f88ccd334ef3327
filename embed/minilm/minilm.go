// Package minilm is the sentence encoder all-MiniLM-L6-v2 (22.7 million parameters,
// 384 dimensions, Apache-2.0) inside the binary: int8 weights with one scale for
// 16 or 64 values, unpacked once, run in float32.
//
// Source: sentence-transformers/all-MiniLM-L6-v2; Wang et al., "MiniLM: Deep
// Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained
// Transformers" (2020).
package minilm

import (
	"context"
	_ "embed" // the weights and the vocabulary
	"errors"
	"fmt"

	"rcvae"
	"rcvae/embed/transformer"
	"rcvae/internal/safetensors"
	"rcvae/internal/tokenizer"
)

//go:generate go run ./internal/quantize $RCVAE_MINILM_F32 minilm.safetensors

//go:embed minilm.safetensors
var weights []byte

//go:embed vocab.txt
var vocabulary []byte

// Where the built-in model comes from, for people.
const (
	Source  = "sentence-transformers/all-MiniLM-L6-v2, 8-bit weights"
	License = "Apache-2.0"
)

// maxTokens is the number of positions that the model was trained with.
const maxTokens = 512

// Options tune an [Embedder].
type Options struct {
	MaxTokens int // longer texts lose their end; 2 to 512, [CLS] and [SEP] included
	Workers   int // goroutines that embed; 0: all processors
}

// DefaultOptions returns 512 tokens and all processors.
func DefaultOptions() Options { return Options{MaxTokens: maxTokens} }

// Validate reports every bad field.
func (o Options) Validate() error {
	var errs []error
	if o.MaxTokens < 2 || o.MaxTokens > maxTokens {
		errs = append(errs, fmt.Errorf("max tokens is %d, want 2 to %d", o.MaxTokens, maxTokens))
	}
	if o.Workers < 0 {
		errs = append(errs, fmt.Errorf("workers is %d, want at least 0", o.Workers))
	}
	return errors.Join(errs...)
}

// Embedder embeds texts with all-MiniLM-L6-v2: mean of the last states, unit length.
// It may be used concurrently.
type Embedder struct {
	options   Options
	tokenizer *tokenizer.WordPiece
	encoder   *transformer.Encoder
	hash      string // SHA-256 of the weights file
}

var _ rcvae.FingerprintedEmbedder = (*Embedder)(nil)

// New returns the built-in model. Unpacking the weights takes about 0.1 s and 90 MB.
func New(options Options) (*Embedder, error) {
	file, err := safetensors.Decode(weights)
	if err != nil {
		return nil, fmt.Errorf("built-in weights: %w", err)
	}
	return newEmbedder(options, unpack(file), weightsHash)
}

// Open returns the same model with the original float32 weights of a
// model.safetensors file.
func Open(path string, options Options) (*Embedder, error) {
	file, hash, err := readHashed(path)
	if err != nil {
		return nil, fmt.Errorf("open minilm weights: %w", err)
	}
	e, err := newEmbedder(options, transformer.FromSafetensors(file), hash)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}

func newEmbedder(options Options, lookup transformer.Lookup, hash string) (*Embedder, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("minilm options: %w", err)
	}
	words, err := tokenizer.NewWordPiece(vocabulary)
	if err != nil {
		return nil, err
	}
	config := transformer.Config{
		Vocabulary: words.Size(), Positions: maxTokens, Hidden: 384, Heads: 12, Intermediate: 1536, Layers: 6, Epsilon: 1e-12,
	}
	w, err := transformer.LoadWeights(config, lookup)
	if err != nil {
		return nil, err
	}
	encoder, err := transformer.New(config, w)
	if err != nil {
		return nil, err
	}
	return &Embedder{options, words, encoder, hash}, nil
}

// Fingerprint identifies the model by the hash of its weights.
func (e *Embedder) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{
		Name: "minilm", Weights: e.hash, Pooling: "mean", Dimension: e.encoder.Config().Hidden,
		MaxTokens: e.options.MaxTokens, Normalized: true,
	}
}

// Embed returns one unit vector of 384 dimensions a text, in order.
func (e *Embedder) Embed(ctx context.Context, texts []string) ([]rcvae.Embedding, error) {
	ids := make([][]int32, len(texts))
	for i, text := range texts {
		ids[i] = e.tokenizer.Encode(nil, text, e.options.MaxTokens)
	}
	return e.encoder.MeanPool(ctx, ids, e.options.Workers)
}
