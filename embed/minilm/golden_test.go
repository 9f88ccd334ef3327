package minilm_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"rcvae"
	"rcvae/embed/minilm"
	"rcvae/internal/gemm"
	"rcvae/internal/safetensors"
	"rcvae/internal/tokenizer"
	"rcvae/rcvaetest"
)

// The golden files are made by tools/golden/minilm.py with Hugging Face transformers
// from the original float32 weights.

// golden is a text with what the reference implementation makes of it.
type golden struct {
	Text      string  `json:"text"`
	IDs       []int32 `json:"ids"`
	embedding []float32
}

func readGolden(t testing.TB) []golden { return readVectors(t, "testdata/golden.safetensors") }

// readVectors reads the golden texts with the embeddings of one of the models.
func readVectors(t testing.TB, path string) []golden {
	t.Helper()
	f, err := os.Open("testdata/golden.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := safetensors.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	matrix, err := vectors.Lookup("embeddings")
	if err != nil {
		t.Fatal(err)
	}
	values, err := matrix.Float32()
	if err != nil {
		t.Fatal(err)
	}
	var all []golden
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var g golden
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		d := matrix.Shape[1]
		g.embedding = values[len(all)*d : (len(all)+1)*d]
		all = append(all, g)
	}
	if err := lines.Err(); err != nil || len(all) != matrix.Shape[0] || len(all) < 200 {
		t.Fatalf("%d golden texts and %d vectors, want the same and at least 200 (%v)", len(all), matrix.Shape[0], err)
	}
	return all
}

func TestTokenIDsAreTheReferences(t *testing.T) {
	vocabulary, err := os.ReadFile("vocab.txt")
	if err != nil {
		t.Fatal(err)
	}
	words, err := tokenizer.FromVocabulary(vocabulary, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range readGolden(t) {
		if got := words.Template.Wrap(words.Encode(g.Text), 512, false); !slices.Equal(got, g.IDs) {
			t.Errorf("ids of %.60q = %v, want %v", g.Text, head(got), head(g.IDs))
		}
	}
}

func head(ids []int32) []int32 { return ids[:min(len(ids), 24)] }

func newEmbedder(t testing.TB) *minilm.Embedder {
	t.Helper()
	e, err := minilm.New(minilm.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// checkCosines embeds the golden texts and compares with the reference.
func checkCosines(t *testing.T, e *minilm.Embedder, all []golden, least float64) {
	t.Helper()
	texts := make([]string, len(all))
	for i, g := range all {
		texts[i] = g.Text
	}
	embeddings, err := e.Embed(t.Context(), rcvaetest.Texts(texts...))
	if err != nil {
		t.Fatal(err)
	}
	worst, mean := 1.0, 0.0
	for i, g := range all {
		c := cosine(embeddings[i], g.embedding)
		if worst, mean = min(worst, c), mean+c/float64(len(all)); c < least {
			t.Errorf("cosine with the reference is %.6f, want at least %g: %.60q", c, least, g.Text)
		}
		if n := length(embeddings[i]); math.Abs(n-1) > 1e-6 {
			t.Errorf("length %v, want 1: %.60q", n, g.Text)
		}
	}
	t.Logf("%s: cosine with the reference: mean %.6f, least %.6f", gemm.Kernels(), mean, worst)
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func length(a []float32) float64 {
	var aa float64
	for _, v := range a {
		aa += float64(v) * float64(v)
	}
	return math.Sqrt(aa)
}

// onEveryPath runs a test with each set of kernels: on all texts with those that this
// machine would choose, on the shortest with the others.
func onEveryPath(t *testing.T, all []golden, run func(t *testing.T, all []golden)) {
	chosen := gemm.Kernels()
	for _, name := range gemm.Available() {
		t.Run(name, func(t *testing.T) {
			restore, err := gemm.Force(name)
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			switch {
			case raceEnabled: // which slows plain Go down twentyfold
				run(t, shortest(all, 5))
			case name == chosen && !testing.Short():
				run(t, all)
			default:
				run(t, shortest(all, 60))
			}
		})
	}
}

func shortest(all []golden, n int) []golden {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b golden) int { return len(a.IDs) - len(b.IDs) })
	return all[:n]
}

func TestBuiltInWeightsAgreeWithTheReference(t *testing.T) {
	onEveryPath(t, readGolden(t), func(t *testing.T, all []golden) {
		checkCosines(t, newEmbedder(t), all, 0.999)
	})
}

func TestOriginalWeightsAgreeWithTheReference(t *testing.T) {
	path := os.Getenv("RCVAE_MINILM_F32")
	if path == "" {
		t.Skip("RCVAE_MINILM_F32 does not name the original model.safetensors")
	}
	onEveryPath(t, readGolden(t), func(t *testing.T, all []golden) {
		e, err := minilm.Open(path, minilm.DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		checkCosines(t, e, all, 0.99999)
	})
}

func TestVerify(t *testing.T) {
	if err := newEmbedder(t).Verify(); err != nil {
		t.Error(err)
	}
}

func TestEmbeddingDoesNotDependOnCompany(t *testing.T) {
	all := shortest(readGolden(t), 40)
	texts := make([]string, len(all))
	for i, g := range all {
		texts[i] = g.Text
	}
	e := newEmbedder(t)
	together, err := e.Embed(t.Context(), rcvaetest.Texts(texts...))
	if err != nil {
		t.Fatal(err)
	}
	options := minilm.DefaultOptions()
	options.Workers = 1
	single, err := minilm.New(options)
	if err != nil {
		t.Fatal(err)
	}
	onOne, err := single.Embed(t.Context(), rcvaetest.Texts(texts...))
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		alone, err := e.Embed(t.Context(), rcvaetest.Texts(text))
		if err != nil {
			t.Fatal(err)
		}
		for j := range alone[0] {
			if d := math.Abs(float64(alone[0][j] - together[i][j])); d > 1e-6 {
				t.Fatalf("%.40q: value %d differs by %g between one text and many", text, j, d)
			}
		}
		if !slices.Equal(onOne[i], together[i]) {
			t.Fatalf("%.40q: one worker and many give different embeddings", text)
		}
	}
}

func TestCancellation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newEmbedder(t).Embed(ctx, rcvaetest.Texts("a", "b")); !errors.Is(err, context.Canceled) {
		t.Errorf("Embed = %v, want context.Canceled", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []minilm.Options{{MaxTokens: 1}, {MaxTokens: 513}, {MaxTokens: 128, Workers: -1}} {
		if _, err := minilm.New(o); err == nil {
			t.Errorf("New(%+v) succeeded, want an error", o)
		}
	}
	if _, err := minilm.Open("testdata/golden.safetensors", minilm.DefaultOptions()); err == nil {
		t.Error("Open of a file without the model's tensors succeeded, want an error")
	}
}

func TestFingerprintIsKnownBeforeOpening(t *testing.T) {
	for name, open := range map[string]func(minilm.Options) (*minilm.Embedder, error){minilm.Name: minilm.New, minilm.NameMath: minilm.NewMath} {
		for _, o := range []minilm.Options{minilm.DefaultOptions(), minilm.DefaultMathOptions(), {MaxTokens: 7, Workers: 1}} {
			e, err := open(o)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := minilm.FingerprintOf(name, o); err != nil || got != e.Fingerprint() {
				t.Errorf("FingerprintOf(%s, %+v) = %+v, %v, want %+v", name, o, got, err, e.Fingerprint())
			}
		}
		if _, err := minilm.FingerprintOf(name, minilm.Options{}); err == nil {
			t.Errorf("%s: no error of options without tokens", name)
		}
	}
	if _, err := minilm.FingerprintOf("maxilm", minilm.DefaultOptions()); err == nil {
		t.Error("no error of an unknown name")
	}
}

func TestEmbedNothing(t *testing.T) {
	got, err := newEmbedder(t).Embed(t.Context(), nil)
	if err != nil || len(got) != 0 {
		t.Errorf("Embed(nil) = %v, %v, want nothing", got, err)
	}
}

func BenchmarkEmbed(b *testing.B) {
	var texts []string
	tokens := 0
	for _, g := range readGolden(b) {
		if len(g.IDs) > 100 && len(g.IDs) < 400 {
			texts = append(texts, g.Text)
			tokens += len(g.IDs)
		}
	}
	e := newEmbedder(b)
	for b.Loop() {
		if _, err := e.Embed(b.Context(), rcvaetest.Texts(texts...)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(texts))/b.Elapsed().Seconds(), "texts/s")
	b.ReportMetric(float64(b.N*tokens)/b.Elapsed().Seconds(), "tokens/s")
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := minilm.New(minilm.DefaultOptions()); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleEmbedder() {
	embedder, err := minilm.New(minilm.DefaultOptions())
	if err != nil {
		panic(err)
	}
	embeddings, err := embedder.Embed(context.Background(), rcvaetest.Texts("Two plus three is five.", "2 + 3 = 5", "The cat sleeps."))
	if err != nil {
		panic(err)
	}
	dot := func(a, b rcvae.Embedding) (sum float64) {
		for i := range a {
			sum += float64(a[i]) * float64(b[i])
		}
		return sum
	}
	fmt.Println(len(embeddings[0]), dot(embeddings[0], embeddings[1]) > dot(embeddings[0], embeddings[2]))
	// Output: 384 true
}
