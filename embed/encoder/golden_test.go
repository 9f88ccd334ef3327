package encoder_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed/encoder"
	"rcvae/internal/gemm"
	"rcvae/internal/gguf"
	"rcvae/internal/safetensors"
)

// The models under testdata/tiny are random ones of real architectures, written by
// transformers 5.24 with what it computes, see the README there. Those under
// testdata/gguf are the same ones under llama.cpp's names, made by
// tools/golden/gguf_golden.py.

// families are the folders of testdata/tiny, but for jina-v3, which has layouts.
var families = []string{
	"bert", "roberta-xlm", "mpnet", "distilbert", "nomic_bert", "gte", "modernbert", "eurobert", "qwen2", "qwen3", "llama", "mistral", "gemma3_text",
}

// golden is what the reference computes.
type golden struct {
	file  *safetensors.File
	texts [][]int32
}

func readGolden(t testing.TB, path string) golden {
	t.Helper()
	file, err := safetensors.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g := golden{file: file}
	ids := g.ints(t, "ids")
	for _, n := range g.ints(t, "lengths") {
		g.texts, ids = append(g.texts, ids[:n]), ids[n:]
	}
	if len(g.texts) < 6 || len(ids) != 0 {
		t.Fatalf("%s: %d texts and %d ids too many", path, len(g.texts), len(ids))
	}
	return g
}

func (g golden) ints(t testing.TB, name string) []int32 {
	t.Helper()
	tensor, err := g.file.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int32, len(tensor.Data)/4)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(tensor.Data[4*i:]))
	}
	return out
}

// pooled returns the pooled states of each text.
func (g golden) pooled(t testing.TB, name string) [][]float32 {
	t.Helper()
	tensor, err := g.file.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	values, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(slices.Chunk(values, tensor.Shape[1]))
}

func open(t testing.TB, path string, o encoder.Options) *encoder.Model {
	t.Helper()
	o.TokensOnly = true
	m, err := encoder.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// tolerance is how far a value of a unit vector may be from the reference's.
const tolerance = 1e-5

func checkVectors(t *testing.T, got []rcvae.Embedding, want [][]float32) {
	t.Helper()
	worst := 0.0
	for i := range want {
		for j, w := range unit(want[i]) {
			if d := math.Abs(float64(got[i][j]) - w); !(d <= tolerance) {
				t.Fatalf("text %d: value %d is %v, want %v", i, j, got[i][j], w)
			} else {
				worst = max(worst, d)
			}
		}
	}
	t.Logf("%s: at most %.1e from the reference", gemm.Kernels(), worst)
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

// onEveryPath runs a test with each set of kernels.
func onEveryPath(t *testing.T, run func(t *testing.T)) {
	for _, name := range gemm.Available() {
		restore, err := gemm.Force(name)
		if err != nil {
			t.Fatal(err)
		}
		run(t)
		restore()
	}
}

func TestFamiliesAgreeWithTheReference(t *testing.T) {
	for _, name := range families {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join("testdata", "tiny", name)
			g := readGolden(t, filepath.Join(folder, "golden.safetensors"))
			onEveryPath(t, func(t *testing.T) {
				for _, pooling := range []string{encoder.PoolMean, encoder.PoolCLS, encoder.PoolLast} {
					m := open(t, folder, encoder.Options{Pooling: pooling})
					got, err := m.EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts)
					if err != nil {
						t.Fatal(err)
					}
					checkVectors(t, got, g.pooled(t, pooling))
				}
			})
		})
	}
}

func TestGGUFAgreesWithTheReference(t *testing.T) {
	files, err := filepath.Glob("testdata/gguf/*.gguf")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d files, want at least 10 (%v)", len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".gguf")
		t.Run(name, func(t *testing.T) {
			g := readGolden(t, filepath.Join("testdata", "tiny", name, "golden.safetensors"))
			mean := "mean"
			if name == "jina-v3" {
				mean = "mean.none"
			}
			got, err := open(t, path, encoder.Options{}).EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts)
			if err != nil {
				t.Fatal(err)
			}
			checkVectors(t, got, g.pooled(t, mean))
		})
	}
}

// The dense layers of a GGUF file follow the pooling.
func TestGGUFWithDenseLayers(t *testing.T) {
	const path = "testdata/gguf-dense/gemma3_text.gguf"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := gguf.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	g := readGolden(t, "testdata/tiny/gemma3_text/golden.safetensors")
	want := g.pooled(t, "mean")
	for _, name := range []string{"dense_2.weight", "dense_3.weight"} {
		dense, ok := file.Lookup(name)
		if !ok {
			t.Fatalf("there is no %s", name)
		}
		for i, x := range want {
			y, row := make([]float32, dense.Shape[0]), make([]float32, dense.Columns())
			for j := range y {
				dense.Row(row, j)
				var sum float64
				for k, v := range row {
					sum += float64(v) * float64(x[k])
				}
				y[j] = float32(sum)
			}
			want[i] = y
		}
	}
	m := open(t, path, encoder.Options{})
	got, err := m.EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts)
	if err != nil {
		t.Fatal(err)
	}
	if m.Dimension() != 24 {
		t.Fatalf("dimension %d, want 24", m.Dimension())
	}
	checkVectors(t, got, want)
}

// TestOrderFollowsTheTexts permutes and repeats texts over several batches.
func TestOrderFollowsTheTexts(t *testing.T) {
	for _, name := range []string{"bert", "modernbert", "qwen3"} {
		folder := filepath.Join("testdata", "tiny", name)
		g := readGolden(t, filepath.Join(folder, "golden.safetensors"))
		want, err := open(t, folder, encoder.Options{Pooling: "mean", Workers: 1}).EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts)
		if err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{0, 1, 2, 3} {
			for _, n := range []int{2, 7, 300} { // less than a batch, and several
				var many [][]int32
				for i := range n {
					many = append(many, g.texts[(i*5+i/7)%len(g.texts)])
				}
				got, err := open(t, folder, encoder.Options{Pooling: "mean", Workers: workers}).EmbedTokens(t.Context(), rcvae.RoleSolution, many)
				if err != nil {
					t.Fatal(err)
				}
				for i := range many {
					if !slices.Equal(got[i], want[(i*5+i/7)%len(g.texts)]) {
						t.Fatalf("%s, %d texts, %d workers: embedding %d is not its text's", name, n, workers, i)
					}
				}
			}
		}
	}
}

func ExampleOpen() {
	model, err := encoder.Open("testdata/tiny/qwen2", encoder.Options{Pooling: encoder.PoolLast, TokensOnly: true})
	if err != nil {
		panic(err)
	}
	defer model.Close()
	embeddings, err := model.EmbedTokens(context.Background(), rcvae.RoleQuestion, [][]int32{{5, 17, 29}})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(embeddings), len(embeddings[0]))
	// Output: 1 32
}

func ExampleOpenFS() {
	files := os.DirFS("testdata/tiny/bert")
	model, err := encoder.OpenFS(files, encoder.Options{Name: "tiny", Pooling: encoder.PoolMean, Dimension: 16, TokensOnly: true})
	if err != nil {
		panic(err)
	}
	defer model.Close()
	fmt.Println(model.MaxTokens(), model.Dimension(), model.Fingerprint().Pooling)
	// Output: 40 16 mean
}
