package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"rcvae"
	"rcvae/gateway"
	"rcvae/grade"
	"rcvae/internal/openaiapi"
	"rcvae/llm"
	"rcvae/rcvaetest"
	"rcvae/selector"
)

// setup is a gateway in front of a scripted server, as a test may change it.
type setup struct {
	script rcvaetest.Script
	config gateway.Config
	parts  gateway.Parts
	llm    llm.Options
}

// stand is the gateway under test.
type stand struct {
	t        *testing.T
	server   *gateway.Server
	upstream *rcvaetest.OpenAI
	url      string
	log      *safeBuffer
}

// safeBuffer is a buffer that several goroutines write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start starts a gateway with the rules majority, longest, vote:longest, vote:arithmetic, logprob and
// "scripted", which is broken unless a test replaces it.
func start(t *testing.T, change func(*setup)) *stand {
	t.Helper()
	grader, err := grade.New("gsm8k")
	if err != nil {
		t.Fatal(err)
	}
	log := &safeBuffer{}
	s := setup{config: gateway.DefaultConfig(), llm: llm.DefaultOptions("http://replaced")}
	s.llm.Retries, s.llm.Concurrency = 0, 64
	s.config.K, s.config.Selector = 4, "majority"
	s.parts = gateway.Parts{Rules: map[string]gateway.Rule{}, Extract: gateway.AnswerBy(grader), Logger: slog.New(slog.NewJSONHandler(log, nil))}
	for _, name := range []string{"majority", "longest", "vote:longest", "vote:arithmetic", "logprob"} {
		rule, err := selector.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		bound, err := selector.New(rule, selector.Sources{Grader: grader}, selector.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.parts.Rules[name] = gateway.Rule{Selector: bound, Rule: rule, LogProbs: bound.LooksAtLogProbs()}
	}
	s.parts.Rules["scripted"] = gateway.Rule{Selector: selectorFunc(func(context.Context, string, []rcvae.Candidate) (rcvae.Selection, error) {
		return rcvae.Selection{}, errors.New("the scripted selector is broken")
	})}
	change(&s)
	st := &stand{t: t, log: log}
	st.upstream, s.llm.URL = rcvaetest.StartOpenAI(t, s.script)
	if s.parts.Upstream == nil {
		upstream, err := llm.New(s.llm)
		if err != nil {
			t.Fatal(err)
		}
		s.parts.Upstream = upstream
	}
	if st.server, err = gateway.New(s.config, s.parts); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(st.server)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := st.server.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	st.url = server.URL
	return st
}

type selectorFunc func(ctx context.Context, question string, candidates []rcvae.Candidate) (rcvae.Selection, error)

func (f selectorFunc) Select(ctx context.Context, question string, candidates []rcvae.Candidate) (rcvae.Selection, error) {
	return f(ctx, question, candidates)
}

var _ rcvae.Selector = selectorFunc(nil)

// reply is what the gateway answered.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// post sends a body and reads the whole answer. Header fields come in pairs.
func (s *stand) post(path, body string, header ...string) reply {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return s.send(request)
}

func (s *stand) send(request *http.Request) reply {
	s.t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, values := range response.Trailer {
		response.Header[name] = values
	}
	return reply{response.StatusCode, response.Header, body}
}

func (s *stand) get(path string) reply {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(request)
}

// ask returns the body of a chat request; fields are JSON members, without a comma.
func ask(question string, fields ...string) string {
	content, _ := json.Marshal(question)
	all := append([]string{`"model":"scripted"`, fmt.Sprintf(`"messages":[{"role":"user","content":%s}]`, content)}, fields...)
	return "{" + strings.Join(all, ",") + "}"
}

const chat = "/v1/chat/completions"

// completion is an answer of the gateway, as a client decodes it.
type completion struct {
	ID, Object, Model string
	Created           int64
	Fingerprint       string `json:"system_fingerprint"`
	Choices           []struct {
		Index   int
		Text    string
		Finish  string `json:"finish_reason"`
		Message struct {
			Role, Content string
			ToolCalls     []openaiapi.ToolCall `json:"tool_calls"`
		}
		LogProbs json.RawMessage
	}
	Usage openaiapi.Usage
	Block struct {
		K, Drawn, Returned, Chosen          int
		Selector, Reason, Fallback, Stopped string
		Scores                              []*float64
		Order                               []int
		Candidates                          []struct {
			Index        int
			Text, Answer string
		}
	} `json:"rcvae"`
}

func (r reply) completion(t *testing.T) completion {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("status %d, want 200: %s", r.status, r.body)
	}
	var c completion
	if err := json.Unmarshal(r.body, &c); err != nil {
		t.Fatalf("the answer is no JSON: %v: %s", err, r.body)
	}
	if len(c.Choices) == 0 {
		t.Fatalf("the answer has no choices: %s", r.body)
	}
	return c
}

// wantError checks the status and the envelope, and returns the message.
func (r reply) wantError(t *testing.T, status int) string {
	t.Helper()
	var envelope struct {
		Error *struct{ Message, Type string }
	}
	if err := json.Unmarshal(r.body, &envelope); err != nil || envelope.Error == nil || envelope.Error.Message == "" || envelope.Error.Type == "" {
		t.Fatalf("status %d, body %q, want the error envelope", r.status, r.body)
	}
	if r.status != status || !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		t.Errorf("status %d (%s), want %d: %s", r.status, r.header.Get("Content-Type"), status, r.body)
	}
	return envelope.Error.Message
}

// texts makes a model that answers a call's choices with the texts in turn.
func texts(list ...string) func(rcvaetest.Prompt) rcvaetest.Reply {
	return func(p rcvaetest.Prompt) rcvaetest.Reply {
		return rcvaetest.Reply{Text: list[p.Choice%len(list)]}
	}
}

// eventually waits until a condition holds: for what other goroutines do soon.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(time.Millisecond) // a poll, not a guess of how long something takes
	}
}
