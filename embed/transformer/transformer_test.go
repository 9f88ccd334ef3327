package transformer_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"rcvae/embed/transformer"
	"rcvae/internal/gemm"
	"rcvae/internal/safetensors"
)

// The golden files are made by tools/golden/transformer.py with Hugging Face
// transformers: a random BERT and its mean states.

func tinyConfig() transformer.Config {
	return transformer.Config{Vocabulary: 97, Positions: 40, Hidden: 48, Heads: 4, Intermediate: 80, Layers: 2, Epsilon: 1e-12}
}

func tinyEncoder(t testing.TB) *transformer.Encoder {
	t.Helper()
	weights, err := transformer.LoadWeights(tinyConfig(), transformer.FromSafetensors(readFile(t, "testdata/tiny.safetensors")))
	if err != nil {
		t.Fatal(err)
	}
	e, err := transformer.New(tinyConfig(), weights)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func readFile(t testing.TB, path string) *safetensors.File {
	t.Helper()
	file, err := safetensors.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// golden returns the tokenised texts and the mean of their last states.
func golden(t testing.TB) (texts [][]int32, means [][]float32) {
	t.Helper()
	file := readFile(t, "testdata/tiny.golden.safetensors")
	ids, lengths := ints(t, file, "ids"), ints(t, file, "lengths")
	mean, err := file.Lookup("mean")
	if err != nil {
		t.Fatal(err)
	}
	values, err := mean.Float32()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range lengths {
		texts, ids = append(texts, ids[:n]), ids[n:]
	}
	return texts, slices.Collect(slices.Chunk(values, tinyConfig().Hidden))
}

func ints(t testing.TB, file *safetensors.File, name string) []int32 {
	t.Helper()
	tensor, err := file.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int32, len(tensor.Data)/4)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(tensor.Data[4*i:]))
	}
	return out
}

func unit(x []float32) []float64 {
	var square float64
	for _, v := range x {
		square += float64(v) * float64(v)
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v) / math.Sqrt(square)
	}
	return out
}

func TestMeanPoolAgreesWithTheReference(t *testing.T) {
	texts, means := golden(t)
	for _, name := range gemm.Available() {
		t.Run(name, func(t *testing.T) {
			restore, err := gemm.Force(name)
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			got, err := tinyEncoder(t).MeanPool(t.Context(), texts, 0)
			if err != nil {
				t.Fatal(err)
			}
			for i := range texts {
				for j, want := range unit(means[i]) {
					if d := math.Abs(float64(got[i][j]) - want); d > 1e-5 {
						t.Fatalf("text of %d tokens: value %d is %v, want %v", len(texts[i]), j, got[i][j], want)
					}
				}
			}
		})
	}
}

// TestOrderFollowsTheTexts permutes and repeats the texts, over several batches.
func TestOrderFollowsTheTexts(t *testing.T) {
	texts, _ := golden(t)
	e := tinyEncoder(t)
	want, err := e.MeanPool(t.Context(), texts, 1)
	if err != nil {
		t.Fatal(err)
	}
	var many [][]int32
	for i := range 100 {
		many = append(many, texts[(i*5+i/7)%len(texts)])
	}
	for _, workers := range []int{0, 1, 2, 3} {
		got, err := e.MeanPool(t.Context(), many, workers)
		if err != nil {
			t.Fatal(err)
		}
		for i := range many {
			if !slices.Equal(got[i], want[(i*5+i/7)%len(texts)]) {
				t.Fatalf("%d workers: embedding %d is not its text's", workers, i)
			}
		}
	}
}

func TestMeanPoolRejectsTokens(t *testing.T) {
	e := tinyEncoder(t)
	for name, ids := range map[string][]int32{"none": {}, "too many": make([]int32, 41), "negative": {-1}, "beyond the vocabulary": {97}} {
		if _, err := e.MeanPool(t.Context(), [][]int32{{1}, ids}, 1); err == nil || !strings.HasPrefix(err.Error(), "text 1: ") {
			t.Errorf("%s: error %v, want one about text 1", name, err)
		}
	}
}

func TestMeanPoolStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tinyEncoder(t).MeanPool(ctx, [][]int32{{1, 2}}, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("MeanPool = %v, want context.Canceled", err)
	}
}

func TestDamagedWeightsAreAnError(t *testing.T) {
	load := transformer.FromSafetensors(readFile(t, "testdata/tiny.safetensors"))
	weights, err := transformer.LoadWeights(tinyConfig(), load)
	if err != nil {
		t.Fatal(err)
	}
	weights.Layers[1].OutputNorm.Beta[5] = float32(math.NaN())
	e, err := transformer.New(tinyConfig(), weights)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.MeanPool(t.Context(), [][]int32{{1, 2}}, 1); err == nil {
		t.Error("MeanPool with a NaN among the weights succeeded, want an error")
	}
}

func TestWeightsMustFitTheConfig(t *testing.T) {
	load := transformer.FromSafetensors(readFile(t, "testdata/tiny.safetensors"))
	for name, change := range map[string]func(*transformer.Config){
		"vocabulary": func(c *transformer.Config) { c.Vocabulary = 98 },
		"hidden":     func(c *transformer.Config) { c.Hidden = 64 },
		"layers":     func(c *transformer.Config) { c.Layers = 3 },
	} {
		c := tinyConfig()
		change(&c)
		if _, err := transformer.LoadWeights(c, load); err == nil {
			t.Errorf("another %s: LoadWeights succeeded, want an error", name)
		}
	}
	if _, err := transformer.New(transformer.Config{Hidden: 10, Heads: 3}, transformer.Weights{}); err == nil {
		t.Error("New with a bad config succeeded, want an error")
	}
}

func ExampleEncoder_MeanPool() {
	config := transformer.Config{Vocabulary: 2, Positions: 4, Hidden: 2, Heads: 1, Intermediate: 1, Layers: 1, Epsilon: 1e-12}
	weights, err := transformer.LoadWeights(config, func(name string, shape ...int) ([]float32, error) {
		values := make([]float32, shape[0])
		if len(shape) == 2 {
			values = make([]float32, shape[0]*shape[1])
		}
		if strings.HasSuffix(name, "LayerNorm.weight") || strings.HasSuffix(name, "word_embeddings.weight") {
			values[0], values[1] = 1, 1
			if len(shape) == 2 {
				values[3] = 1
			}
		}
		return values, nil
	})
	if err != nil {
		panic(err)
	}
	encoder, err := transformer.New(config, weights)
	if err != nil {
		panic(err)
	}
	embeddings, err := encoder.MeanPool(context.Background(), [][]int32{{1}}, 1)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.3f\n", embeddings[0])
	// Output: [-0.707 0.707]
}
