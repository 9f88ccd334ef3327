package remote_test

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed/remote"
)

// states are those of a causal model with a token per byte: a state depends on the tokens
// up to its own.
func states(ids []int32) [][]float64 {
	var out [][]float64
	sum := 0.0
	for i, id := range ids {
		sum += float64(id) * float64(i+1)
		out = append(out, []float64{math.Sin(sum), math.Cos(sum), math.Sin(3 * sum), 0.3})
	}
	return out
}

func mean(states [][]float64) []float64 {
	out := make([]float64, 4)
	for _, s := range states {
		for j, v := range s {
			out[j] += v / float64(len(states))
		}
	}
	return out
}

// causalServer is a llama-server of that model, whose vectors are not of unit length.
func causalServer(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tokenize", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Content string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		_ = json.NewEncoder(w).Encode(map[string]any{"tokens": codes(body.Content), "n": len(body.Content)})
	})
	mux.HandleFunc("POST /v1/embeddings", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Input     []int32
			Normalize int `json:"embd_normalize"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Normalize != -1 || len(body.Input) == 0 {
			http.Error(w, "want tokens and raw means", http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": []any{map[string]any{"index": 0, "embedding": mean(states(body.Input))}}})
	})
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":[{"id":"m.gguf"}]}`)) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// TestInContext: a solution's vector is the mean over its own tokens behind the question,
// of which long ones keep what package encoder keeps.
func TestInContext(t *testing.T) {
	e, err := remote.OpenInContext(t.Context(), "llamacpp+"+causalServer(t), 16, remote.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	if fp := e.Fingerprint(); !fp.InContext || fp.MaxTokens != 16 || fp.Dimension != 4 || fp.Pooling != "mean" {
		t.Errorf("fingerprint %+v", fp)
	}
	for _, c := range []struct{ question, solution, q, r string }{
		{"ab", "cd", "ab", "\n\ncd"},
		{"", "cd", "", "\n\ncd"},
		{"ab", "", "ab", "\n\n"},
		{"abcd", "abcdefghijklmnop", "abcd", "\n\na" + "hijklmnop"},
		{"0123456789", "c", "23456789", "\n\nc"},
	} {
		got, err := e.Embed(t.Context(), []rcvae.Text{
			{Role: rcvae.RoleSolution, Text: c.solution, Question: c.question}, {Role: rcvae.RoleQuestion, Text: c.question},
		})
		if err != nil {
			t.Fatal(err)
		}
		all := states(codes(c.q + c.r))
		question := all[:len(c.q)]
		if len(question) == 0 {
			question = states(codes("\n\n"))
		}
		for i, want := range [][]float64{mean(all[len(c.q):]), mean(question)} {
			norm := math.Sqrt(want[0]*want[0] + want[1]*want[1] + want[2]*want[2] + want[3]*want[3])
			for j := range want {
				if d := math.Abs(float64(got[i][j]) - want[j]/norm); d > 1e-5 {
					t.Errorf("%q before %q, text %d: value %d = %v, want %v", c.question, c.solution, i, j, got[i][j], want[j]/norm)
				}
			}
		}
	}
}

func codes(text string) []int32 {
	var out []int32
	for _, b := range []byte(text) {
		out = append(out, int32(b))
	}
	return out
}

func TestInContextRefuses(t *testing.T) {
	for _, c := range []struct {
		address string
		limit   int
		want    string
	}{
		{"tei+http://127.0.0.1:1", 512, "does not say how it tokenises"},
		{"llamacpp+http://127.0.0.1:1", 3, "want at least 4"},
	} {
		if _, err := remote.OpenInContext(t.Context(), c.address, c.limit, remote.DefaultOptions()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.address, err, c.want)
		}
	}
}
