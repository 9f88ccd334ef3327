package encoder_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"rcvae"
	"rcvae/embed/encoder"
	"rcvae/internal/safetensors"
)

// folder returns the tiny BERT with a vocabulary and more files, in memory.
func folder(t testing.TB, more map[string]string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{"vocab.txt": {Data: []byte(vocabulary)}}
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := os.ReadFile(filepath.Join("testdata/tiny/bert", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	for name, content := range more {
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return files
}

const vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\nquery\n:\nD\n"

const meanPooling = `{"word_embedding_dimension":32,"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true}`

func openFS(t testing.TB, files fs.FS, o encoder.Options) *encoder.Model {
	t.Helper()
	m, err := encoder.OpenFS(files, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func embedOne(t testing.TB, m *encoder.Model, text rcvae.Text) rcvae.Embedding {
	t.Helper()
	got, err := m.Embed(t.Context(), []rcvae.Text{text})
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

func embedIDs(t testing.TB, m *encoder.Model, ids ...int32) rcvae.Embedding {
	t.Helper()
	got, err := m.EmbedTokens(t.Context(), rcvae.RoleSolution, [][]int32{ids})
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func TestTextsAreTokenisedWithPrompts(t *testing.T) {
	files := folder(t, map[string]string{
		"1_Pooling/config.json":             meanPooling,
		"config_sentence_transformers.json": `{"prompts":{"query":"query: ","document":"d ","plain":""},"default_prompt_name":null}`,
	})
	plain := openFS(t, files, encoder.Options{})
	question, solution := rcvae.Text{Role: rcvae.RoleQuestion, Text: "A b"}, rcvae.Text{Role: rcvae.RoleSolution, Text: "A b"}
	for _, c := range []struct {
		name     string
		options  encoder.Options
		text     rcvae.Text
		want     []int32
		solution []int32
	}{
		{"none", encoder.Options{}, question, []int32{2, 4, 5, 3}, []int32{2, 4, 5, 3}},
		{"one for both", encoder.Options{Task: "query"}, question, []int32{2, 8, 9, 4, 5, 3}, []int32{2, 8, 9, 4, 5, 3}},
		{"one for each", encoder.Options{Task: "retrieval"}, question, []int32{2, 8, 9, 4, 5, 3}, []int32{2, 7, 4, 5, 3}},
		{"given", encoder.Options{QuestionPrompt: "c ", SolutionPrompt: "d d "}, question, []int32{2, 6, 4, 5, 3}, []int32{2, 7, 7, 4, 5, 3}},
		{"cut", encoder.Options{QuestionPrompt: "c d ", MaxTokens: 5}, question, []int32{2, 6, 7, 4, 3}, []int32{2, 4, 5, 3}},
	} {
		m := openFS(t, files, c.options)
		if got, want := embedOne(t, m, question), embedIDs(t, plain, c.want...); !slices.Equal(got, want) {
			t.Errorf("%s: the question is not embedded as %v", c.name, c.want)
		}
		if got, want := embedOne(t, m, solution), embedIDs(t, plain, c.solution...); !slices.Equal(got, want) {
			t.Errorf("%s: the solution is not embedded as %v", c.name, c.solution)
		}
	}
}

func TestTextsAreBroughtToLowerCase(t *testing.T) {
	files := folder(t, map[string]string{
		"1_Pooling/config.json": meanPooling, "sentence_bert_config.json": `{"max_seq_length":6,"do_lower_case":true}`, "tokenizer_config.json": `{"do_lower_case":false}`,
	})
	m := openFS(t, files, encoder.Options{})
	if got, want := embedOne(t, m, rcvae.Text{Role: rcvae.RoleSolution, Text: "A B D D D D D"}), embedIDs(t, m, 2, 4, 5, 7, 7, 3); !slices.Equal(got, want) {
		t.Error("the text is not read in lower case and cut to max_seq_length")
	}
}

// A dense layer, the cut to the first dimensions and unit length follow the pooling.
func TestDenseAndDimension(t *testing.T) {
	weight := make([]float32, 3*32)
	weight[0], weight[32+5], weight[64+7] = 2, 1, -1 // 2·x₀ + 0.5, x₅, −x₇
	dense := safetensors.File{Tensors: []safetensors.Tensor{
		safetensors.Float32s("linear.weight", []int{3, 32}, weight), safetensors.Float32s("linear.bias", []int{3}, []float32{0.5, 0, 0}),
	}}
	data, err := dense.Encode()
	if err != nil {
		t.Fatal(err)
	}
	more := map[string]string{
		"modules.json":              `[{"path":"","type":"x.Transformer"},{"path":"1_Pooling","type":"x.Pooling"},{"path":"2_Dense","type":"x.Dense"}]`,
		"1_Pooling/config.json":     meanPooling,
		"2_Dense/config.json":       `{"in_features":32,"out_features":3,"bias":true,"activation_function":"torch.nn.modules.activation.Tanh"}`,
		"2_Dense/model.safetensors": string(data),
	}
	g := readGolden(t, "testdata/tiny/bert/golden.safetensors")
	x := g.pooled(t, "mean")[3]
	want := []float32{float32(math.Tanh(2*float64(x[0]) + 0.5)), float32(math.Tanh(float64(x[5]))), float32(math.Tanh(-float64(x[7])))}
	for _, n := range []int{0, 2} {
		m := openFS(t, folder(t, more), encoder.Options{Dimension: n})
		got, err := m.EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts[3:4])
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			want = want[:n]
		}
		if len(got[0]) != len(want) || m.Dimension() != len(want) {
			t.Fatalf("%d values and dimension %d, want %d", len(got[0]), m.Dimension(), len(want))
		}
		checkVectors(t, got, [][]float32{want})
	}
}

// The states of a prompt that does not count are seen, but not averaged.
func TestPromptIsLeftOutOfTheMean(t *testing.T) {
	files := folder(t, map[string]string{"1_Pooling/config.json": `{"pooling_mode":"mean","include_prompt":false}`})
	with := openFS(t, files, encoder.Options{QuestionPrompt: "query : "})
	whole := openFS(t, folder(t, map[string]string{"1_Pooling/config.json": meanPooling}), encoder.Options{QuestionPrompt: "query : "})
	text := rcvae.Text{Role: rcvae.RoleQuestion, Text: "a b c"}
	if c := cosine(embedOne(t, with, text), embedOne(t, whole, text)); c > 0.9999 {
		t.Errorf("cosine of the means with and without the prompt = %v, want less than 1", c)
	}
	plain := rcvae.Text{Role: rcvae.RoleSolution, Text: "a b c"}
	if !slices.Equal(embedOne(t, with, plain), embedOne(t, whole, plain)) {
		t.Error("without a prompt, include_prompt changes an embedding")
	}
}

func TestEmbedTokensRejects(t *testing.T) {
	m := openFS(t, folder(t, map[string]string{"1_Pooling/config.json": meanPooling}), encoder.Options{})
	for name, ids := range map[string][]int32{"none": {}, "too many": make([]int32, 41), "negative": {-1}, "beyond the vocabulary": {101}} {
		if _, err := m.EmbedTokens(t.Context(), rcvae.RoleSolution, [][]int32{{1}, ids}); err == nil || !strings.HasPrefix(err.Error(), "text 1: ") {
			t.Errorf("%s: error %v, want one about text 1", name, err)
		}
	}
}

func TestEmbeddingStopsWithItsContext(t *testing.T) {
	m := openFS(t, folder(t, map[string]string{"1_Pooling/config.json": meanPooling}), encoder.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, n := range []int{1, 500} {
		if _, err := m.Embed(ctx, slices.Repeat([]rcvae.Text{{Text: "a b"}}, n)); !errors.Is(err, context.Canceled) {
			t.Errorf("Embed of %d texts = %v, want context.Canceled", n, err)
		}
	}
}

func TestDamagedWeightsAreAnError(t *testing.T) {
	file, err := safetensors.ReadFile("testdata/tiny/bert/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"encoder.layer.1.output.LayerNorm.bias", "embeddings.word_embeddings.weight"} {
		damaged := safetensors.File{}
		for _, tensor := range file.Tensors {
			if tensor.Name == name {
				tensor.Data = slices.Clone(tensor.Data)
				copy(tensor.Data[4*32*(len(tensor.Data)/4/32/2):], []byte{0, 0, 0xc0, 0x7f}) // NaN
			}
			damaged.Tensors = append(damaged.Tensors, tensor)
		}
		data, err := damaged.Encode()
		if err != nil {
			t.Fatal(err)
		}
		m, err := encoder.OpenFS(folder(t, map[string]string{"1_Pooling/config.json": meanPooling, "model.safetensors": string(data)}), encoder.Options{})
		if err == nil {
			all := make([]int32, 40)
			for i := range all {
				all[i] = int32(30 + i)
			}
			_, err = m.EmbedTokens(t.Context(), rcvae.RoleSolution, [][]int32{all})
		}
		if err == nil {
			t.Errorf("a NaN in %s is no error", name)
		}
	}
}

func TestShardsAreOneModel(t *testing.T) {
	file, err := safetensors.ReadFile("testdata/tiny/bert/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	shards := map[string]*safetensors.File{"one.safetensors": {}, "two.safetensors": {}}
	names := slices.Sorted(maps.Keys(shards))
	var index []string
	for i, tensor := range file.Tensors {
		name := names[i%2]
		shards[name].Tensors = append(shards[name].Tensors, tensor)
		index = append(index, `"`+tensor.Name+`":"`+name+`"`)
	}
	more := map[string]string{"1_Pooling/config.json": meanPooling, "model.safetensors.index.json": `{"weight_map":{` + strings.Join(index, ",") + `}}`}
	for name, shard := range shards {
		data, err := shard.Encode()
		if err != nil {
			t.Fatal(err)
		}
		more[name] = string(data)
	}
	files := folder(t, more)
	delete(files, "model.safetensors")
	got := embedIDs(t, openFS(t, files, encoder.Options{}), 2, 4, 5, 3)
	if want := embedIDs(t, openFS(t, folder(t, map[string]string{"1_Pooling/config.json": meanPooling}), encoder.Options{}), 2, 4, 5, 3); !slices.Equal(got, want) {
		t.Error("two files of weights give another embedding than one")
	}
}

func TestFingerprintsTellModelsApart(t *testing.T) {
	g := folder(t, map[string]string{"1_Pooling/config.json": meanPooling})
	seen := make(map[string]string)
	add := func(name string, m *encoder.Model) {
		id := m.Fingerprint().ID()
		if other, ok := seen[id]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[id] = name
	}
	add("plain", openFS(t, g, encoder.Options{}))
	add("cls", openFS(t, g, encoder.Options{Pooling: encoder.PoolCLS}))
	add("cut", openFS(t, g, encoder.Options{MaxTokens: 20}))
	add("ends", openFS(t, g, encoder.Options{MaxTokens: 20, KeepEnds: true}))
	add("dimension", openFS(t, g, encoder.Options{Dimension: 8}))
	add("prompt", openFS(t, g, encoder.Options{SolutionPrompt: "a"}))
	add("question's prompt", openFS(t, g, encoder.Options{QuestionPrompt: "a"}))
	add("vocabulary", openFS(t, folder(t, map[string]string{"1_Pooling/config.json": meanPooling, "vocab.txt": vocabulary + "e\n"}), encoder.Options{}))
	same := openFS(t, g, encoder.Options{Workers: 1}).Fingerprint().ID()
	if _, ok := seen[same]; !ok {
		t.Error("the number of workers changes the fingerprint")
	}
}
