package encoder_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"rcvae"
	"rcvae/embed/encoder"
	"rcvae/internal/gemm"
	"rcvae/internal/safetensors"
)

// The golden vectors of the language model and its adapter, made by
// tools/adapt/lm_golden.py with PyTorch from the same GGUF file: see docs/adapt-lm.md.
const (
	lmAdapter = "../lm/qwen2.5-coder-0.5b.safetensors"
	lmGolden  = "../lm/testdata/golden"
)

// TestLanguageModelAgreesWithTheReference checks tokens, r and q of questions and their
// solutions, two of which are longer than the model reads.
func TestLanguageModelAgreesWithTheReference(t *testing.T) {
	path := os.Getenv("RCVAE_QWEN_GGUF")
	if path == "" {
		t.Skip("RCVAE_QWEN_GGUF does not name the GGUF file of Qwen2.5-Coder-0.5B-Instruct, Q4_K_M")
	}
	texts := lmTexts(t)
	file, err := safetensors.ReadFile(lmGolden + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	g := golden{file: file}
	for _, c := range []struct {
		name, adapter string
		bits          int
	}{{"adapted", lmAdapter, 8}, {"adapted", lmAdapter, 32}, {"base", "", 32}} {
		t.Run(fmt.Sprintf("%s in %d bits", c.name, c.bits), func(t *testing.T) {
			m, err := encoder.Open(path, encoder.Options{Pooling: encoder.PoolMean, MaxTokens: 512, InContext: true, Adapter: c.adapter, WeightBits: c.bits})
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Embed(t.Context(), texts)
			if err != nil {
				t.Fatal(err)
			}
			for i, parts := 0, [2][][]float32{g.pooled(t, c.name+".q"), g.pooled(t, c.name+".r")}; i < len(got); i++ {
				if cos := cosine(got[i], parts[i%2][i/2]); !(cos >= 1-1e-3) {
					t.Errorf("%s: %s %d has a cosine of %v with the reference, want at least 0.999", c.name, texts[i].Role, i/2, cos)
				}
			}
			t.Logf("%s, in %d bits, with %s: least cosine %.6f", c.name, c.bits, gemm.Kernels(), leastCosine(got, g.pooled(t, c.name+".q"), g.pooled(t, c.name+".r")))
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// leastCosine compares questions and solutions, in turn, with their vectors.
func leastCosine(got []rcvae.Embedding, q, r [][]float32) float64 {
	least := 1.0
	for i, e := range got {
		least = min(least, cosine(e, [2][][]float32{q, r}[i%2][i/2]))
	}
	return least
}

// lmTexts returns each question of the golden texts and its solution.
func lmTexts(t testing.TB) []rcvae.Text {
	t.Helper()
	f, err := os.Open(lmGolden + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var texts []rcvae.Text
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l struct{ Question, Solution string }
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, rcvae.Text{Role: rcvae.RoleQuestion, Text: l.Question}, rcvae.Text{Role: rcvae.RoleSolution, Text: l.Solution, Question: l.Question})
	}
	if err := lines.Err(); err != nil || len(texts) != 84 {
		t.Fatalf("%d golden texts, want 84 (%v)", len(texts), err)
	}
	return slices.Clip(texts)
}
