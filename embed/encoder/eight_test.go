package encoder_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed/encoder"
	"rcvae/internal/gemm"
	"rcvae/internal/safetensors"
)

// Weights that are rounded to eight bits make little of a difference, with every set of
// kernels, and another fingerprint. In 32 random dimensions errors hardly average out; of a
// trained model see TestLanguageModelAgreesWithTheReference.
func TestEightBits(t *testing.T) {
	for _, name := range families {
		folder := filepath.Join("testdata", "tiny", name)
		g := readGolden(t, filepath.Join(folder, "golden.safetensors"))
		onEveryPath(t, func(t *testing.T) {
			m := open(t, folder, encoder.Options{Pooling: "mean", WeightBits: 8})
			got, err := m.EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts)
			if err != nil {
				t.Fatal(err)
			}
			least := 1.0
			for i, want := range g.pooled(t, "mean") {
				least = min(least, cosine(got[i], want))
			}
			if least < 0.995 {
				t.Errorf("%s with %s: least cosine %.6f with the reference, want at least 0.995", name, gemm.Kernels(), least)
			}
			if m.Fingerprint().Same(open(t, folder, encoder.Options{Pooling: "mean"}).Fingerprint()) {
				t.Errorf("%s: weights in eight bits have the fingerprint of those in float32", name)
			}
		})
	}
}

// A file in eight bits gives what its values give in float32, whatever the size of the
// groups.
func TestStoredEightBits(t *testing.T) {
	const path = "testdata/tiny/bert"
	g := readGolden(t, path+"/golden.safetensors")
	model, err := safetensors.ReadFile(path + "/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range []int{1, 4, 16} {
		var eight, plain safetensors.File
		for _, tensor := range model.Tensors {
			values, err := tensor.Float32()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(tensor.Name, "encoder.layer") && len(tensor.Shape) == 2 {
				data, scales := make([]byte, len(values)), make([]float32, len(values)/group)
				for i, v := range values {
					top := slices.Max(values[i/group*group : (i/group+1)*group])
					scales[i/group] = max(top, 0.01) / 64
					data[i] = byte(int8(max(-127, min(127, v/scales[i/group]))))
					values[i] = scales[i/group] * float32(int8(data[i]))
				}
				eight.Tensors = append(eight.Tensors, safetensors.Tensor{Name: tensor.Name, DType: "I8", Shape: tensor.Shape, Data: data},
					safetensors.Float32s(tensor.Name+".scale", []int{tensor.Shape[0], tensor.Shape[1] / group}, scales))
			} else {
				eight.Tensors = append(eight.Tensors, tensor)
			}
			plain.Tensors = append(plain.Tensors, safetensors.Float32s(tensor.Name, tensor.Shape, values))
		}
		files := folder(t, nil)
		onEveryPath(t, func(t *testing.T) {
			var got [2][]rcvae.Embedding
			for i, f := range []safetensors.File{eight, plain} {
				files["model.safetensors"].Data = encode(t, f)
				if got[i], err = openFS(t, files, encoder.Options{Pooling: "mean", TokensOnly: true}).EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts); err != nil {
					t.Fatal(err)
				}
			}
			for i := range got[0] {
				tolerance := 1e-6
				if gemm.Rounds() || gemm.Quantizes() {
					tolerance = 1e-3
				}
				if c := cosine(got[0][i], got[1][i]); math.Abs(c-1) > tolerance {
					t.Errorf("groups of %d, %s, text %d: cosine %v of both forms, want 1", group, gemm.Kernels(), i, c)
				}
			}
		})
	}
}
