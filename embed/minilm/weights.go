package minilm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"rcvae"
	"rcvae/embed/transformer"
	"rcvae/internal/gemm"
	"rcvae/internal/safetensors"
)

// The SHA-256 of the built-in files; see [Embedder.Verify].
const (
	weightsHash = "f1bc2ebbd94e8419249cce5ab990ead4e04b6e28da7ba56113066d1a486b52ca"
	mathHash    = "7387d59020b64712766f1960032bdeeb4702d8cfde8c29836c160bed9d6ca1e5"
)

// overlay looks tensors up in top where it has them, else in base: the layers of
// minilm-math over the tables of the published model.
func overlay(top, base transformer.Lookup) transformer.Lookup {
	return func(name string, shape ...int) ([]float32, error) {
		if strings.HasPrefix(name, "encoder.") {
			return top(name, shape...)
		}
		return base(name, shape...)
	}
}

// unpack returns a lookup in a file whose matrices are int8 with scales, see
// internal/quantize.
func unpack(file *safetensors.File) transformer.Lookup {
	plain := transformer.FromSafetensors(file)
	return func(name string, shape ...int) ([]float32, error) {
		matrix, err := file.Lookup(name)
		if err != nil || matrix.DType != "I8" {
			return plain(name, shape...)
		}
		if len(shape) != 2 || !slices.Equal(matrix.Shape, shape) {
			return nil, fmt.Errorf("tensor %s has shape %v, want %v", name, matrix.Shape, shape)
		}
		scale, err := file.Lookup(name + ".scale")
		if err != nil {
			return nil, err
		}
		scales, err := scale.Float32()
		if err != nil {
			return nil, err
		}
		if len(scales) == 0 || len(matrix.Data)%len(scales) != 0 {
			return nil, fmt.Errorf("tensor %s has %d values and %d scales", name, len(matrix.Data), len(scales))
		}
		return scaleGroups(matrix.Data, scales), nil
	}
}

// scaleGroups returns the int8 values times their group's scale. Groups are of equal
// size, in order.
func scaleGroups(values []byte, scales []float32) []float32 {
	out := make([]float32, len(values))
	size := len(values) / len(scales)
	pool := gemm.NewPool(0)
	defer pool.Close()
	const block = 4096 // groups
	pool.Run((len(scales)+block-1)/block, func(_, task int) {
		for g := task * block; g < min((task+1)*block, len(scales)); g++ {
			scale, group := scales[g], out[g*size:(g+1)*size]
			for j, v := range values[g*size : (g+1)*size] {
				group[j] = scale * float32(int8(v))
			}
		}
	})
	return out
}

func readHashed(path string) (*safetensors.File, string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	file, err := safetensors.Decode(data)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	sum := sha256.Sum256(data)
	return file, hex.EncodeToString(sum[:]), nil
}

// knownText is embedded by [Embedder.Verify].
const knownText = "The quick brown fox jumps over the lazy dog."

// known returns the first values of knownText's embedding from the reference
// implementation, and how far 8-bit weights may be from them: of the published model
// by Hugging Face transformers with the original float32 weights, of minilm-math by
// tools/adapt with these weights.
func (e *Embedder) known() (values []float32, tolerance float32) {
	if e.name == NameMath {
		return []float32{-0.003755, -0.006577, 0.016331, 0.086595, 0.038220, -0.073864, 0.008586, 0.020491}, 1e-4
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
		sum := sha256.Sum256(file.data)
		if got := hex.EncodeToString(sum[:]); got != file.want {
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
