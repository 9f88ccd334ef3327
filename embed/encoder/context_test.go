package encoder

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"rcvae"
	"rcvae/embed/encoder/internal/block"
	"rcvae/internal/gemm"
	"rcvae/internal/mapped"
)

// characters is a tokenizer.json with one token for each of a few characters.
const characters = `{"added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,
"model":{"type":"BPE","unk_token":"?","vocab":{"?":0,"a":11,"b":12,"c":13,"d":14,"\n":15," ":16},"merges":[]}}`

func openCausal(t *testing.T, o Options) *Model {
	t.Helper()
	files := fstest.MapFS{"tokenizer.json": {Data: []byte(characters)}}
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := os.ReadFile("testdata/tiny/qwen2/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	o.Pooling, o.InContext = PoolMean, true
	m, err := OpenFS(files, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// meanOfStates runs the network over ids and averages the states of some of them.
func meanOfStates(t *testing.T, m *Model, ids []int32, from, to int) []float64 {
	t.Helper()
	pool := gemm.NewPool(1)
	defer pool.Close()
	b := block.NewBatch(pool)
	n := m.networks[rcvae.RoleSolution]
	if err := n.forward(t.Context(), b, [][]int32{ids}); err != nil {
		t.Fatal(err)
	}
	h := n.embeddings.Hidden
	sums, square := make([]float64, h), 0.0
	for i := from; i < to; i++ {
		for j, v := range b.X[i*h : (i+1)*h] {
			sums[j] += float64(v)
		}
	}
	for _, v := range sums {
		square += v * v
	}
	for j := range sums {
		sums[j] /= math.Sqrt(square)
	}
	return sums
}

func embedText(t *testing.T, m *Model, text rcvae.Text) rcvae.Embedding {
	t.Helper()
	got, err := m.Embed(t.Context(), []rcvae.Text{text})
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

func ids(text string) []int32 {
	var out []int32
	for _, r := range text {
		out = append(out, map[rune]int32{'a': 11, 'b': 12, 'c': 13, 'd': 14, '\n': 15, ' ': 16}[r])
	}
	return out
}

func TestInContext(t *testing.T) {
	for _, c := range []struct {
		name               string
		maxTokens          int
		question, solution string
		q, r               string // what is read of them
	}{
		{"short", 0, "ab c", "dad", "ab c", "\n\ndad"},
		{"no question", 0, "", "dad", "", "\n\ndad"},
		{"no solution", 0, "ab", "", "ab", "\n\n"},
		{"a long solution keeps both ends", 16, "abcd", "abcabcdddabcd", "abcd", "\n\na" + "abcdddabcd"[1:]},
		{"a long question keeps its end", 16, "abcdabcdabcd", "d", "abcdabcd", "\n\nd"},
	} {
		m := openCausal(t, Options{MaxTokens: c.maxTokens})
		q, r := ids(c.q), ids(c.r)
		all := slices.Concat(q, r)
		got := embedText(t, m, rcvae.Text{Role: rcvae.RoleSolution, Text: c.solution, Question: c.question})
		checkClose(t, c.name+": solution", got, meanOfStates(t, m, all, len(q), len(all)))
		if len(q) > 0 { // causal: the question's states do not depend on the solution
			got := embedText(t, m, rcvae.Text{Role: rcvae.RoleQuestion, Text: c.question})
			checkClose(t, c.name+": question", got, meanOfStates(t, m, all, 0, len(q)))
		}
	}
}

func checkClose(t *testing.T, name string, got rcvae.Embedding, want []float64) {
	t.Helper()
	for j, w := range want {
		if math.Abs(float64(got[j])-w) > 1e-6 {
			t.Fatalf("%s: value %d = %v, want %v", name, j, got[j], w)
		}
	}
}

func TestEmptyTextsHaveEmbeddings(t *testing.T) {
	m := openCausal(t, Options{})
	for _, text := range []rcvae.Text{{Role: rcvae.RoleQuestion}, {Role: rcvae.RoleSolution}} {
		if got := embedText(t, m, text); len(got) != 32 {
			t.Errorf("an empty text has an embedding of %d values, want 32", len(got))
		}
	}
	m.options.InContext = false
	if got := embedText(t, m, rcvae.Text{Role: rcvae.RoleSolution}); len(got) != 32 {
		t.Errorf("an empty text has an embedding of %d values, want 32", len(got))
	}
}

// FuzzFolder opens folders with arbitrary small files around the weights of a tiny BERT:
// what is accepted must embed.
func FuzzFolder(f *testing.F) {
	weights, err := os.ReadFile("testdata/tiny/bert/model.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	config, err := os.ReadFile("testdata/tiny/bert/config.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(config), `[{"path":"","type":"x.Transformer"},{"path":"1_Pooling","type":"x.Pooling"}]`, `{"pooling_mode":"mean"}`, `{"max_seq_length":12}`, `{"prompts":{"q":"a "},"default_prompt_name":"q"}`)
	f.Add(strings.ReplaceAll(string(config), "bert", "roberta"), `[]`, `{"pooling_mode_cls_token":true}`, `{}`, `{}`)
	f.Fuzz(func(t *testing.T, config, modules, pooling, sentence, prompts string) {
		files := fstest.MapFS{
			"model.safetensors": {Data: weights}, "config.json": {Data: []byte(config)}, "modules.json": {Data: []byte(modules)},
			"1_Pooling/config.json": {Data: []byte(pooling)}, "sentence_bert_config.json": {Data: []byte(sentence)},
			"config_sentence_transformers.json": {Data: []byte(prompts)}, "vocab.txt": {Data: []byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n")},
		}
		m, err := OpenFS(files, Options{})
		if err != nil {
			return
		}
		got, err := m.Embed(t.Context(), []rcvae.Text{{Text: "a b a a a b"}, {}})
		if err != nil || len(got) != 2 || len(got[0]) != m.Dimension() {
			t.Fatalf("an accepted model embeds %v, %v", got, err)
		}
	})
}

// FuzzGGUF changes bytes of a GGUF file's header: what is still accepted must embed.
func FuzzGGUF(f *testing.F) {
	file, err := os.ReadFile("testdata/gguf/bert.gguf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(0), byte(0), uint16(0), byte(0))
	f.Add(uint16(100), byte(1), uint16(400), byte(255))
	f.Fuzz(func(t *testing.T, at uint16, change byte, at2 uint16, change2 byte) {
		const header = 4096
		data := slices.Clone(file)
		data[at%header] ^= change
		data[at2%header] ^= change2
		m, err := finish("test", Options{TokensOnly: true}, func(m *Model) error {
			return m.openGGUF(mapped.Memory{"model.gguf": data}, "model.gguf")
		})
		if err != nil {
			return
		}
		if got, err := m.EmbedTokens(t.Context(), rcvae.RoleSolution, [][]int32{{1, 2, 3}}); err == nil && len(got[0]) != m.Dimension() {
			t.Fatalf("an accepted model has embeddings of %d values, want %d", len(got[0]), m.Dimension())
		}
	})
}
