package encoder_test

import (
	"testing"

	"rcvae"

	"rcvae/embed/encoder"
)

// jinaTasks are the tasks of jina-embeddings-v3, and none.
var jinaTasks = []string{"", "retrieval.query", "retrieval.passage", "separation", "classification", "text-matching"}

func TestJinaTasksAgreeWithTheReference(t *testing.T) {
	g := readGolden(t, "testdata/tiny/jina-v3/golden.safetensors")
	for _, task := range jinaTasks {
		name := task
		if task == "" {
			name = "none"
		}
		t.Run(name, func(t *testing.T) {
			m := open(t, "testdata/tiny/jina-v3/original", encoder.Options{Pooling: "mean", Task: task})
			got, err := m.EmbedTokens(t.Context(), rcvae.RoleQuestion, g.texts)
			if err != nil {
				t.Fatal(err)
			}
			checkVectors(t, got, g.pooled(t, "mean."+name))
		})
	}
}

// The published file has 8194 positions in its configuration, of which XLM-RoBERTa's
// offset takes two: it was made for 8192 tokens.
func TestJinaReads8192Tokens(t *testing.T) {
	for _, path := range []string{"testdata/tiny/jina-v3/original", "testdata/tiny/jina-v3/native", "testdata/gguf/jina-v3.gguf"} {
		if got := open(t, path, encoder.Options{Pooling: "mean"}).MaxTokens(); got != 8192 {
			t.Errorf("%s: MaxTokens() = %d, want 8192", path, got)
		}
	}
}

// The task retrieval is one of queries for questions and one of passages for solutions.
func TestJinaRetrievalHasATaskForEachRole(t *testing.T) {
	g := readGolden(t, "testdata/tiny/jina-v3/golden.safetensors")
	m := open(t, "testdata/tiny/jina-v3/original", encoder.Options{Pooling: "mean", Task: "retrieval"})
	for role, want := range map[rcvae.Role]string{rcvae.RoleQuestion: "mean.retrieval.query", rcvae.RoleSolution: "mean.retrieval.passage"} {
		got, err := m.EmbedTokens(t.Context(), role, g.texts)
		if err != nil {
			t.Fatal(err)
		}
		checkVectors(t, got, g.pooled(t, want))
	}
}

func TestJinaLayoutsAgreeWithTheReference(t *testing.T) {
	g := readGolden(t, "testdata/tiny/jina-v3/golden.safetensors")
	const native, lora = "testdata/tiny/jina-v3/native", "testdata/tiny/jina-v3/native/separation"
	for _, c := range []struct {
		name, path, want string
		options          encoder.Options
	}{
		{"native", native, "none", encoder.Options{}},
		{"native with the task's folder", native, "separation", encoder.Options{Task: "separation"}},
		{"native with a PEFT folder", native, "separation", encoder.Options{Adapter: lora}},
		{"GGUF", "testdata/gguf/jina-v3.gguf", "none", encoder.Options{}},
		{"GGUF with an adapter", "testdata/gguf/jina-v3.gguf", "separation", encoder.Options{Adapter: "testdata/lora/jina-v3-separation.gguf"}},
		{"GGUF with a PEFT folder", "testdata/gguf/jina-v3.gguf", "separation", encoder.Options{Adapter: lora}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.options.Pooling = "mean"
			got, err := open(t, c.path, c.options).EmbedTokens(t.Context(), rcvae.RoleSolution, g.texts)
			if err != nil {
				t.Fatal(err)
			}
			checkVectors(t, got, g.pooled(t, "mean."+c.want))
		})
	}
}
