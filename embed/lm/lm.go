// Package lm holds adapters that make a small language model an embedder of mathematical
// solutions (docs/adapt-lm.md). The language model itself, Qwen2.5-Coder-0.5B-Instruct, is
// read from a file of the user's: those who sample from it have that on their disk.
//
// A solution is read behind its question. Its vector is the mean of the last states over
// its own tokens, that of a question over the question's; 512 tokens are read, of a long
// question the end, of a long solution both ends. The adapters are merged while loading
// and the weights held in eight bits.
package lm

import (
	"crypto/sha256"
	_ "embed" // the adapters
	"encoding/hex"
	"sync"

	"rcvae"
	"rcvae/embed/encoder"
)

//go:embed qwen2.5-coder-0.5b.safetensors
var adapters []byte

// Name is the embedder's name.
const Name = "math-lm"

// What the adapters belong to.
const (
	Base       = "Qwen2.5-Coder-0.5B-Instruct"
	Repository = "Qwen/" + Base // on the hub
	License    = "Apache-2.0"   // of the base and the adapters
)

// SameFrom is the cosine of probe texts from which on a file is taken for the base: a rounding
// of 5 bits (0.994) costs no point of the vote, one of 4 bits (0.969) two to four.
const SameFrom = 0.98

const maxTokens, dimension = 512, 896

// adaptersHash returns the SHA-256 of the adapters.
var adaptersHash = sync.OnceValue(func() string {
	sum := sha256.Sum256(adapters)
	return hex.EncodeToString(sum[:])
})

// weights says in fingerprints which function this is: one for all files of the base, as
// published or rounded. What a file's vectors differ from others', probe texts tell.
func weights() string { return Base + " with adapters " + adaptersHash() }

// Fingerprint returns the fingerprint that an opened base has, and opens nothing:
//
//	{Name: "math-lm", Weights: "Qwen2.5-Coder-0.5B-Instruct with adapters HASH in eight bits",
//	 Pooling: "mean", InContext: true, Dimension: 896, MaxTokens: 512, Truncation: "ends", Normalized: true}
//
// with HASH the SHA-256 of the adapters' file.
func Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{
		Name: Name, Weights: weights() + " in eight bits", Pooling: encoder.PoolMean, InContext: true,
		Dimension: dimension, MaxTokens: maxTokens, Truncation: "ends", Normalized: true,
	}
}

// Open opens the base, a GGUF file or a folder in Hugging Face's layout, with the
// adapters. The caller closes it.
func Open(path string) (*encoder.Model, error) {
	return encoder.Open(path, encoder.Options{
		Name: Name, Weights: weights(), Pooling: encoder.PoolMean, MaxTokens: maxTokens, KeepEnds: true, InContext: true,
		AdapterData: adapters, WeightBits: 8,
	})
}
