package remote_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
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

// A limit on a whole call is no limit on its texts.
func TestCallsThatAreTooLargeAreHalved(t *testing.T) {
	s := &server{kind: "openai"}
	e := open(t, s.start(t), remote.DefaultOptions())
	for range 3 {
		s.faults = append(s.faults, func(w http.ResponseWriter) { fail(w, http.StatusRequestEntityTooLarge, "too large") })
	}
	texts := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	got, err := e.Embed(t.Context(), solutions(texts...))
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		checkVector(t, text, got[i], unitOf(text))
	}
}

func TestFaultsThatPass(t *testing.T) {
	for name, fault := range map[string]func(http.ResponseWriter){
		"overloaded": busy(429), "backend": busy(424), "loading": busy(503), "bad gateway": busy(502), "dropped": dropped,
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{kind: "tei"}
			e := open(t, s.start(t), remote.DefaultOptions())
			s.faults = []func(http.ResponseWriter){fault}
			got, err := e.Embed(t.Context(), solutions("a"))
			if err != nil {
				t.Fatal(err)
			}
			checkVector(t, "a", got[0], unitOf("a"))
			if n := len(s.sent()); n != 2 {
				t.Errorf("%d calls, want 2", n)
			}
		})
	}
}

func TestFaultsThatDoNot(t *testing.T) {
	nan := func(texts []string) [][]float32 { return [][]float32{make([]float32, dimension)} }
	for _, tt := range []struct {
		name   string
		fault  func(http.ResponseWriter)
		answer func([]string) [][]float32
		want   string
	}{
		{"refused", func(w http.ResponseWriter) { fail(w, 422, `{"error":"unknown prompt"}`) }, nil, "unknown prompt"},
		{"key", func(w http.ResponseWriter) { fail(w, 401, `{"detail":"Unauthorized"}`) }, nil, "RCVAE_EMBED_KEY"},
		{"elsewhere", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://other/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, nil, "http://other/"},
		{"not JSON", func(w http.ResponseWriter) { fail(w, 200, "<html>") }, nil, "read the embeddings"},
		{"zero", nil, nan, "length 0"},
		{"one missing", nil, func([]string) [][]float32 { return nil }, "0 embeddings for 1 texts"},
		{"another dimension", nil, func([]string) [][]float32 { return [][]float32{{1, 2}} }, "2 dimensions, want 16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &server{kind: "openai", floats: true}
			e := open(t, s.start(t), remote.DefaultOptions())
			s.answer = tt.answer
			if tt.fault != nil {
				s.faults = []func(http.ResponseWriter){tt.fault}
			}
			_, err := e.Embed(t.Context(), solutions("a"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
			if n := len(s.sent()); n != 1 {
				t.Errorf("%d calls, want 1", n)
			}
		})
	}
}

func TestDimension(t *testing.T) {
	for _, kind := range []string{"openai", "tei", "ollama", "jina"} {
		s := &server{kind: kind}
		o := remote.DefaultOptions()
		o.Dimension = 4
		e := open(t, s.start(t), o)
		if got := e.Fingerprint().Dimension; got != 4 {
			t.Errorf("%s: dimension %d, want 4", kind, got)
		}
	}
}

func TestAddressesAreChecked(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	task := remote.DefaultOptions()
	task.Task = "separation"
	for _, tt := range []struct {
		address string
		o       remote.Options
		want    string
	}{
		{"http://127.0.0.1:1", remote.DefaultOptions(), "kind of server"},
		{"cohere+http://127.0.0.1:1", remote.DefaultOptions(), "openai, tei, llamacpp, ollama, jina"},
		{"openai+http://127.0.0.1:1/v1", remote.DefaultOptions(), "names no model"},
		{"openai+http://me:secret@127.0.0.1:1/v1?model=a", remote.DefaultOptions(), "environment"},
		{"openai+http://127.0.0.1:1/v1?model=a&key=b", remote.DefaultOptions(), "environment"},
		{"tei+ftp://127.0.0.1:1", remote.DefaultOptions(), "not the URL"},
		{"ollama+http://127.0.0.1:1?model=a", task, "no tasks"},
		{"tei+" + web.URL, remote.DefaultOptions(), "404"},
		{"tei+" + web.URL, remote.Options{}, "concurrency is 0"},
	} {
		_, err := remote.Open(t.Context(), tt.address, tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Open(%s): %v, want %q in the error", tt.address, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a key: %v", err)
		}
	}
}
