package encoder

import (
	"math"
	"math/rand/v2"
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
	b.Begin([][]int32{ids}, n.embeddings.Hidden)
	if err := n.forward(t.Context(), b); err != nil {
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

// candidates are questions with several solutions each, in a mixed order, and texts that
// stand alone.
func candidates() []rcvae.Text {
	rng := rand.New(rand.NewPCG(3, 4))
	text := func(n int) string {
		out := make([]byte, n)
		for i := range out {
			out[i] = "abcd "[rng.IntN(5)]
		}
		return string(out)
	}
	var texts []rcvae.Text
	for range 5 {
		question := text(3 + rng.IntN(12))
		texts = append(texts, rcvae.Text{Role: rcvae.RoleQuestion, Text: question})
		for range rng.IntN(8) {
			texts = append(texts, rcvae.Text{Role: rcvae.RoleSolution, Text: text(rng.IntN(25)), Question: question})
		}
	}
	texts = append(texts, rcvae.Text{Role: rcvae.RoleSolution, Text: "abc"}, rcvae.Text{Role: rcvae.RoleQuestion, Text: "dd"})
	rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	return texts
}

// TestCandidatesShareTheirQuestion: embeddings are, to the bit, what each text has alone,
// and to 1e-6 what the whole sequence has.
func TestCandidatesShareTheirQuestion(t *testing.T) {
	texts := candidates()
	for _, workers := range []int{1, 2} {
		m := openCausal(t, Options{Workers: workers})
		for _, n := range []int{1, 2, 5, len(texts)} {
			got, err := m.Embed(t.Context(), texts[:n])
			if err != nil {
				t.Fatal(err)
			}
			for i, text := range texts[:n] {
				if !slices.Equal(got[i], embedText(t, m, text)) {
					t.Fatalf("text %d of %d on %d workers: the embedding depends on the others", i, n, workers)
				}
				s := m.sequence(text)
				checkClose(t, "in one piece", got[i], meanOfStates(t, m, s.ids, s.from, s.to))
			}
		}
	}
}

// TestSharedTokensAreComputedOnce counts the rows of batches.
func TestSharedTokensAreComputedOnce(t *testing.T) {
	question := slices.Repeat([]int32{1, 2}, 20)
	texts := []sequence{{ids: question, to: 40}}
	for i := range 8 {
		own := slices.Repeat([]int32{int32(i)}, 30+i%2)
		texts = append(texts, sequence{ids: slices.Concat(question, own), from: 40, to: 40 + len(own), shared: 40})
	}
	one := batchesOf(texts, 1)
	if len(one) != 1 || one[0].tokens != 40+8*30+4 {
		t.Errorf("%d batches, %d tokens in the first, want one of %d", len(one), one[0].tokens, 40+8*30+4)
	}
	two := batchesOf(texts, 2)
	if len(two) != 2 || two[0].tokens != 40+4*30+2 || two[1].tokens != two[0].tokens {
		t.Fatalf("%d batches for two workers, want two of %d tokens", len(two), 40+4*30+2)
	}
	for i := range texts {
		found := 0
		for _, b := range two {
			if _, ok := b.rows[i]; ok {
				found++
			}
		}
		if found != 1 {
			t.Errorf("text %d is in %d batches, want 1", i, found)
		}
	}
}

// TestQuestionsAreRemembered: a solution that comes later does not run its question again,
// and what is kept stays within its limit.
func TestQuestionsAreRemembered(t *testing.T) {
	m := openCausal(t, Options{})
	first := rcvae.Text{Role: rcvae.RoleSolution, Text: "abcd", Question: "ab dc"}
	later := rcvae.Text{Role: rcvae.RoleSolution, Text: "dcba", Question: first.Question}
	embedText(t, m, first)
	one := m.pasts.bytes
	s := []sequence{m.sequence(later)}
	m.recall(m.networks[rcvae.RoleSolution], s)
	if got := batchesOf(s, 1)[0].tokens; one == 0 || got != len("\n\ndcba") {
		t.Errorf("%d bytes are kept and %d tokens run, want those of the solution alone", one, got)
	}
	m.pasts.limit = 3*one + one/2
	for i := range 9 {
		embedText(t, m, rcvae.Text{Role: rcvae.RoleSolution, Text: "a", Question: "abcd" + "abcdabcdd"[i:i+1]})
		embedText(t, m, later)
	}
	s[0].past = nil
	if m.recall(m.networks[rcvae.RoleSolution], s); s[0].past == nil || m.pasts.bytes != 3*one || len(m.pasts.entries) != 3 {
		t.Errorf("%d questions of %d bytes, past %v: want the last three, of which one is used all the time", len(m.pasts.entries), m.pasts.bytes, s[0].past)
	}
}

// TestBatchesHoldEveryText: every text is in one batch, whatever the lengths; a long text
// beside a short one is not a division.
func TestBatchesHoldEveryText(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		texts := make([]sequence, rng.IntN(30))
		for i := range texts {
			texts[i] = sequence{ids: make([]int32, 1+rng.IntN(400))}
		}
		workers, seen := 1+rng.IntN(4), make(map[int]int)
		for _, b := range batchesOf(texts, workers) {
			tokens := 0
			for i := range b.rows {
				seen[i]++
				tokens += len(texts[i].ids)
			}
			if tokens != b.tokens || tokens == 0 {
				t.Fatalf("a batch of %d tokens says %d", tokens, b.tokens)
			}
		}
		for i := range texts {
			if seen[i] != 1 {
				t.Fatalf("text %d of %d is in %d batches", i, len(texts), seen[i])
			}
		}
	}
	uneven := []sequence{{ids: make([]int32, 300)}, {ids: make([]int32, 20)}}
	if got := batchesOf(uneven, 2); len(got) != 1 {
		t.Errorf("%d batches of 300 and 20 tokens, want 1 that both workers share", len(got))
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
