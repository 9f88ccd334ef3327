package remote_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rcvae/embed"
	"rcvae/embed/remote"
)

// A limit on a whole call is no limit on its texts.
func TestCallsThatAreTooLargeAreHalved(t *testing.T) {
	for status, message := range map[int]string{
		http.StatusRequestEntityTooLarge: "too large",
		http.StatusBadRequest:            `{"error":{"message":"Requested 312345 tokens, max 300000 tokens per request","code":"max_tokens_per_request"}}`,
	} {
		s := &server{kind: "openai"}
		e := open(t, s.start(t), remote.DefaultOptions())
		for range 3 {
			s.faults = append(s.faults, func(w http.ResponseWriter) { fail(w, status, message) })
		}
		texts := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
		got, err := e.Embed(t.Context(), solutions(texts...))
		if err != nil {
			t.Fatalf("status %d: %v", status, err)
		}
		for i, text := range texts {
			checkVector(t, text, got[i], unitOf(text))
		}
	}
}

// What a real llama.cpp says of a text that is longer than its batch or its context.
func TestLengthsThatLlamaCppRefuses(t *testing.T) {
	for message, status := range map[string]int{
		"input (876 tokens) is too large to process. increase the physical batch size (current batch size: 512)":  http.StatusInternalServerError,
		"request (2821 tokens) exceeds the available context size (512 tokens), try increasing it":                http.StatusBadRequest,
		"the request exceeds the available context size. try increasing the context size or enable context shift": http.StatusBadRequest,
		"input is larger than the max context size. skipping":                                                     http.StatusBadRequest,
	} {
		s := &server{kind: "llamacpp"}
		e := open(t, s.start(t), remote.DefaultOptions())
		s.faults = []func(http.ResponseWriter){func(w http.ResponseWriter) { fail(w, status, fmt.Sprintf(`{"error":{"message":%q}}`, message)) }}
		if _, err := e.Embed(t.Context(), solutions("a")); !errors.Is(err, embed.ErrTooLong) {
			t.Errorf("%q: error %v, want %v", message, err, embed.ErrTooLong)
		}
	}
}

// A server that needs too long for a call gets smaller ones, and no call twice.
func TestCallsThatTakeTooLongAreHalved(t *testing.T) {
	var large atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct{ Input []string }
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil && r.Method == http.MethodPost {
			t.Error(err)
		}
		if len(call.Input) > 2 {
			large.Add(1)
			<-r.Context().Done()
			return
		}
		type item struct {
			Index     int       `json:"index"`
			Embedding []float64 `json:"embedding"`
		}
		items := make([]item, len(call.Input))
		for i, text := range call.Input {
			items[i] = item{i, unitOf(text)}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": items})
	}))
	defer s.Close()
	o := remote.DefaultOptions()
	o.Timeout = 300 * time.Millisecond
	e := open(t, "openai+"+s.URL+"?model=m", o)
	texts := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	got, err := e.Embed(t.Context(), solutions(texts...))
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		checkVector(t, text, got[i], unitOf(text))
	}
	if n := large.Load(); n > 2 {
		t.Errorf("%d calls of more than two texts, want one of 8 and one of 4 at most", n)
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
		{"quota", func(w http.ResponseWriter) {
			fail(w, 429, `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}`)
		}, nil, "quota"},
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

// A key is sent as it is, and no part of it is in an error, even where the server repeats
// it or shows its ends.
func TestTheKeyIsNotShown(t *testing.T) {
	s := &server{kind: "openai"}
	o := remote.DefaultOptions()
	o.Key = "sk-hidden"
	e := open(t, s.start(t), o)
	s.faults = []func(http.ResponseWriter){func(w http.ResponseWriter) {
		fail(w, 401, `{"error":{"message":"Incorrect API key provided: sk-hidden (sk-***dden)"}}`)
	}}
	_, err := e.Embed(t.Context(), solutions("a"))
	if err == nil || strings.Contains(err.Error(), "dden") {
		t.Errorf("error %v, want one without the key", err)
	}
	if got := s.sent()[0].header.Get("Authorization"); got != "Bearer sk-hidden" {
		t.Errorf("sent %q, want the key", got)
	}
}

// Vectors are asked for as base64 where that is offered; from a server that refuses the
// wish they come as numbers, and it is not repeated.
func TestBase64(t *testing.T) {
	for _, kind := range []string{"openai", "llamacpp"} {
		s := &server{kind: kind, plain: true}
		e := open(t, s.start(t), remote.DefaultOptions())
		got, err := e.Embed(t.Context(), solutions("a"))
		if err != nil {
			t.Fatal(err)
		}
		checkVector(t, "a", got[0], unitOf("a"))
		refused := 0
		for _, c := range s.calls {
			if c.body["encoding_format"] != nil {
				refused++
			}
		}
		if refused != 1 {
			t.Errorf("%s: base64 was asked for %d times, want once", kind, refused)
		}
	}
}

// With late chunking a vector would depend on its neighbours.
func TestJinaWithoutLateChunking(t *testing.T) {
	s := &server{kind: "jina"}
	e := open(t, s.start(t), remote.DefaultOptions())
	if _, err := e.Embed(t.Context(), solutions("a", "b")); err != nil {
		t.Fatal(err)
	}
	if got := s.sent()[0].body["late_chunking"]; got != false {
		t.Errorf("late_chunking is %v, want false", got)
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
