package tokenizer_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rcvae/internal/gguf"
	"rcvae/internal/tokenizer"
)

// shared returns a file of the shared data, or skips the test.
func shared(t testing.TB, path ...string) []byte {
	t.Helper()
	root := os.Getenv("RCVAE_SHARED")
	if root == "" {
		t.Skip("RCVAE_SHARED does not name the folder of shared data")
	}
	f, err := os.Open(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// unigramCase is a text with the ids of Hugging Face's tokenizers in both forms of
// XLM-RoBERTa's tokenizer.json.
type unigramCase struct {
	Text string  `json:"text"`
	A    []int32 `json:"a"`
	B    []int32 `json:"b"`
}

func unigramCases(t testing.TB) []unigramCase {
	t.Helper()
	var cases []unigramCase
	for line := range bytes.Lines(shared(t, "data", "tokenizers", "xlm-roberta.cases.jsonl.gz")) {
		var c unigramCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if len(cases) != 3855 {
		t.Fatalf("%d cases, want 3855", len(cases))
	}
	return cases
}

// formB returns the tokenizer in the form of BGE-M3: other steps, the same model.
func formB(t testing.TB, formA []byte) []byte {
	t.Helper()
	var file map[string]json.RawMessage
	if err := json.Unmarshal(formA, &file); err != nil {
		t.Fatal(err)
	}
	file["normalizer"] = json.RawMessage(`{"type":"Sequence","normalizers":[` + string(file["normalizer"]) +
		`,{"type":"Strip","strip_left":false,"strip_right":true},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"}]}`)
	file["pre_tokenizer"] = json.RawMessage(`{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}`)
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestUnigramIDsAreTheReferences(t *testing.T) {
	cases := unigramCases(t)
	a := shared(t, "data", "tokenizers", "xlm-roberta.tokenizer.json.gz")
	for name, form := range map[string]struct {
		file []byte
		want func(unigramCase) []int32
	}{
		"form A": {a, func(c unigramCase) []int32 { return c.A }},
		"form B": {formB(t, a), func(c unigramCase) []int32 { return c.B }},
	} {
		m, err := tokenizer.FromJSON(form.file)
		if err != nil {
			t.Fatal(err)
		}
		if m.Size != 250002 {
			t.Errorf("%s: size %d, want 250002", name, m.Size)
		}
		wrong := 0
		for _, c := range cases {
			got := m.Template.Wrap(m.Encode(c.Text), 1<<30, false)
			if want := form.want(c); !slices.Equal(got, want) {
				if wrong++; wrong < 4 {
					t.Errorf("%s: ids of %.60q = %v, want %v", name, c.Text, got[:min(20, len(got))], want[:min(20, len(want))])
				}
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d of %d texts have other ids", name, wrong, len(cases))
		}
	}
}

func BenchmarkUnigram(b *testing.B) {
	cases := unigramCases(b)
	file := shared(b, "data", "tokenizers", "xlm-roberta.tokenizer.json.gz")
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, err := tokenizer.FromJSON(file); err != nil {
				b.Fatal(err)
			}
		}
	})
	m, err := tokenizer.FromJSON(file)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		n := 0
		for b.Loop() {
			for _, c := range cases {
				n += len(m.Encode(c.Text))
			}
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tokens/s")
	})
}

// TestVocabulariesOfLlamaCpp runs llama.cpp's own test cases of vocabularies, which hold
// the ids of Hugging Face's tokenizers. RCVAE_LLAMA_VOCABS names the folder models of its
// source, see tools/e2e/vocabularies.sh.
func TestVocabulariesOfLlamaCpp(t *testing.T) {
	dir := os.Getenv("RCVAE_LLAMA_VOCABS")
	if dir == "" {
		t.Skip("RCVAE_LLAMA_VOCABS does not name the folder with llama.cpp's vocabularies")
	}
	for _, name := range []string{"qwen2", "llama-bpe", "gpt-2", "bert-bge", "llama-spm"} {
		t.Run(name, func(t *testing.T) {
			base := filepath.Join(dir, "ggml-vocab-"+name+".gguf")
			data, err := os.ReadFile(base)
			if err != nil {
				t.Fatal(err)
			}
			file, err := gguf.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			m, err := tokenizer.FromGGUF(file.Metadata)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range vocabularyCases(t, base) {
				if got := m.Encode(c.text); !slices.Equal(got, c.ids) {
					t.Errorf("case %d: ids of %q = %v, want %v", i, c.text, got, c.ids)
				}
			}
		})
	}
}

type vocabularyCase struct {
	text string
	ids  []int32
}

// vocabularyCases reads the texts of the .inp and the ids of the .out beside a file.
func vocabularyCases(t *testing.T, base string) []vocabularyCase {
	t.Helper()
	texts, err := os.ReadFile(base + ".inp")
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Open(base + ".out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var cases []vocabularyCase
	lines := bufio.NewScanner(out)
	for _, text := range strings.Split(string(texts), "\n__ggml_vocab_test__\n") {
		if !lines.Scan() {
			break
		}
		c := vocabularyCase{text: text}
		for _, field := range strings.Fields(lines.Text()) {
			id, err := strconv.ParseInt(field, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			c.ids = append(c.ids, int32(id))
		}
		cases = append(cases, c)
	}
	if len(cases) < 40 {
		t.Fatalf("%d cases, want at least 40", len(cases))
	}
	return cases
}

// TestKindsAgreeWithTheReference reads small tokenizers of many kinds. The golden file is
// made by tools/golden/tokenizer_golden.py with Hugging Face's tokenizers.
func TestKindsAgreeWithTheReference(t *testing.T) {
	f, err := os.Open("testdata/reference.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	kinds := 0
	for dec := json.NewDecoder(z); dec.More(); kinds++ {
		var kind struct {
			Name  string
			File  json.RawMessage
			Cases [][2]json.RawMessage
		}
		if err := dec.Decode(&kind); err != nil {
			t.Fatal(err)
		}
		t.Run(kind.Name, func(t *testing.T) {
			m, err := tokenizer.FromJSON(kind.File)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range kind.Cases {
				var text string
				var want []int32
				if json.Unmarshal(c[0], &text) != nil || json.Unmarshal(c[1], &want) != nil {
					t.Fatalf("case %s is malformed", c)
				}
				if got := m.Template.Wrap(m.Encode(text), 1<<30, false); !slices.Equal(got, want) {
					t.Errorf("ids of %q = %v, want %v", text, got, want)
				}
			}
		})
	}
	if kinds < 14 {
		t.Errorf("%d kinds, want at least 14", kinds)
	}
}
