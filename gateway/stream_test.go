package gateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rcvae/internal/openaiapi"
	"rcvae/llm"
	"rcvae/rcvaetest"
)

// events reads a stream to its end.
func events(t *testing.T, body []byte) []openaiapi.Event {
	t.Helper()
	var list []openaiapi.Event
	reader := openaiapi.NewEventReader(bytes.NewReader(body), 1<<20)
	for {
		e, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("read the stream: %v: %s", err, body)
		}
		e.Data = bytes.Clone(e.Data)
		list = append(list, e)
	}
}

// chunk is a chunk as a client decodes it.
type chunk struct {
	Object  string
	Choices []struct {
		Index  int
		Text   string
		Finish *string `json:"finish_reason"`
		Delta  struct {
			Role, Content string
			ToolCalls     []struct {
				Index    int
				Function openaiapi.Function
			} `json:"tool_calls"`
		}
	}
	Usage *openaiapi.Usage
	Block json.RawMessage `json:"rcvae"`
}

// chunks decodes the nameless events before [DONE], which must be the last.
func chunks(t *testing.T, r reply) []chunk {
	t.Helper()
	if r.status != http.StatusOK || !strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("status %d, %s, want a stream: %s", r.status, r.header.Get("Content-Type"), r.body)
	}
	var list []chunk
	all := events(t, r.body)
	for i, e := range all {
		if string(e.Data) == openaiapi.Done {
			if i != len(all)-1 {
				t.Errorf("[DONE] is event %d of %d, want the last", i+1, len(all))
			}
			return list
		}
		var c chunk
		if e.Name != "" {
			continue
		}
		if err := json.Unmarshal(e.Data, &c); err != nil {
			t.Fatalf("chunk %s: %v", e.Data, err)
		}
		list = append(list, c)
	}
	t.Fatalf("the stream has no [DONE]: %s", r.body)
	return nil
}

func TestTheChosenAnswerIsStreamed(t *testing.T) {
	long := strings.Repeat("Übung macht den Meister. ", 30) + "so 7"
	s := start(t, func(s *setup) { s.script.Reply = texts("so 5", long, "so 7", "so 9") })
	got := s.post(chat, ask("q", `"stream":true`, `"stream_options":{"include_usage":true}`))
	list := chunks(t, got)
	if first := list[0]; len(first.Choices) != 1 || first.Choices[0].Delta.Role != "assistant" || first.Choices[0].Delta.Content != "" {
		t.Errorf("first chunk %+v, want the role alone", first)
	}
	var text strings.Builder
	finishes := 0
	for i, c := range list[:len(list)-1] {
		if c.Object != "chat.completion.chunk" || len(c.Choices) != 1 {
			t.Fatalf("chunk %d is %+v", i, c)
		}
		text.WriteString(c.Choices[0].Delta.Content)
		if f := c.Choices[0].Finish; f != nil {
			finishes++
			if i != len(list)-2 || *f != "stop" {
				t.Errorf("chunk %d finishes with %q, want the last with stop", i, *f)
			}
		}
	}
	if text.String() != long || finishes != 1 {
		t.Errorf("streamed %d finishes and the text %q, want %q", finishes, text.String(), long)
	}
	last := list[len(list)-1]
	if last.Usage == nil || last.Usage.CompletionTokens == 0 || len(last.Choices) != 0 {
		t.Errorf("last chunk %+v, want the usage and no choice", last)
	}
	var block struct{ Chosen, Returned int }
	if err := json.Unmarshal(list[len(list)-2].Block, &block); err != nil || block.Chosen != 1 || block.Returned != 4 {
		t.Errorf("block of the last choice's chunk: %+v, %v, want candidate 1 of 4", block, err)
	}
	if h := got.header.Get("X-RCVAE-Chosen"); h != "1" {
		t.Errorf("X-RCVAE-Chosen is %q, want 1", h)
	}
	for _, call := range s.upstream.CallsOf("q") {
		if call.Body.Has("stream") || call.Body.Has("stream_options") {
			t.Errorf("the upstream was asked to stream: %s", call.Raw)
		}
	}
}

func TestStreamsOfRawCompletionsAndOfSeveralChoices(t *testing.T) {
	s := start(t, func(s *setup) { s.script.Reply = texts("so 5", "so 7", "so 7", "so 9") })
	var text string
	for _, c := range chunks(t, s.post("/v1/completions", `{"model":"m","prompt":"q","stream":true}`)) {
		text += c.Choices[0].Text
	}
	if text != "so 7" {
		t.Errorf("streamed %q, want so 7", text)
	}
	got := map[int]string{}
	for _, c := range chunks(t, s.post(chat, ask("q", `"stream":true`, `"n":2`))) {
		got[c.Choices[0].Index] += c.Choices[0].Delta.Content
	}
	if got[0] != "so 7" || got[1] != "so 7" || len(got) != 2 {
		t.Errorf("streamed choices %v, want two of so 7", got)
	}
}

func TestHeartbeatsComeWhileCandidatesAreDrawn(t *testing.T) {
	release := make(chan struct{})
	s := start(t, func(s *setup) {
		s.config.Heartbeat = time.Millisecond
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Method == http.MethodPost && c.Question == "q" {
				return &rcvaetest.Fault{Wait: release}
			}
			return nil
		}
	})
	response := s.open(ask("q", `"stream":true`))
	defer response.Body.Close()
	first := make([]byte, 1)
	if _, err := io.ReadFull(response.Body, first); err != nil || first[0] != ':' {
		t.Fatalf("first byte %q, %v, want a comment before any candidate", first, err)
	}
	close(release)
	rest, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{response.StatusCode, response.Header, append(first, rest...)}
	if list := chunks(t, r); list[0].Choices[0].Delta.Role != "assistant" {
		t.Errorf("first chunk %+v, want the role", list[0])
	}
	if h := response.Trailer.Get("X-RCVAE-Chosen"); h == "" {
		t.Errorf("the trailer has no X-RCVAE-Chosen")
	}
}

// open sends a request and returns the response while it is under way.
func (s *stand) open(body string) *http.Response {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+chat, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	return response
}

func TestErrorsOfStreams(t *testing.T) {
	t.Run("before the first event they have their status", func(t *testing.T) {
		s := start(t, func(s *setup) { s.script.Models = []string{"another"} })
		s.post(chat, ask("q", `"stream":true`)).wantError(t, http.StatusNotFound)
	})
	t.Run("afterwards they are an event without a [DONE]", func(t *testing.T) {
		release := make(chan struct{})
		s := start(t, func(s *setup) {
			s.config.Heartbeat = time.Millisecond
			s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
				if c.Method == http.MethodPost {
					<-release
				}
				return &rcvaetest.Fault{Status: http.StatusBadRequest, Message: "no"}
			}
		})
		response := s.open(ask("q", `"stream":true`))
		defer response.Body.Close()
		if _, err := io.ReadFull(response.Body, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		close(release)
		body, _ := io.ReadAll(response.Body) // the connection is cut, as it should be
		if !strings.Contains(string(body), `data: {"error":`) || strings.Contains(string(body), openaiapi.Done) {
			t.Errorf("the stream ended with %q, want an error event", body)
		}
	})
}

func TestEventsTellOfCandidatesAndTheSelection(t *testing.T) {
	s := start(t, func(s *setup) { s.script.Reply = texts("so 5", "so 7", "so 7", "so 9") })
	got := s.post(chat, ask("q", `"stream":true`, `"rcvae":{"events":true,"return_candidates":true}`))
	var names []string
	for _, e := range events(t, got.body) {
		if e.Name != "" {
			names = append(names, e.Name)
		}
	}
	if want := "candidate candidate candidate candidate selection"; strings.Join(names, " ") != want {
		t.Errorf("events %v, want %s", names, want)
	}
	chunks(t, got)
}

func TestOneCandidateIsAPlainProxy(t *testing.T) {
	s := start(t, func(*setup) {})
	t.Run("the body goes through byte for byte", func(t *testing.T) {
		body := "{ \"messages\" : [{\"role\":\"user\",\"content\":\"plain\"}],\t\"n\":2, \"model\":\"m\", \"temperature\": 0.70 }"
		got := s.post(chat, body, "X-RCVAE-K", "1")
		calls := s.upstream.CallsOf("plain")
		if len(calls) != 1 || string(calls[0].Raw) != body {
			t.Fatalf("the upstream got %d calls, want one of %s", len(calls), body)
		}
		if c := got.completion(t); len(c.Choices) != 2 || c.Block.K != 0 || got.header.Get("X-RCVAE-Chosen") != "0" {
			t.Errorf("answer %s, want the upstream's two choices as they are", got.body)
		}
	})
	t.Run("apart from the block", func(t *testing.T) {
		s.post(chat, `{"rcvae":{"k":1},"model":"m","messages":[{"role":"user","content":"block"}],"x":1.0}`).completion(t)
		want := `{"model":"m","messages":[{"role":"user","content":"block"}],"x":1.0}`
		if calls := s.upstream.CallsOf("block"); len(calls) != 1 || string(calls[0].Raw) != want {
			t.Errorf("the upstream got %s, want %s", calls[0].Raw, want)
		}
	})
	t.Run("streams go through", func(t *testing.T) {
		got := s.post(chat, ask("q", `"stream":true`), "X-RCVAE-K", "1")
		var text string
		for _, c := range chunks(t, got) {
			text += c.Choices[0].Delta.Content
		}
		if !strings.Contains(text, rcvaetest.Marker("q")) {
			t.Errorf("streamed %q, want the upstream's answer", text)
		}
	})
}

func TestAnUpstreamThatStopsInTheMiddle(t *testing.T) {
	for _, kind := range []string{"application/json", "text/event-stream"} {
		half := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(bytes.Repeat([]byte("data: {\n\n"), 8<<10)) // more than is held back
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}))
		defer half.Close()
		s := start(t, func(s *setup) {
			upstream, err := llm.New(llm.DefaultOptions(half.URL))
			if err != nil {
				t.Fatal(err)
			}
			s.parts.Upstream = upstream
		})
		var body []byte
		response, err := http.Post(s.url+chat, "application/json", strings.NewReader(ask("q", `"rcvae":{"k":1}`)))
		if err == nil { // else the connection was cut before the header
			body, err = io.ReadAll(response.Body)
			response.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: half an answer was passed on as a whole one", kind)
		}
		if wantEvent := kind == "text/event-stream"; strings.Contains(string(body), `"error"`) != wantEvent {
			t.Errorf("%s: got %q, want an error event only in a stream", kind, body)
		}
	}
}
