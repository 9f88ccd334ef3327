package rcvaetest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"rcvae/internal/openaiapi"
)

// Script says which server an [OpenAI] plays and what it answers. The zero value is
// vLLM with [DefaultReply].
type Script struct {
	Server Server             // whose habits are played
	Slots  int                // of llama.cpp; 0: 4
	Models []string           // that exist; none: any, and "scripted" is listed
	Key    string             // the bearer key that is asked for; empty: none
	Reply  func(Prompt) Reply // what the model writes; nil: [DefaultReply]
	Fault  func(Call) *Fault  // what goes wrong with a call; nil, or a nil result: nothing
	Reject []string           // fields that are answered with status 400
	Forget bool               // calls are not recorded: for benchmarks
}

// Prompt is what one choice answers.
type Prompt struct {
	Question string         // text of the last user message, or the raw prompt
	Choice   int            // index of the choice in its call
	Seed     *int64         // of the choice; nil when the call has none
	Path     string         // "/chat/completions" or "/completions"
	Body     openaiapi.Body // of the request
}

// Reply is one choice.
type Reply struct {
	Text      string
	Reasoning string // beside the text, as servers of thinking models send it
	ToolCalls []openaiapi.ToolCall
	Finish    string // empty: "stop", or "tool_calls"
}

// Call is a request that the server got.
type Call struct {
	Number   int    // from 1, all paths together
	Method   string // "POST"
	Path     string // without /v1
	Header   http.Header
	Raw      []byte
	Body     openaiapi.Body // empty for a GET
	Question string
	N        int // choices asked for, at least 1
}

// OpenAI is a scripted server of the OpenAI API, an [http.Handler] for paths with or
// without /v1. Its answers depend on the question, the seed and the choice alone.
type OpenAI struct {
	script Script

	mu         sync.Mutex
	calls      []Call
	number     int
	cancelled  int
	active     int
	mostAtOnce int
}

var _ http.Handler = (*OpenAI)(nil)

// NewOpenAI returns a server that plays the script.
func NewOpenAI(s Script) *OpenAI {
	if s.Reply == nil {
		s.Reply = DefaultReply
	}
	if s.Slots == 0 {
		s.Slots = 4
	}
	return &OpenAI{script: s}
}

// StartOpenAI starts a server on the loopback until the test ends and returns it with
// its base URL, which ends in /v1.
func StartOpenAI(t testing.TB, s Script) (*OpenAI, string) {
	t.Helper()
	o := NewOpenAI(s)
	server := httptest.NewServer(o)
	t.Cleanup(func() {
		server.CloseClientConnections() // a silent call would wait for its client
		server.Close()
	})
	return o, server.URL + "/v1"
}

// Calls returns the calls so far, in order of arrival.
func (o *OpenAI) Calls() []Call {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Call(nil), o.calls...)
}

// CallsOf returns the calls so far that ask for completions of the question.
func (o *OpenAI) CallsOf(question string) []Call {
	var calls []Call
	for _, c := range o.Calls() {
		if c.Method == http.MethodPost && c.Question == question {
			calls = append(calls, c)
		}
	}
	return calls
}

// Cancelled returns how many calls ended because the client went away.
func (o *OpenAI) Cancelled() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cancelled
}

// MostAtOnce returns the largest number of calls that were under way at one time.
func (o *OpenAI) MostAtOnce() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mostAtOnce
}

// maxScriptedBody bounds a request, in bytes.
const maxScriptedBody = 64 << 20

// ServeHTTP implements [http.Handler].
func (o *OpenAI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxScriptedBody))
	if err != nil {
		return // the client is gone
	}
	call := Call{Method: r.Method, Path: path, Header: r.Header.Clone(), Raw: raw, N: 1}
	if len(raw) > 0 {
		if call.Body, err = openaiapi.ParseBody(raw); err != nil {
			refuse(w, http.StatusBadRequest, "the body: %v", err)
			return
		}
		call.Question = questionOf(call.Body)
		if ok, err := call.Body.Decode("n", &call.N); ok && (err != nil || call.N < 1 || call.N > 128) {
			refuse(w, http.StatusBadRequest, "n must be between 1 and 128")
			return
		}
	}
	o.enter(&call)
	defer o.leave(r)
	o.serve(w, r, call)
}

func (o *OpenAI) enter(call *Call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.number++
	call.Number = o.number
	if !o.script.Forget {
		o.calls = append(o.calls, *call)
	}
	o.active++
	o.mostAtOnce = max(o.mostAtOnce, o.active)
}

func (o *OpenAI) leave(r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.active--
	if r.Context().Err() != nil {
		o.cancelled++
	}
}

func (o *OpenAI) serve(w http.ResponseWriter, r *http.Request, call Call) {
	if o.script.Key != "" && r.Header.Get("Authorization") != "Bearer "+o.script.Key {
		refuse(w, http.StatusUnauthorized, "incorrect API key provided")
		return
	}
	if o.script.Fault != nil {
		if f := o.script.Fault(call); f != nil && f.play(w, r) {
			return
		}
	}
	switch {
	case call.Method == http.MethodGet && call.Path == "/models":
		o.listModels(w)
	case call.Method == http.MethodPost && (call.Path == "/chat/completions" || call.Path == "/completions"):
		o.complete(w, r, call)
	default:
		refuse(w, http.StatusNotFound, "no such path: %s %s", call.Method, call.Path)
	}
}

func (o *OpenAI) listModels(w http.ResponseWriter) {
	names := o.script.Models
	if len(names) == 0 {
		names = []string{"scripted"}
	}
	var data []map[string]any
	for _, name := range names {
		data = append(data, map[string]any{"id": name, "object": "model", "created": 1700000000, "owned_by": "rcvaetest"})
	}
	writeJSON(w, map[string]any{"object": "list", "data": data})
}

// refuse writes an error envelope.
func refuse(w http.ResponseWriter, status int, format string, args ...any) {
	writeEnvelope(w, status, openaiapi.NewError(status, format, args...))
}

func writeEnvelope(w http.ResponseWriter, status int, e openaiapi.Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(e.Envelope()) // the client may be gone
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the client may be gone
}

// questionOf returns the text of the last user message, or the raw prompt.
func questionOf(body openaiapi.Body) string {
	if prompt := body.Text("prompt"); prompt != "" {
		return prompt
	}
	var messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	if ok, err := body.Decode("messages", &messages); !ok || err != nil {
		return ""
	}
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role != "user" {
			continue
		}
		var text string
		if json.Unmarshal(messages[i].Content, &text) == nil {
			return text
		}
		var parts []struct{ Text string }
		_ = json.Unmarshal(messages[i].Content, &parts) // another form has no text
		for _, part := range parts {
			text += part.Text
		}
		return text
	}
	return ""
}
