// Package minilm holds two sentence encoders inside the binary, of 22.7 million
// parameters and 384 dimensions each: all-MiniLM-L6-v2 as published (Apache-2.0), and
// minilm-math, which shares its vocabulary and tables and whose layers were adapted to
// tell right solutions of mathematical problems from wrong ones (docs/adapt.md). The
// weights are int8 with one scale for 16 to 64 values, and stay so in memory; states are
// float32, rounded to bfloat16 in products where the processor multiplies these.
//
// Source: sentence-transformers/all-MiniLM-L6-v2; Wang et al., "MiniLM: Deep
// Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained
// Transformers" (2020).
package minilm

import (
	_ "embed" // the weights and the vocabulary
	"errors"
	"fmt"
	"os"

	"rcvae"
	"rcvae/embed/encoder"
	"rcvae/internal/mapped"
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

//go:embed config.json
var config []byte

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

// positions is the number of positions that the model was trained with, dimension the
// length of its embeddings.
const positions, dimension = 512, 384

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
	*encoder.Model
	name string
}

var _ rcvae.Embedder = (*Embedder)(nil)

// New returns the published model. Packing the weights takes about 0.05 s and 15 MB.
func New(options Options) (*Embedder, error) {
	return newEmbedder(Name, options, mapped.Memory{"model.safetensors": weights}, weightsHash)
}

// NewMath returns minilm-math.
func NewMath(options Options) (*Embedder, error) {
	folder, err := overlaid()
	if err != nil {
		return nil, err
	}
	return newEmbedder(NameMath, options, folder, mathHash+"+"+weightsHash)
}

// FingerprintOf returns the fingerprint that [New], for [Name], or [NewMath], for
// [NameMath], gives with the options, and opens nothing.
func FingerprintOf(name string, options Options) (rcvae.Fingerprint, error) {
	hash, ok := map[string]string{Name: weightsHash, NameMath: mathHash + "+" + weightsHash}[name]
	if !ok {
		return rcvae.Fingerprint{}, fmt.Errorf("there is no built-in encoder %q: %s and %s are", name, Name, NameMath)
	}
	if err := options.Validate(); err != nil {
		return rcvae.Fingerprint{}, fmt.Errorf("%s options: %w", name, err)
	}
	f := rcvae.Fingerprint{Name: name, Weights: hash, Pooling: encoder.PoolMean, Dimension: dimension, MaxTokens: options.MaxTokens, Normalized: true}
	if options.KeepEnds {
		f.Truncation = "ends"
	}
	return f, nil
}

// Open returns the published model with the original float32 weights of a
// model.safetensors file.
func Open(path string, options Options) (*Embedder, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open minilm weights: %w", err)
	}
	e, err := newEmbedder(Name, options, mapped.Memory{"model.safetensors": data}, hashOf(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}

// newEmbedder opens a folder of weights beside the model's other files.
func newEmbedder(name string, options Options, folder mapped.Memory, hash string) (*Embedder, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("%s options: %w", name, err)
	}
	folder["config.json"], folder["vocab.txt"] = config, vocabulary
	m, err := encoder.OpenFS(folder, encoder.Options{
		Name: name, Weights: hash, Pooling: encoder.PoolMean, MaxTokens: options.MaxTokens, KeepEnds: options.KeepEnds, Workers: options.Workers,
	})
	if err != nil {
		return nil, err
	}
	return &Embedder{m, name}, nil
}
