package minilm_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"rcvae/embed/minilm"
	"rcvae/internal/gemm"
	"rcvae/internal/tokenizer"
	"rcvae/rcvaetest"
)

func newMath(t testing.TB, options minilm.Options) *minilm.Embedder {
	t.Helper()
	e, err := minilm.NewMath(options)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The vectors are made by tools/adapt/golden.py, the encoder that the adaptation
// trains, from the same 8-bit weights.
func TestMathAgreesWithTheRecipe(t *testing.T) {
	onEveryPath(t, readVectors(t, "testdata/math.safetensors"), func(t *testing.T, all []golden) {
		least := 0.99999
		switch {
		case gemm.Quantizes():
			least = 0.9997
		case gemm.Rounds():
			least = 0.9999
		}
		checkCosines(t, newMath(t, minilm.DefaultMathOptions()), all, least)
	})
}

func TestMathVerifies(t *testing.T) {
	onEveryPath(t, readGolden(t), func(t *testing.T, _ []golden) {
		if err := newMath(t, minilm.DefaultMathOptions()).Verify(); err != nil {
			t.Error(err)
		}
	})
}

func TestMathIsAnEmbedder(t *testing.T) {
	rcvaetest.TestEmbedder(t, newMath(t, minilm.DefaultMathOptions()))
}

func TestModelsAreToldApart(t *testing.T) {
	published, adapted := newEmbedder(t).Fingerprint(), newMath(t, minilm.DefaultMathOptions()).Fingerprint()
	start := newMath(t, minilm.Options{MaxTokens: 448}).Fingerprint()
	if ids := []string{published.ID(), adapted.ID(), start.ID()}; ids[0] == ids[1] || ids[1] == ids[2] {
		t.Errorf("fingerprints %v, want three different ones", ids)
	}
}

// A cut text is embedded as the text of its kept words is.
func TestKeepEnds(t *testing.T) {
	vocabulary, err := os.ReadFile("vocab.txt")
	if err != nil {
		t.Fatal(err)
	}
	words, err := tokenizer.FromVocabulary(vocabulary, true)
	if err != nil {
		t.Fatal(err)
	}
	numbers := strings.Fields(strings.Repeat("one two three four five six seven eight nine ten ", 5))
	if n := len(words.Encode(strings.Join(numbers, " "))); n != len(numbers) {
		t.Fatalf("%d words are %d tokens, want one each", len(numbers), n)
	}
	// 18 tokens hold 16 words: 4 from the start, 12 from the end.
	kept := slices.Concat(numbers[:4], numbers[len(numbers)-12:])
	e := newMath(t, minilm.Options{MaxTokens: 18, KeepEnds: true})
	got, err := e.Embed(t.Context(), rcvaetest.Texts(strings.Join(numbers, " "), strings.Join(kept, " ")))
	if err != nil {
		t.Fatal(err)
	}
	if c := cosine(got[0], got[1]); c < 0.999999 {
		t.Errorf("cosine of a cut text and its kept words = %v, want 1", c)
	}
}
