package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rcvae/gateway"
	"rcvae/gateway/edge"
	"rcvae/llm"
	"rcvae/rcvaetest"
)

// before starts a gateway in front of a handler.
func before(t *testing.T, handler http.HandlerFunc, change func(*setup)) *stand {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return start(t, func(s *setup) {
		if change != nil {
			change(s)
		}
		options := s.llm
		options.URL = server.URL + strings.TrimPrefix(options.URL, "http://replaced") // a path and a query of the test
		upstream, err := llm.New(options)
		if err != nil {
			t.Fatal(err)
		}
		s.parts.Upstream = upstream
	})
}

// says answers every POST with a status and a body.
func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const (
	proxied = `"rcvae":{"k":1}`
	best    = `"rcvae":{"k":4}`
)

// TestWhoseKeyIsRefused: 401 and 403 keep their meaning, and no part of the operator's
// key reaches a client, whatever the upstream quotes and with whatever status.
func TestWhoseKeyIsRefused(t *testing.T) {
	const operators = "xai-operators-secret-key-Zq"
	xai := `{"code":"invalid argument","error":"Incorrect API key provided: xa***Zq. You can obtain an API key from https://console.x.ai."}`
	flagged := `{"error":{"message":"your input was flagged","type":"moderation","metadata":{"reasons":["x"]}}}`
	for name, tt := range map[string]struct {
		status  int
		body    string
		forward bool
		want    int
		message string
	}{
		"401, ours":             {401, `{"error":{"message":"wrong key"}}`, false, 502, "gateway's key"},
		"401, the client's":     {401, `{"error":{"message":"wrong key","code":"invalid_api_key"}}`, true, 401, "wrong key"},
		"400 about a key, ours": {400, xai, false, 502, "gateway's key"},
		"a key in a 400":        {400, `{"error":{"message":"bad header: Bearer ` + operators + `"}}`, false, 400, "bad header"},
		"a key in a 500":        {500, `{"error":{"message":"crash: Bearer ` + operators + `"}}`, false, 502, "crash"},
		"403, moderation":       {403, flagged, false, 403, "flagged"},
		"403, forwarded":        {403, flagged, true, 403, "flagged"},
		"403, HTML":             {403, "<html>blocked</html>", false, 403, "blocked"},
		"403 about a key":       {403, `{"error":{"message":"Authentication failed"}}`, false, 502, "gateway's key"},
	} {
		for _, k := range []string{proxied, best} {
			t.Run(name+" "+k, func(t *testing.T) {
				s := before(t, says(tt.status, tt.body), func(s *setup) { s.llm.Key, s.config.ForwardKeys = operators, tt.forward })
				got := s.post(chat, ask("q", k), "Authorization", "Bearer clients-own")
				if message := got.wantError(t, tt.want); !strings.Contains(message, tt.message) {
					t.Errorf("message %q, want %q in it", message, tt.message)
				}
				for _, part := range []string{"xa*", "*Zq", operators, "operators-secret"} {
					if strings.Contains(string(got.body), part) || strings.Contains(s.log.String(), part) {
						t.Errorf("the client or the log sees %q: %s", part, got.body)
					}
				}
				if tt.want == 403 && strings.Contains(tt.body, "reasons") && !strings.Contains(string(got.body), `"reasons"`) {
					t.Errorf("fields of the error are lost: %s", got.body)
				}
			})
		}
	}
}

// TestErrorFieldsSurvive has the fields that servers add to their errors.
func TestErrorFieldsSurvive(t *testing.T) {
	for _, fields := range []string{
		`"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true}}},"status":400`,
		`"n_ctx":2048,"n_prompt_tokens":4000`,
		`"metadata":{"provider_name":"p","raw":"x"}`,
	} {
		for _, k := range []string{proxied, best} {
			s := before(t, says(400, `{"error":{"message":"m","type":"t","param":"messages","code":"c",`+fields+`}}`), nil)
			got := s.post(chat, ask("q", k))
			got.wantError(t, 400)
			for _, want := range []string{fields, `"param":"messages"`, `"code":"c"`, `"type":"t"`} {
				if !strings.Contains(string(got.body), want) {
					t.Errorf("the client gets %s, want %s in it", got.body, want)
				}
			}
		}
	}
}

// TestWhyA502Happened: the log says it with the request's id, and the client what it
// may know.
func TestWhyA502Happened(t *testing.T) {
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"choices":[`)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		cause   string
		message string
	}{
		"not JSON":             {says(200, "<html>"), "format", "not a completion"},
		"no choices":           {says(200, `{"id":"x"}`), "format", "not a completion"},
		"an error under 200":   {says(200, `{"error":{"message":"Provider returned error","code":502}}`), "error_body", "Provider returned error"},
		"a status":             {says(500, `{"error":{"message":"CUDA error"}}`), "status", "CUDA error"},
		"Cloudflare's":         {says(521, `down`), "status", "521"},
		"half an answer":       {cut, "cut", "middle"},
		"no answer":            {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "reset", "without an answer"},
		"a redirect elsewhere": {says(307, "", "Location", "http://127.0.0.1:1/"), "status", "redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			s := before(t, tt.handler, nil)
			got := s.post(chat, ask("a secret question", best), "X-Request-Id", "id-17")
			if message := got.wantError(t, http.StatusBadGateway); !strings.Contains(message, tt.message) {
				t.Errorf("message %q, want %q in it", message, tt.message)
			}
			line := s.logged(t, "request")
			if line["cause"] != tt.cause || line["request_id"] != "id-17" || line["model"] != "scripted" {
				t.Errorf("logged %v, want the cause %q, the id and the model", line, tt.cause)
			}
			if _, has := line["upstream_status"]; has != (tt.cause == "status" || tt.cause == "error_body") {
				t.Errorf("logged %v: upstream_status is there: %v", line, has)
			}
			if got := s.metric("rcvae_upstream_failures_total", "cause", tt.cause); got != 1 {
				t.Errorf("rcvae_upstream_failures_total{cause=%q} is %v, want 1", tt.cause, got)
			}
			if strings.Contains(s.log.String(), "secret question") {
				t.Error("the log shows the prompt")
			}
			if got.header.Get("X-Request-Id") != "id-17" || got.header.Get("X-Rcvae-Request-Id") != "id-17" {
				t.Errorf("the client gets the ids %v", got.header)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		s := start(t, func(s *setup) {
			upstream, err := llm.New(llm.Options{URL: "http://127.0.0.1:1", Concurrency: 1, Timeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			s.parts.Upstream = upstream
		})
		for _, k := range []string{proxied, best} {
			if message := s.post(chat, ask("q", k)).wantError(t, 502); !strings.Contains(message, "refused the connection") {
				t.Errorf("message %q", message)
			}
			if line := s.logged(t, "request"); line["cause"] != "refused" || !strings.Contains(fmt.Sprint(line["error"]), "127.0.0.1:1") {
				t.Errorf("logged %v, want the cause and the address", line)
			}
		}
	})
}

// logged returns the last line of the log with a message.
func (s *stand) logged(t *testing.T, message string) map[string]any {
	t.Helper()
	var last map[string]any
	for line := range strings.SplitSeq(strings.TrimSpace(s.log.String()), "\n") {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err == nil && fields["msg"] == message {
			last = fields
		}
	}
	if last == nil {
		t.Fatalf("nothing with %q is logged: %s", message, s.log.String())
	}
	return last
}

// TestRetryAfterReachesTheClient in seconds and in milliseconds, from a date too, and
// soon: the client can wait as well as the gateway.
func TestRetryAfterReachesTheClient(t *testing.T) {
	for _, k := range []string{proxied, best} {
		date := time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat)
		s := before(t, says(429, `{"error":{"message":"slow down"}}`, "Retry-After", date), func(s *setup) { s.llm.LongestWait, s.llm.Retries = time.Second, 2 })
		got := s.post(chat, ask("q", k))
		got.wantError(t, 429)
		if after := got.header.Get("Retry-After"); after != "7" && after != "6" {
			t.Errorf("%s: Retry-After is %q, want 7", k, after)
		}
		if got.header.Get("Retry-After-Ms") == "" {
			t.Errorf("%s: no Retry-After-Ms", k)
		}
	}
}

// TestHeadersByPolicy checks both directions at k = 1 and at k > 1.
func TestHeadersByPolicy(t *testing.T) {
	var mu sync.Mutex
	var got http.Header
	answer := `{"choices":[{"index":0,"message":{"role":"assistant","content":"so 1"},"finish_reason":"stop"}]}`
	s := before(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			mu.Lock()
			got = r.Header.Clone()
			mu.Unlock()
		}
		for _, name := range []string{"X-RateLimit-Remaining-Requests", "OpenAI-Processing-Ms", "X-Request-Id", "Set-Cookie", "X-Secret", "X-Extra"} {
			w.Header().Set(name, "up")
		}
		_, _ = io.WriteString(w, answer)
	}, func(s *setup) { s.config.PassHeaders = []string{"x-extra", "X-Title*"} })
	sent := []string{"X-Request-Id", "mine", "Accept", "text/event-stream", "Cookie", "a=b", "X-Extra", "1", "X-Title-Long", "2", "X-Other", "3", "OpenAI-Organization", "o", "Authorization", "Bearer c", "Idempotency-Key", "i"}
	one := s.post(chat, ask("q", proxied), sent...)
	for name, want := range map[string]string{"X-Request-Id": "mine", "Accept": "text/event-stream", "Cookie": "", "X-Extra": "1", "X-Title-Long": "2", "X-Other": "", "Openai-Organization": "o", "Authorization": "", "Idempotency-Key": "i"} {
		if got.Get(name) != want {
			t.Errorf("k = 1: the upstream gets %s: %q, want %q", name, got.Get(name), want)
		}
	}
	for name, want := range map[string]string{"X-RateLimit-Remaining-Requests": "up", "OpenAI-Processing-Ms": "up", "X-Request-Id": "up", "X-Rcvae-Request-Id": "mine", "Set-Cookie": "", "X-Secret": "", "X-Extra": "up"} {
		if one.header.Get(name) != want {
			t.Errorf("k = 1: the client gets %s: %q, want %q", name, one.header.Get(name), want)
		}
	}
	four := s.post(chat, ask("q", best), sent...)
	for name, want := range map[string]string{"Accept": "", "Content-Type": "application/json", "X-Extra": "1", "Idempotency-Key": "", "X-Request-Id": "mine"} {
		if got.Get(name) != want {
			t.Errorf("k = 4: the upstream gets %s: %q, want %q", name, got.Get(name), want)
		}
	}
	if four.header.Get("X-Request-Id") != "mine" || four.header.Get("X-RateLimit-Remaining-Requests") != "" {
		t.Errorf("k = 4: the client gets %v", four.header)
	}
	if id := s.post(chat, ask("q"), "X-Request-Id", "bad id\"").header.Get("X-Request-Id"); !strings.HasPrefix(id, "req_") {
		t.Errorf("an id that is no word became %q, want a new one", id)
	}
	c := gateway.DefaultConfig()
	for _, name := range []string{"Authorization", "cookie", "Content-Length", "Host", "*", "", "Access-Control-Allow-Origin", "a b"} {
		c.PassHeaders = []string{name}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "pass-header") {
			t.Errorf("the header %q may pass: %v", name, err)
		}
	}
}

// TestPathsOfTheUpstream: a model's name must not reach other paths with the gateway's key.
func TestPathsOfTheUpstream(t *testing.T) {
	s, connect := impolite(t, func(*setup) {})
	for _, path := range []string{"/v1/models/%2e%2e/%2e%2e/slots", "/v1/models/..%2f..%2fslots", "/v1/models/%252e%252e/slots", "/v1/models/a%5c..%5cslots", "/v1/models/a%3fb"} {
		if got := connect(t).say("GET %s HTTP/1.1\nHost: localhost\nConnection: close\n\n", path).hear(); got.status != 404 {
			t.Errorf("%s: status %d, want 404", path, got.status)
		}
	}
	for _, c := range s.upstream.Calls() {
		if c.Path != "/models" {
			t.Errorf("the upstream was asked for %s", c.Path)
		}
	}
	connect(t).say("GET /v1/models/org/name:1b HTTP/1.1\nHost: localhost\nConnection: close\n\n").hear()
	var asked []string
	for _, c := range s.upstream.Calls() {
		asked = append(asked, c.Path)
	}
	if !slices.Contains(asked, "/models/org/name:1b") {
		t.Errorf("the upstream was asked for %v, want the model", asked)
	}
}

// TestACutStreamEndsWithAWholeEvent: the half of an event is dropped, so that the error
// is not glued to it.
func TestACutStreamEndsWithAWholeEvent(t *testing.T) {
	for name, end := range map[string]string{"\\n": "\n", "\\r\\n": "\r\n"} {
		s := before(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, `data: {"n":1}`+end+end+`data: {"choices":[{"delta":{"content":"ll`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, nil)
		response := s.open(ask("q", proxied, `"stream":true`))
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil {
			t.Errorf("%s: the connection ended as if all were well", name)
		}
		text := string(body)
		if want := `data: {"n":1}` + end + end + `data: {"error":`; !strings.HasPrefix(text, want) || !strings.HasSuffix(text, "\n\n") || strings.Contains(text, `"ll`) {
			t.Errorf("%s: got %q, want the whole event and an error event", name, text)
		}
	}
}

// TestAStreamByAnotherName is passed on piece by piece: the client asked for one.
func TestAStreamByAnotherName(t *testing.T) {
	release := make(chan struct{})
	s := before(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "data: {\"n\":1}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}, nil)
	response := s.open(ask("q", proxied, `"stream":true`))
	defer response.Body.Close()
	first := make([]byte, len("data: {\"n\":1}\n\n"))
	if _, err := io.ReadFull(response.Body, first); err != nil {
		t.Fatal(err)
	}
	close(release)
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != "data: [DONE]\n\n" {
		t.Errorf("the rest is %q, %v", rest, err)
	}
}

// TestAPanicCostsItsCandidate: in a grader, while answers are extracted. Where all are
// lost the request fails, and nothing else does.
func TestAPanicCostsItsCandidate(t *testing.T) {
	s := start(t, func(s *setup) {
		s.config.Heartbeat = time.Millisecond
		s.script.Reply = func(p rcvaetest.Prompt) rcvaetest.Reply {
			if p.Question == "one" && p.Choice > 0 {
				return rcvaetest.Reply{Text: "good"}
			}
			return rcvaetest.Reply{Text: p.Question}
		}
		s.parts.Extract = func(text string) (string, string) {
			if text == "bad" || text == "one" {
				panic("a secret text")
			}
			return "1", "number"
		}
	})
	if b := s.post(chat, ask("one", best)).completion(t).Block; b.Returned != 3 || b.Fallback != "" {
		t.Errorf("block %+v, want 3 of 4 candidates", b)
	}
	s.post(chat, ask("bad", best)).wantError(t, http.StatusInternalServerError)
	response := s.open(ask("bad", `"stream":true`))
	_, _ = io.ReadAll(response.Body) // a stream that has begun is cut off
	response.Body.Close()
	line := s.logged(t, "a selector or grader panicked")
	if line["stack"] == "" || strings.Contains(s.log.String(), "a secret text") {
		t.Errorf("logged %v, want the stack and not the value", line)
	}
	s.post(chat, ask("good")).completion(t)
	eventually(t, "no request is under way", func() bool { return s.metric("rcvae_requests_active") == 0 })
}

func TestRatesSayWhose(t *testing.T) {
	for want, keys := range map[string][]edge.Key{"all clients": nil, "this key": {edge.NewKey("k", "")}} {
		s := start(t, func(s *setup) { s.config.Keys, s.config.Rate, s.config.Burst = keys, 0.001, 1 })
		s.post(chat, ask("q"), "Authorization", "Bearer k").completion(t)
		if message := s.post(chat, ask("q"), "Authorization", "Bearer k").wantError(t, 429); !strings.Contains(message, want) {
			t.Errorf("message %q, want %q in it", message, want)
		}
	}
}
