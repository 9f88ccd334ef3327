package rcvaetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rcvae/internal/openaiapi"
	"rcvae/rcvaetest"
)

// post asks a server that is a plain handler.
func post(t *testing.T, h http.Handler, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body)))
	return w
}

type reply struct {
	Object  string
	Choices []struct {
		Index        int
		Text         string
		Message      struct{ Content string }
		FinishReason string `json:"finish_reason"`
	}
	Usage openaiapi.Usage
}

func TestEveryServerAnswersAsItDoes(t *testing.T) {
	const body = `{"model":"m","n":3,"max_tokens":5,"messages":[{"role":"user","content":"old"},{"role":"assistant","content":"x"},{"role":"user","content":[{"type":"text","text":"hi"}]}]}`
	for _, name := range rcvaetest.Servers() {
		w := post(t, rcvaetest.NewOpenAI(rcvaetest.Script{Server: name}), "/v1/chat/completions", body)
		if name == rcvaetest.LlamaCppOld {
			if e := openaiapi.ParseError(w.Code, w.Body.Bytes()); w.Code != 500 || !strings.Contains(e.Message, "one completion choice") {
				t.Errorf("%s: status %d, %s", name, w.Code, e.Message)
			}
			continue
		}
		var r reply
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != 200 || r.Object != "chat.completion" {
			t.Fatalf("%s: status %d, %v", name, w.Code, err)
		}
		want := map[bool]int{true: 3, false: 1}[name.HonoursN()]
		if len(r.Choices) != want {
			t.Errorf("%s: %d choices, want %d", name, len(r.Choices), want)
		}
		for i, c := range r.Choices {
			if c.Index != i || c.FinishReason != "length" || rcvaetest.TokenCount(c.Message.Content) != 5 || !strings.Contains(c.Message.Content, rcvaetest.Marker("hi")) {
				t.Errorf("%s: choice %+v, want five tokens with the marker of the last user message", name, c)
			}
		}
		tokens := 5 * want
		if name == rcvaetest.LlamaCpp {
			tokens = 5
		}
		if r.Usage.CompletionTokens != tokens {
			t.Errorf("%s: %d completion tokens, want %d", name, r.Usage.CompletionTokens, tokens)
		}
	}
}

// TestStreamSaysTheSame checks that the chunks of a stream add up to the plain answer.
func TestStreamSaysTheSame(t *testing.T) {
	script := rcvaetest.Script{Reply: func(p rcvaetest.Prompt) rcvaetest.Reply {
		r := rcvaetest.DefaultReply(p)
		if p.Body.Has("tools") {
			r.ToolCalls = []openaiapi.ToolCall{{ID: "c1", Type: "function", Function: openaiapi.Function{Name: "add", Arguments: `{"a":1}`}}}
		}
		return r
	}}
	for name, body := range map[string]string{
		"chat":  `"messages":[{"role":"user","content":"hi"}],"n":2`,
		"tools": `"messages":[{"role":"user","content":"hi"}],"tools":[{}]`,
		"raw":   `"prompt":"hi","n":2,"logprobs":1`,
	} {
		t.Run(name, func(t *testing.T) {
			path := map[bool]string{true: "/completions", false: "/v1/chat/completions"}[name == "raw"]
			server := rcvaetest.NewOpenAI(script)
			var plain reply
			if err := json.Unmarshal(post(t, server, path, "{"+body+"}").Body.Bytes(), &plain); err != nil {
				t.Fatal(err)
			}
			stream := post(t, server, path, "{"+body+`,"stream":true,"stream_options":{"include_usage":true}}`)
			texts, finish, usage := collect(t, stream.Body)
			for i, c := range plain.Choices {
				if texts[i] != c.Text+c.Message.Content || finish[i] != c.FinishReason {
					t.Errorf("choice %d streams %q (%s), want %q (%s)", i, texts[i], finish[i], c.Text+c.Message.Content, c.FinishReason)
				}
			}
			if usage.CompletionTokens != plain.Usage.CompletionTokens {
				t.Errorf("the stream counts %d tokens, want %d", usage.CompletionTokens, plain.Usage.CompletionTokens)
			}
		})
	}
}

func collect(t *testing.T, r io.Reader) (texts, finish map[int]string, usage openaiapi.Usage) {
	t.Helper()
	texts, finish = map[int]string{}, map[int]string{}
	reader := openaiapi.NewEventReader(r, 1<<20)
	last := ""
	for {
		e, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if last = string(e.Data); last == openaiapi.Done {
			continue
		}
		var chunk struct {
			Choices []struct {
				Index        int
				Text         string
				Delta        struct{ Content string }
				FinishReason string `json:"finish_reason"`
			}
			Usage *openaiapi.Usage
		}
		if err := json.Unmarshal(e.Data, &chunk); err != nil {
			t.Fatal(err)
		}
		for _, c := range chunk.Choices {
			texts[c.Index] += c.Text + c.Delta.Content
			finish[c.Index] += c.FinishReason
		}
		if chunk.Usage != nil {
			usage = *chunk.Usage
		}
	}
	if last != openaiapi.Done {
		t.Errorf("the stream ends with %q, want %q", last, openaiapi.Done)
	}
	return texts, finish, usage
}

func TestFaultsArePlayed(t *testing.T) {
	next, arrived := make(chan *rcvaetest.Fault, 1), make(chan struct{}, 10)
	_, url := rcvaetest.StartOpenAI(t, rcvaetest.Script{Fault: func(rcvaetest.Call) *rcvaetest.Fault {
		arrived <- struct{}{}
		return <-next
	}})
	ask := func(ctx context.Context, f *rcvaetest.Fault) (status int, body []byte, err error) {
		next <- f
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/completions", bytes.NewReader([]byte(`{"prompt":"hi"}`)))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0, nil, err
		}
		defer response.Body.Close()
		body, err = io.ReadAll(response.Body)
		return response.StatusCode, body, err
	}
	if status, body, err := ask(t.Context(), &rcvaetest.Fault{Status: 429, Message: "slow down"}); status != 429 || err != nil || !bytes.Contains(body, []byte("slow down")) {
		t.Errorf("429: %d, %s, %v", status, body, err)
	}
	if _, body, err := ask(t.Context(), &rcvaetest.Fault{Half: true}); !errors.Is(err, io.ErrUnexpectedEOF) || len(body) == 0 {
		t.Errorf("half: %s, %v, want an unexpected end after some bytes", body, err)
	}
	if status, _, err := ask(t.Context(), &rcvaetest.Fault{Reset: true}); err == nil {
		t.Errorf("reset: status %d, want an error", status)
	}
	if status, body, err := ask(t.Context(), &rcvaetest.Fault{Garbage: true}); status != 200 || err != nil || json.Valid(body) {
		t.Errorf("garbage: %d, %s, %v, want no JSON", status, body, err)
	}
	closed := make(chan struct{})
	close(closed)
	if status, body, err := ask(t.Context(), &rcvaetest.Fault{Wait: closed}); status != 200 || err != nil || !bytes.Contains(body, []byte(rcvaetest.Marker("hi"))) {
		t.Errorf("released: %d, %s, %v, want the answer", status, body, err)
	}
	for len(arrived) > 0 {
		<-arrived
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, _, err := ask(ctx, &rcvaetest.Fault{Silent: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("silent: %v, want it to last until the client goes", err)
	}
}

func TestServerRefuses(t *testing.T) {
	server := rcvaetest.NewOpenAI(rcvaetest.Script{Models: []string{"a"}, Reject: []string{"x"}})
	for name, tt := range map[string]struct {
		path, body string
		status     int
	}{
		"no JSON":       {"/v1/completions", "{", 400},
		"n of 0":        {"/v1/completions", `{"n":0}`, 400},
		"another model": {"/v1/completions", `{"model":"b"}`, 404},
		"a bad field":   {"/v1/completions", `{"model":"a","x":1}`, 400},
		"another path":  {"/v1/embeddings", `{}`, 404},
	} {
		if w := post(t, server, tt.path, tt.body); w.Code != tt.status || openaiapi.ParseError(w.Code, w.Body.Bytes()).Message == "" {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, tt.status, w.Body)
		}
	}
}
