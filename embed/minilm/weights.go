package minilm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"rcvae"

	"rcvae/internal/gemm"
	"rcvae/internal/mapped"
	"rcvae/internal/safetensors"
)

// The SHA-256 of the built-in files; see [Embedder.Verify].
const (
	weightsHash = "f1bc2ebbd94e8419249cce5ab990ead4e04b6e28da7ba56113066d1a486b52ca"
	mathHash    = "7387d59020b64712766f1960032bdeeb4702d8cfde8c29836c160bed9d6ca1e5"
)

// overlaid returns the weights of minilm-math as two files and an index: its layers, and
// the tables of the published model.
func overlaid() (mapped.Memory, error) {
	const tables, layers = "tables.safetensors", "layers.safetensors"
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	index.Map = make(map[string]string)
	for name, data := range map[string][]byte{tables: weights, layers: mathLayers} {
		file, err := safetensors.Decode(data)
		if err != nil {
			return nil, fmt.Errorf("built-in %s of %s: %w", name, NameMath, err)
		}
		for _, t := range file.Tensors {
			if strings.HasPrefix(t.Name, "encoder.") == (name == layers) {
				index.Map[t.Name] = name
			}
		}
	}
	raw, err := json.Marshal(index)
	if err != nil {
		return nil, err
	}
	return mapped.Memory{"model.safetensors.index.json": raw, tables: weights, layers: mathLayers}, nil
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// knownText is embedded by [Embedder.Verify].
const knownText = "The quick brown fox jumps over the lazy dog."

// known returns the first values of knownText's embedding from the reference
// implementation, and how far 8-bit weights may be from them: of the published model
// by Hugging Face transformers with the original float32 weights, of minilm-math by
// tools/adapt with these weights, which some kernels round.
func (e *Embedder) known() (values []float32, tolerance float32) {
	if e.name == NameMath {
		tolerance = 1e-4
		if gemm.Rounds() || gemm.Quantizes() {
			tolerance = 2e-3
		}
		return []float32{-0.003755, -0.006577, 0.016331, 0.086595, 0.038220, -0.073864, 0.008586, 0.020491}, tolerance
	}
	return []float32{0.043934, 0.058934, 0.048178, 0.077548, 0.026744, -0.037630, -0.002605, -0.059943}, 0.01
}

// Verify checks the built-in weights against their hashes, and the embedding of a
// known text against the reference implementation's.
func (e *Embedder) Verify() error {
	for _, file := range []struct {
		name, want string
		data       []byte
	}{{"weights", weightsHash, weights}, {"layers of " + NameMath, mathHash, mathLayers}} {
		if got := hashOf(file.data); got != file.want {
			return fmt.Errorf("the built-in %s have SHA-256 %s, want %s: the binary is damaged, build it again", file.name, got, file.want)
		}
	}
	embeddings, err := e.Embed(context.Background(), []rcvae.Text{{Text: knownText}})
	if err != nil {
		return err
	}
	values, tolerance := e.known()
	for i, want := range values {
		if got := embeddings[0][i]; max(got-want, want-got) > tolerance {
			return fmt.Errorf("value %d of a known embedding is %g, want %g: the kernels %q compute wrongly here, try RCVAE_KERNELS=go", i, got, want, gemm.Kernels())
		}
	}
	return nil
}
