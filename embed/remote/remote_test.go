package remote_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed"
	"rcvae/embed/remote"
	"rcvae/rcvaetest"
)

func open(t *testing.T, address string, o remote.Options) *remote.Embedder {
	t.Helper()
	e, err := remote.Open(t.Context(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func solutions(texts ...string) []rcvae.Text {
	out := make([]rcvae.Text, len(texts))
	for i, text := range texts {
		out[i] = rcvae.Text{Role: rcvae.RoleSolution, Text: text}
	}
	return out
}

// unitOf is the vector that the scripted servers give a text, of unit length.
func unitOf(text string) []float64 {
	v, square := vectorOf(text), 0.0
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x) / math.Sqrt(square)
	}
	return out
}

func checkVector(t *testing.T, what string, got rcvae.Embedding, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d dimensions, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Abs(float64(got[i])-want[i]) > 1e-6 {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// Each kind of server gets every text once, in calls that it takes, and its vectors come
// back in order and of unit length.
func TestEveryKindOfServer(t *testing.T) {
	for _, kind := range remote.Kinds() {
		t.Run(kind, func(t *testing.T) {
			s := &server{kind: kind, batch: 32, key: "secret"}
			o := remote.DefaultOptions()
			o.Key = "secret"
			e := open(t, s.start(t), o)
			rcvaetest.TestEmbedder(t, e)
			before := len(s.sent())
			var texts []string
			for i := range 75 {
				texts = append(texts, fmt.Sprintf("text %d of many", i))
			}
			texts = append(texts, "")
			got, err := embed.Checked(e).Embed(t.Context(), solutions(texts...))
			if err != nil {
				t.Fatal(err)
			}
			texts[75] = " " // what is sent for an empty text
			for i, text := range texts {
				checkVector(t, text, got[i], unitOf(text))
			}
			if calls := len(s.sent()) - before; calls != 3 {
				t.Errorf("%d calls for 76 texts, want 3", calls)
			}
			if fp := e.Fingerprint(); fp.Dimension != dimension || !fp.Normalized || !strings.HasPrefix(fp.Weights, kind+"/1:") {
				t.Errorf("fingerprint %+v", fp)
			}
		})
	}
}

// What one call may hold comes from the server.
func TestBatchOfTheServer(t *testing.T) {
	s := &server{kind: "tei", batch: 4}
	e := open(t, s.start(t), remote.DefaultOptions())
	if _, err := e.Embed(t.Context(), solutions("a", "b", "c", "d", "e", "f", "g", "h", "i")); err != nil {
		t.Fatal(err)
	}
	if n := len(s.sent()); n != 3 {
		t.Errorf("%d calls for 9 texts, want 3 of at most 4", n)
	}
}

func TestFingerprintHoldsWhatTheServerSays(t *testing.T) {
	for kind, want := range map[string]string{
		"openai": "openai/1:small", "ollama": "ollama/1:small@d1", "tei": "tei/1:BAAI/bge-small@abc:float16",
		"llamacpp": "llamacpp/1:bge-q8.gguf+math.gguf*1", "jina": "jina/1:jina-embeddings-v3",
	} {
		s := &server{kind: kind}
		one, other := open(t, s.start(t), remote.DefaultOptions()), open(t, s.start(t), remote.DefaultOptions())
		fp := one.Fingerprint()
		if fp.Weights != want {
			t.Errorf("%s: weights %q, want %q", kind, fp.Weights, want)
		}
		if !fp.Same(other.Fingerprint()) {
			t.Errorf("%s: the fingerprint depends on the server's address", kind)
		}
		if kind == "tei" && (fp.Pooling != "cls" || fp.MaxTokens != 512) {
			t.Errorf("tei: pooling %q, %d tokens, want what /info says", fp.Pooling, fp.MaxTokens)
		}
	}
}

func TestTasksAndPrompts(t *testing.T) {
	for _, tt := range []struct {
		kind, task, field  string
		question, solution any
	}{
		{"jina", "retrieval", "task", "retrieval.query", "retrieval.passage"},
		{"jina", "separation", "task", "separation", "separation"},
		{"tei", "retrieval", "prompt_name", "query", "document"},
		{"tei", "", "prompt_name", nil, nil},
	} {
		t.Run(tt.kind+" "+tt.task, func(t *testing.T) {
			s := &server{kind: tt.kind}
			o := remote.DefaultOptions()
			o.Task, o.QuestionPrompt, o.SolutionPrompt = tt.task, "Q: ", "S: "
			e := open(t, s.start(t), o)
			_, err := e.Embed(t.Context(), []rcvae.Text{{Role: rcvae.RoleSolution, Text: "two"}, {Role: rcvae.RoleQuestion, Text: "one"}})
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]any{}
			for _, c := range s.sent() {
				for _, text := range c.texts {
					seen[text] = c.body[tt.field]
				}
			}
			if len(seen) != 2 || seen["Q: one"] != tt.question || seen["S: two"] != tt.solution {
				t.Errorf("sent %v, want tasks %v and %v", seen, tt.question, tt.solution)
			}
			plain := open(t, s.start(t), remote.DefaultOptions())
			if e.Fingerprint().Same(plain.Fingerprint()) {
				t.Error("the fingerprint does not tell the prompts")
			}
		})
	}
}

// A text that is too long is an error that names it, after no repetition; the texts
// beside it are no reason to fail.
func TestTooLongIsFinal(t *testing.T) {
	long := strings.Repeat("word ", 600)
	for _, kind := range remote.Kinds() {
		t.Run(kind, func(t *testing.T) {
			s := &server{kind: kind, limit: 512}
			e := open(t, s.start(t), remote.DefaultOptions())
			_, err := e.Embed(t.Context(), solutions("a", "b", "c", long, "d"))
			if !errors.Is(err, embed.ErrTooLong) || !strings.Contains(err.Error(), "text 4 ") {
				t.Errorf("error %v, want that text 4 is too long", err)
			}
			alone := 0
			for _, c := range s.sent() {
				if len(c.texts) == 1 && c.texts[0] == long {
					alone++
				}
			}
			if alone != 1 {
				t.Errorf("the long text was sent alone %d times, want once", alone)
			}
		})
	}
}
