package remote_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// dimension is that of the scripted servers' vectors.
const dimension = 16

// call is what a scripted server was sent.
type call struct {
	path   string
	header http.Header
	body   map[string]any
	texts  []string
}

// server is a scripted embedding server of one kind. It refuses what the real one does.
type server struct {
	kind   string
	limit  int    // words of a text; longer ones are refused as the real server refuses them; 0: none
	batch  int    // texts of one call; 0: any
	key    string // that calls must carry; "": none
	floats bool   // numbers where base64 is asked for
	plain  bool   // a wish for base64 is refused
	faults []func(http.ResponseWriter)
	answer func(texts []string) [][]float32 // nil: vectors

	mu    sync.Mutex
	calls []call
}

// start returns the server's address with its kind.
func (s *server) start(t *testing.T) string {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	address := s.kind + "+" + web.URL
	switch s.kind {
	case "openai", "ollama":
		return address + "?model=small"
	case "jina":
		return address + "?model=jina-embeddings-v3"
	}
	return address
}

// vectorOf returns a vector that depends on the text, not of unit length.
func vectorOf(text string) []float32 {
	v := make([]float32, dimension)
	for i := range v {
		h := fnv.New32a()
		fmt.Fprintf(h, "%d %s", i, text)
		v[i] = 3 * (float32(h.Sum32()%2001)/1000 - 1)
	}
	return v
}

func vectors(texts []string) [][]float32 {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = vectorOf(text)
	}
	return out
}

var paths = map[string]string{"openai": "/v1/embeddings", "jina": "/v1/embeddings", "llamacpp": "/v1/embeddings", "tei": "/embed", "ollama": "/api/embed"}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.key != "" && r.Header.Get("Authorization") != "Bearer "+s.key {
		fail(w, http.StatusUnauthorized, `{"error":{"message":"Incorrect API key provided"}}`)
		return
	}
	if r.Method == http.MethodGet {
		s.describe(w, r)
		return
	}
	c := call{path: r.URL.Path, header: r.Header}
	if err := json.NewDecoder(r.Body).Decode(&c.body); err != nil || r.URL.Path != paths[s.kind] {
		fail(w, http.StatusNotFound, `{"error":"not found"}`)
		return
	}
	list, _ := c.body["input"].([]any)
	if s.kind == "tei" {
		list, _ = c.body["inputs"].([]any)
	}
	for _, text := range list {
		c.texts = append(c.texts, text.(string))
	}
	s.mu.Lock()
	s.calls = append(s.calls, c)
	var fault func(http.ResponseWriter)
	if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	if fault != nil {
		fault(w)
		return
	}
	if status, message := s.refusal(c); status != 0 {
		fail(w, status, message)
		return
	}
	answer := s.answer
	if answer == nil {
		answer = vectors
	}
	s.write(w, c, answer(c.texts))
}

// refusal returns what the real server says to what it does not take.
func (s *server) refusal(c call) (int, string) {
	if s.batch > 0 && len(c.texts) > s.batch {
		return http.StatusUnprocessableEntity, fmt.Sprintf(`{"error":"batch size %d > maximum allowed batch size %d","error_type":"Validation"}`, len(c.texts), s.batch)
	}
	if s.plain && c.body["encoding_format"] != nil {
		return http.StatusBadRequest, `{"error":{"message":"openai does not support parameters: {'encoding_format': 'base64'}","code":"400"}}`
	}
	if slices.Contains(c.texts, "") {
		return http.StatusBadRequest, `{"error":{"message":"'$.input' is invalid: empty string"}}`
	}
	if s.limit == 0 || !slices.ContainsFunc(c.texts, func(t string) bool { return len(strings.Fields(t)) > s.limit }) {
		return 0, ""
	}
	switch s.kind {
	case "tei":
		if c.body["truncate"] == false {
			return http.StatusUnprocessableEntity, fmt.Sprintf("{\"error\":\"Input validation error: `inputs` must have less than %d tokens. Given: 999\",\"error_type\":\"Validation\"}", s.limit)
		}
	case "ollama":
		if c.body["truncate"] == false {
			return http.StatusBadRequest, `{"error":"the input length exceeds the context length"}`
		}
	case "llamacpp":
		return http.StatusInternalServerError, `{"error":{"code":500,"message":"input is too large to process. increase the physical batch size","type":"server_error"}}`
	case "jina":
		if c.body["truncate"] == false {
			return http.StatusBadRequest, `{"detail":"Single text cannot exceed 8194 tokens. 8229 tokens given."}`
		}
	default:
		return http.StatusBadRequest, `{"error":{"message":"This model's maximum context length is 8192 tokens, however you requested 9001 tokens","type":"invalid_request_error"}}`
	}
	return 0, ""
}

func (s *server) write(w http.ResponseWriter, c call, list [][]float32) {
	if n, ok := c.body["dimensions"].(float64); ok {
		for i := range list {
			list[i] = list[i][:int(n)]
		}
	}
	switch s.kind {
	case "tei":
		_ = json.NewEncoder(w).Encode(list)
		return
	case "ollama":
		_ = json.NewEncoder(w).Encode(map[string]any{"model": "small", "embeddings": list})
		return
	}
	data := make([]map[string]any, len(list))
	for i, v := range list {
		j := len(list) - 1 - i // in any order: the index counts
		data[j] = map[string]any{"object": "embedding", "index": i, "embedding": v}
		if !s.floats && (c.body["encoding_format"] == "base64" || c.body["embedding_type"] == "base64") {
			var raw []byte
			for _, x := range v {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
			}
			data[j]["embedding"] = base64.StdEncoding.EncodeToString(raw)
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": data})
}

func (s *server) describe(w http.ResponseWriter, r *http.Request) {
	documents := map[string]string{
		"tei /info":               fmt.Sprintf(`{"model_id":"BAAI/bge-small","model_sha":"abc","model_dtype":"float16","max_input_length":512,"max_client_batch_size":%d,"model_type":{"embedding":{"pooling":"cls"}}}`, s.batch),
		"ollama /api/tags":        `{"models":[{"name":"small:latest","model":"small:latest","digest":"d1"},{"name":"big:latest","digest":"d2"}]}`,
		"llamacpp /v1/models":     `{"data":[{"id":"/models/bge-q8.gguf"}]}`,
		"llamacpp /lora-adapters": `[{"id":0,"path":"/a/math.gguf","scale":1},{"id":1,"path":"/a/off.gguf","scale":0}]`,
	}
	document, ok := documents[s.kind+" "+r.URL.Path]
	if !ok {
		fail(w, http.StatusNotFound, `{"error":"not found"}`)
		return
	}
	_, _ = w.Write([]byte(document))
}

func fail(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// busy answers a call with a status that passes.
func busy(status int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "0.001")
		fail(w, status, `{"error":"Model is overloaded","error_type":"Overloaded"}`)
	}
}

// dropped breaks the connection in the middle of an answer.
func dropped(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"data":[`))
}

// sent returns the calls that came after the first, which Open makes.
func (s *server) sent() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[1:]
}
