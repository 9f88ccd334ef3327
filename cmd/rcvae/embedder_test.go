package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"rcvae/cvae"
)

// wordServer is an embedding server of OpenAI's kind: the mean of a random vector per
// word, or the first word's alone.
func wordServer(t *testing.T, firstAlone bool) *httptest.Server {
	t.Helper()
	var s changingServer
	s.firstAlone.Store(firstAlone)
	return s.start(t)
}

// changingServer is a [wordServer] that may fail, and come back as another.
type changingServer struct{ firstAlone, failing atomic.Bool }

func (s *changingServer) start(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.failing.Load() {
			http.Error(w, "no such model", http.StatusNotFound)
			return
		}
		var body struct{ Input []string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		data := make([]map[string]any, len(body.Input))
		for i, text := range body.Input {
			words := append([]string{"<s>"}, strings.Fields(text)...)
			if s.firstAlone.Load() {
				words = words[:1]
			}
			data[i] = map[string]any{"index": i, "embedding": wordVector(words)}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
	}))
	t.Cleanup(server.Close)
	return server
}

func wordVector(words []string) []float64 {
	v := make([]float64, 16)
	for j := range v {
		for _, word := range words {
			h := fnv.New32a()
			fmt.Fprintf(h, "%d %s", j, word)
			v[j] += float64(h.Sum32()%2001)/1000 - 1
		}
	}
	return v
}

func addressOf(s *httptest.Server) string { return "openai+" + s.URL + "/v1?model=words" }

// A model that was trained on one server is used with it, and with another that computes
// the same, and not with one that pools differently.
func TestModelOfAServer(t *testing.T) {
	f := newFixture(t)
	one, moved, other := wordServer(t, false), wordServer(t, false), wordServer(t, true)
	model := f.train(t, "remote.rcvae", "--embedder", addressOf(one), "--solution-prompt", "passage: ")
	eval := func(cache string, args ...string) result {
		return rcvaeRun(t, "", append([]string{"eval", "--pool", f.pool, "--model", model, "--quiet", "--cache", cache}, args...)...)
	}
	fresh := func() string { return filepath.Join(t.TempDir(), "cache.sqlite") }
	if got := eval(f.cache); got.code != exitOK {
		t.Errorf("its own server: exit code %d\n%s", got.code, got.stderr)
	}
	if got := eval(fresh(), "--embedder", addressOf(moved)); got.code != exitOK {
		t.Errorf("the same at another address: exit code %d\n%s", got.code, got.stderr)
	}
	for name, tt := range map[string]struct {
		cache string
		want  []string
	}{
		"a cache of its own": {fresh(), []string{"remote.rcvae", addressOf(one), addressOf(other), "probe", "cosine"}},
		"the other's cache":  {f.cache, []string{"cache", addressOf(other), "probe", "--cache"}},
	} {
		got := eval(tt.cache, "--embedder", addressOf(other))
		if got.code != exitFailure {
			t.Errorf("another pooling, %s: exit code %d, want 1", name, got.code)
		}
		for _, part := range tt.want {
			if !strings.Contains(got.stderr, part) {
				t.Errorf("another pooling, %s: error %q, want %q in it", name, got.stderr, part)
			}
		}
	}
	one.Close()
	got := eval(fresh())
	for _, part := range []string{"remote.rcvae", addressOf(one), "--embedder"} {
		if got.code != exitFailure || !strings.Contains(got.stderr, part) {
			t.Errorf("a server that is gone: exit code %d, error %q, want 1 and %q in it", got.code, got.stderr, part)
		}
	}
}

// tinyBERT writes a folder with the weights of a tiny BERT and a vocabulary of its size,
// without anything on pooling.
func tinyBERT(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "bert")
	if err := os.CopyFS(folder, os.DirFS("../../embed/encoder/testdata/tiny/bert")); err != nil {
		t.Fatal(err)
	}
	var config struct {
		Size int `json:"vocab_size"`
	}
	data, err := os.ReadFile(filepath.Join(folder, "config.json"))
	if err == nil {
		err = json.Unmarshal(data, &config)
	}
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "what", "is", "the", "answer", "attempt", "of", "question", ".", "?", "+", ":"}
	for i := len(words); i < config.Size; i++ {
		words = append(words, fmt.Sprint(i-16))
	}
	for name, text := range map[string]string{
		"vocab.txt": strings.Join(words, "\n") + "\n",
		"README.md": "---\nlicense: cc-by-nc-4.0\ntags:\n- tiny\n---\n# Tiny\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// A model keeps how its embedder was opened, and the terms of its weights.
func TestModelOfAFolder(t *testing.T) {
	f, folder := newFixture(t), tinyBERT(t)
	got := rcvaeRun(t, "", "train", "--pool", f.pool, "--out", f.path("m.rcvae"), "--cache", f.cache, "--embedder", folder)
	if got.code != exitFailure || !strings.Contains(got.stderr, "--pooling") {
		t.Fatalf("a folder without pooling: exit code %d, error %q, want --pooling in it", got.code, got.stderr)
	}
	model := f.train(t, "m.rcvae", "--embedder", folder, "--pooling", "cls", "--max-tokens", "24", "--dimension", "16")
	loaded, err := cvae.Load(model)
	if err != nil {
		t.Fatal(err)
	}
	if fp := loaded.Info().Fingerprint; fp.Name != folder || fp.Pooling != "cls" || fp.MaxTokens != 24 || fp.Dimension != 16 {
		t.Errorf("fingerprint %+v", fp)
	}
	if got := rcvaeRun(t, "", "inspect", model); !strings.Contains(got.stdout, "cc-by-nc-4.0") {
		t.Errorf("inspect shows no licence:\n%s", got.stdout)
	}
	eval := func(args ...string) result {
		return rcvaeRun(t, "", append([]string{"eval", "--pool", f.pool, "--model", model, "--quiet", "--cache", f.cache}, args...)...)
	}
	if got := eval(); got.code != exitOK {
		t.Errorf("eval without a flag of the embedder: exit code %d\n%s", got.code, got.stderr)
	}
	moved := folder + "-moved"
	if err := os.Rename(folder, moved); err != nil {
		t.Fatal(err)
	}
	if got := eval(); got.code != exitFailure || !strings.Contains(got.stderr, folder) || !strings.Contains(got.stderr, "--embedder") {
		t.Errorf("a folder that is gone: exit code %d, error %q, want its name and --embedder", got.code, got.stderr)
	}
	if got := eval("--embedder", moved); got.code != exitOK {
		t.Errorf("the folder at its new place: exit code %d\n%s", got.code, got.stderr)
	}
}

func TestEmbedderNames(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HF_HOME", home)
	part := filepath.Join(home, "hub", "models--org--part", "snapshots", "main")
	if err := os.CopyFS(part, os.DirFS(tinyBERT(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(part, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, "weights.bin", "x")
	for _, tt := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"unknown", []string{"bert-xl"}, exitUsage, []string{"minilm, minilm-math", "FOLDER", ".gguf", "ORG/NAME", "tei+URL", "embedders list"}},
		{"URL without a kind", []string{"https://example.org/v1"}, exitUsage, []string{"openai, tei, llamacpp, ollama, jina"}},
		{"unknown kind", []string{"cohere+https://example.org"}, exitUsage, []string{"openai, tei"}},
		{"no such folder", []string{"./nowhere"}, exitFailure, []string{"no such file or folder"}},
		{"not in the hub cache", []string{"BAAI/bge-small-en-v1.5"}, exitFailure, []string{"rcvae embedders get BAAI/bge-small-en-v1.5"}},
		{"half in the hub cache", []string{"org/part"}, exitFailure, []string{"model.safetensors", "rcvae embedders get org/part"}},
		{"another file", []string{file}, exitUsage, []string{".gguf"}},
		{"flag of another kind", []string{"minilm", "--pooling", "cls"}, exitUsage, []string{"minilm", "built in", "--pooling"}},
		{"pooling of a server", []string{"tei+http://127.0.0.1:1", "--pooling", "cls"}, exitUsage, []string{"tei", "--pooling"}},
		{"task of a server without", []string{"ollama+http://127.0.0.1:1?model=a", "--task", "retrieval"}, exitUsage, []string{"ollama", "--task"}},
		{"server without a model", []string{"openai+http://127.0.0.1:1"}, exitFailure, []string{"?model="}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := rcvaeRun(t, "text\n", append([]string{"embed", "--cache", "none", "--embedder"}, tt.args...)...)
			if got.code != tt.code {
				t.Errorf("exit code %d, want %d", got.code, tt.code)
			}
			for _, part := range tt.want {
				if !strings.Contains(got.stderr, part) {
					t.Errorf("error %q, want %q in it", got.stderr, part)
				}
			}
		})
	}
}
