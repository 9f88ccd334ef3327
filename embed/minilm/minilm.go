// Package minilm holds two sentence encoders inside the binary, of 22.7 million
// parameters and 384 dimensions each: all-MiniLM-L6-v2 as published (Apache-2.0), and
// minilm-math, which shares its vocabulary and tables and whose layers were adapted to
// tell right solutions of mathematical problems from wrong ones (docs/adapt.md). The
// weights are int8 with one scale for 16 to 64 values, unpacked once, run in float32.
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
	"math"
	"slices"

	"rcvae"
	"rcvae/embed/transformer"
	"rcvae/internal/safetensors"
	"rcvae/internal/tokenizer"
)

//go:generate go run ./internal/quantize $RCVAE_MINILM_F32 minilm.safetensors

//go:embed minilm.safetensors
var weights []byte

// mathLayers replace the layers of weights.
//
//go:embed math.safetensors
var mathLayers []byte

//go:embed vocab.txt
var vocabulary []byte

// The names of the two models.
const (
	Name     = "minilm"
	NameMath = "minilm-math"
)

// Where the models come from, for people.
const (
	Source     = "sentence-transformers/all-MiniLM-L6-v2, 8-bit weights"
	SourceMath = "all-MiniLM-L6-v2, layers adapted to graded solutions of GSM8K and MATH training problems, 8-bit weights"
	License    = "Apache-2.0"
)

// positions is the number of positions that the model was trained with.
const positions = 512

// truncateEnds is the [rcvae.Fingerprint]'s word for KeepEnds.
const truncateEnds = "ends"

// Options tune an [Embedder].
type Options struct {
	MaxTokens int  // longer texts are cut; 2 to 512, [CLS] and [SEP] included
	KeepEnds  bool // a cut text keeps a quarter from its start and the rest from its end; else the start alone
	Workers   int  // goroutines that embed; 0: all processors
}

// DefaultOptions returns 512 tokens, the start of longer texts and all processors.
func DefaultOptions() Options { return Options{MaxTokens: positions} }

// DefaultMathOptions returns what minilm-math was adapted with: 448 tokens, both ends
// of longer texts. A solution's end holds its answer.
func DefaultMathOptions() Options { return Options{MaxTokens: 448, KeepEnds: true} }

// Validate reports every bad field.
func (o Options) Validate() error {
	var errs []error
	if o.MaxTokens < 2 || o.MaxTokens > positions {
		errs = append(errs, fmt.Errorf("max tokens is %d, want 2 to %d", o.MaxTokens, positions))
	}
	if o.Workers < 0 {
		errs = append(errs, fmt.Errorf("workers is %d, want at least 0", o.Workers))
	}
	return errors.Join(errs...)
}

// Embedder embeds texts with one of the models: mean of the last states, unit length.
// It may be used concurrently.
type Embedder struct {
	name      string
	options   Options
	tokenizer *tokenizer.WordPiece
	encoder   *transformer.Encoder
	hash      string // of the weights
}

var _ rcvae.Embedder = (*Embedder)(nil)

// New returns the published model. Unpacking the weights takes about 0.1 s and 90 MB.
func New(options Options) (*Embedder, error) {
	file, err := safetensors.Decode(weights)
	if err != nil {
		return nil, fmt.Errorf("built-in weights: %w", err)
	}
	return newEmbedder(Name, options, unpack(file), weightsHash)
}

// NewMath returns minilm-math.
func NewMath(options Options) (*Embedder, error) {
	tables, err := safetensors.Decode(weights)
	if err != nil {
		return nil, fmt.Errorf("built-in weights: %w", err)
	}
	layers, err := safetensors.Decode(mathLayers)
	if err != nil {
		return nil, fmt.Errorf("built-in layers of %s: %w", NameMath, err)
	}
	return newEmbedder(NameMath, options, overlay(unpack(layers), unpack(tables)), mathHash+"+"+weightsHash)
}

// Open returns the published model with the original float32 weights of a
// model.safetensors file.
func Open(path string, options Options) (*Embedder, error) {
	file, hash, err := readHashed(path)
	if err != nil {
		return nil, fmt.Errorf("open minilm weights: %w", err)
	}
	e, err := newEmbedder(Name, options, transformer.FromSafetensors(file), hash)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}

func newEmbedder(name string, options Options, lookup transformer.Lookup, hash string) (*Embedder, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("%s options: %w", name, err)
	}
	words, err := tokenizer.NewWordPiece(vocabulary)
	if err != nil {
		return nil, err
	}
	config := transformer.Config{
		Vocabulary: words.Size(), Positions: positions, Hidden: 384, Heads: 12, Intermediate: 1536, Layers: 6, Epsilon: 1e-12,
	}
	w, err := transformer.LoadWeights(config, lookup)
	if err != nil {
		return nil, err
	}
	encoder, err := transformer.New(config, w)
	if err != nil {
		return nil, err
	}
	return &Embedder{name, options, words, encoder, hash}, nil
}

// Fingerprint identifies the model by the hash of its weights.
func (e *Embedder) Fingerprint() rcvae.Fingerprint {
	f := rcvae.Fingerprint{
		Name: e.name, Weights: e.hash, Pooling: "mean", Dimension: e.encoder.Config().Hidden,
		MaxTokens: e.options.MaxTokens, Normalized: true,
	}
	if e.options.KeepEnds {
		f.Truncation = truncateEnds
	}
	return f
}

// Embed returns one unit vector of 384 dimensions per text, in order. Roles make no
// difference.
func (e *Embedder) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	ids := make([][]int32, len(texts))
	for i, text := range texts {
		ids[i] = e.tokens(text.Text)
	}
	return e.encoder.MeanPool(ctx, ids, e.options.Workers)
}

// tokens returns a text's ids, at most MaxTokens.
func (e *Embedder) tokens(text string) []int32 {
	if !e.options.KeepEnds {
		return e.tokenizer.Encode(nil, text, e.options.MaxTokens)
	}
	ids := e.tokenizer.Encode(nil, text, math.MaxInt32)
	return keepEnds(ids, e.options.MaxTokens)
}

// keepEnds cuts [CLS] … [SEP] to n ids: between those two, a quarter from the start
// and the rest from the end.
func keepEnds(ids []int32, n int) []int32 {
	if len(ids) <= n {
		return ids
	}
	start := 1 + (n-2)/4
	return slices.Concat(ids[:start], ids[len(ids)-(n-start):])
}
