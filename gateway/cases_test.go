package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"rcvae/gateway/edge"
	"rcvae/rcvaetest"
)

// seen records the requests of an upstream that answers the same to all.
type seen struct {
	mu       sync.Mutex
	requests []string // "METHOD URL BODY"
	header   http.Header
}

func (s *seen) handler(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a client that left is another test's
		if r.Method == http.MethodPost || r.URL.Path != "/v1/models" {
			s.mu.Lock()
			s.requests = append(s.requests, r.Method+" "+r.URL.String()+" "+string(body))
			s.header = r.Header.Clone()
			s.mu.Unlock()
		}
		_, _ = io.WriteString(w, answer)
	}
}

const plainAnswer = `{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"so 1"},"finish_reason":"stop"}]}`

// TestAzuresClients ask by deployment, with a query and a header of their own.
func TestAzuresClients(t *testing.T) {
	var up seen
	s := before(t, up.handler(plainAnswer), func(s *setup) {
		s.config.Keys, s.config.ForwardKeys = []edge.Key{edge.NewKey("azure", "")}, true
	})
	const path = "/openai/deployments/gpt-9/chat/completions?api-version=2026-01-01"
	for _, k := range []string{"1", "2"} {
		up.requests = nil
		if got := s.post(path, `{"messages":[{"role":"user","content":"q"}]}`, "Api-Key", "azure", "X-RCVAE-K", k); got.status != http.StatusOK {
			t.Fatalf("k = %s: status %d: %s", k, got.status, got.body)
		}
		for _, r := range up.requests {
			if !strings.HasPrefix(r, "POST /v1/chat/completions?api-version=2026-01-01 ") || !strings.Contains(r, `"model":"gpt-9"`) {
				t.Errorf("k = %s: the upstream got %s", k, r)
			}
		}
		if up.header.Get("Authorization") != "Bearer azure" || up.header.Get("Api-Key") != "" {
			t.Errorf("k = %s: the upstream got the header %v", k, up.header)
		}
	}
	s.post(path, ask("q"), "Api-Key", "wrong").wantError(t, 401)
	s.post(path, ask("q")).wantError(t, 401)
	s.post("/openai/deployments/gpt-9/images/generations", "{}", "Api-Key", "azure").wantError(t, 404)
}

// TestQueriesPass: the client's, and the operator's, which wins.
func TestQueriesPass(t *testing.T) {
	var up seen
	s := before(t, up.handler(plainAnswer), func(s *setup) { s.llm.URL = "/v1?version=7&region=eu" })
	for _, k := range []string{"1", "3"} {
		up.requests = nil
		s.post(chat+"?version=5&trace=a%26b", ask("q"), "X-RCVAE-K", k).completion(t)
		for _, r := range up.requests {
			if !strings.HasPrefix(r, "POST /v1/chat/completions?region=eu&trace=a%26b&version=7 ") {
				t.Errorf("k = %s: the upstream got %s", k, r)
			}
		}
	}
	up.requests = nil
	s.get("/v1/models/m?trace=1")
	if want := []string{"GET /v1/models/m?region=eu&trace=1&version=7 "}; !slices.Equal(up.requests, want) {
		t.Errorf("the upstream got %q, want %q", up.requests, want)
	}
}

// TestEmbeddingsPass byte for byte: a client that changes its base URL and nothing else
// goes on working.
func TestEmbeddingsPass(t *testing.T) {
	var up seen
	s := before(t, up.handler(`{"object":"list","data":[{"index":0,"embedding":[0.5]}]}`), func(s *setup) { s.config.Keys = []edge.Key{edge.NewKey("k", "")} })
	body := `{ "model":"e", "input":["a", "b"], "encoding_format":"base64" }`
	got := s.post("/v1/embeddings", body, "Authorization", "Bearer k")
	if want := []string{"POST /v1/embeddings " + body}; got.status != http.StatusOK || !strings.Contains(string(got.body), "0.5") || !slices.Equal(up.requests, want) {
		t.Errorf("status %d, %s; the upstream got %q, want %q", got.status, got.body, up.requests, want)
	}
	s.post("/v1/embeddings", body).wantError(t, 401)
	refuses := before(t, says(400, `{"error":{"message":"no such model","type":"t"}}`), nil)
	if message := refuses.post("/v1/embeddings", body).wantError(t, 400); message != "no such model" {
		t.Errorf("message %q, want the upstream's", message)
	}
}

// TestOtherPathsAreNamed: those of other APIs, and with other methods.
func TestOtherPathsAreNamed(t *testing.T) {
	s := start(t, func(*setup) {})
	for _, path := range []string{"/v1/responses", "/v1/moderations", "/v1/messages", "/v1/audio/speech", "/api/chat", "/api/tags", "/health", "/v1", "/chat/completions", "/v1/chat/completions/x"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			if message := s.do(method, path, "{}").wantError(t, 404); !strings.Contains(message, "/v1/chat/completions") {
				t.Errorf("%s %s: %q, want what there is", method, path, message)
			}
		}
	}
	for path, allow := range map[string]string{chat: "POST", "/v1/completions": "POST", "/v1/embeddings": "POST", "/v1/models": "GET"} {
		if got := s.do(http.MethodPut, path, "{}"); got.wantError(t, 405) == "" || got.header.Get("Allow") != allow {
			t.Errorf("PUT %s: Allow is %q, want %q", path, got.header.Get("Allow"), allow)
		}
	}
	// The official clients follow this redirect with the body.
	if got := s.post("//v1/chat/completions", ask("q")); got.status != http.StatusOK {
		t.Errorf("a doubled slash: status %d", got.status)
	}
}

// do sends a request with a method.
func (s *stand) do(method, path, body string) reply {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	return s.send(request)
}

// TestBodiesOfAllKinds is what clients of the wire send: each is answered, or refused
// with what is wrong.
func TestBodiesOfAllKinds(t *testing.T) {
	_, connect := impolite(t, func(*setup) {})
	good := ask("q")
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good), good)
	sized := func(body string) string {
		return fmt.Sprintf("Content-Type: application/json\nContent-Length: %d\n\n%s", len(body), body)
	}
	for name, tt := range map[string]struct {
		request string
		status  int
		want    string
	}{
		"chunked":         {"HTTP/1.1\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n" + chunked, 200, "scripted"},
		"Expect":          {"HTTP/1.1\nExpect: 100-continue\n" + sized(good), 100, ""},
		"HTTP/1.0":        {"HTTP/1.0\n" + sized(good), 200, "scripted"},
		"charset":         {"HTTP/1.1\nContent-Type: application/json; charset=utf-8\nContent-Length: " + fmt.Sprint(len(good)) + "\n\n" + good, 200, "scripted"},
		"gzip":            {"HTTP/1.1\nContent-Encoding: gzip\n" + sized("\x1f\x8b"), 415, "Content-Encoding"},
		"BOM":             {"HTTP/1.1\n" + sized("\xef\xbb\xbf"+good), 400, "not JSON"},
		"UTF-16":          {"HTTP/1.1\n" + sized("\xff\xfe{\x00}\x00"), 400, "not JSON"},
		"empty":           {"HTTP/1.1\n" + sized(""), 400, "cut off"},
		"doubled field":   {"HTTP/1.1\n" + sized(`{"n":1,"n":2}`), 400, "occurs twice"},
		"behind it":       {"HTTP/1.1\n" + sized(good+"x"), 400, "body"},
		"n of 2.5":        {"HTTP/1.1\n" + sized(ask("q", `"n":2.5`)), 400, "n must be"},
		"stream of 1":     {"HTTP/1.1\n" + sized(ask("q", `"stream":1`)), 400, "stream must be"},
		"messages a text": {"HTTP/1.1\n" + sized(`{"messages":"hi"}`), 400, "messages must be"},
	} {
		t.Run(name, func(t *testing.T) {
			head, rest, _ := strings.Cut(tt.request, "\n")
			got := connect(t).say("POST %s %s\nHost: localhost\nConnection: close\n%s", chat, head, rest).hear()
			if got.status != tt.status || !strings.Contains(string(got.body), tt.want) {
				t.Errorf("status %d, want %d and %q: %s", got.status, tt.status, tt.want, got.body)
			}
		})
	}
}

// TestOneClientsServerErrors: a request that the upstream answers with 500 each time
// costs its sender an error, and nobody else anything.
func TestOneClientsServerErrors(t *testing.T) {
	s := start(t, func(s *setup) {
		s.script.Server, s.llm.Concurrency = rcvaetest.Ollama, 4
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Body.Has("response_format") {
				return &rcvaetest.Fault{Status: 500, Message: "schema"}
			}
			return nil
		}
	})
	for range 6 {
		s.post(chat, ask("bad", `"response_format":{"type":"json_schema"}`)).wantError(t, 502)
		for _, model := range []string{"scripted", "another"} {
			s.post(chat, strings.Replace(ask("good"), "scripted", model, 1)).completion(t)
		}
	}
	eventually(t, "readyz is 200", func() bool { return s.get("/readyz").status == http.StatusOK })
}

// TestStatusesOfOverload: those of proxies mean what they mean to the clients' libraries.
func TestStatusesOfOverload(t *testing.T) {
	for status, want := range map[int]int{520: 502, 522: 502, 524: 504, 529: 503, 504: 504, 502: 502} {
		s := before(t, says(status, "busy"), func(s *setup) { s.llm.Retries, s.llm.RetryFor = 0, 0 })
		for _, k := range []string{proxied, best} {
			got := s.post(chat, ask("q", k))
			got.wantError(t, want)
			if (got.header.Get("Retry-After") != "") != (want == 503) {
				t.Errorf("%d: Retry-After is %q", status, got.header.Get("Retry-After"))
			}
		}
	}
	busy := before(t, says(429, `{"error":{"message":"slow down"}}`, "Retry-After", "60"), nil)
	if got := busy.post(chat, ask("q", best, `"stream":true`)); got.wantError(t, 429) == "" || got.header.Get("Retry-After") != "60" {
		t.Errorf("a stream: %v, want a 429 that the client's library repeats", got.header)
	}
}

// TestUsageInStreams comes when it is asked for, once, and the upstream is not asked for
// options of a stream that it does not send.
func TestUsageInStreams(t *testing.T) {
	s := start(t, func(*setup) {})
	for options, want := range map[string]int{`"include_usage":true`: 1, `"include_usage":false`: 0, ``: 0} {
		usages := 0
		for _, c := range chunks(t, s.post(chat, ask("q", `"stream":true`, `"stream_options":{`+options+`}`))) {
			if c.Usage != nil {
				usages++
			}
		}
		if usages != want {
			t.Errorf("%q: %d chunks have a usage, want %d", options, usages, want)
		}
	}
	s.post(chat, ask("q", `"stream_options":{"include_usage":true}`)).completion(t)
	for _, c := range s.upstream.CallsOf("q") {
		if c.Body.Has("stream_options") {
			t.Errorf("the upstream got %s", c.Raw)
		}
	}
}

// TestFinishReasons are the upstream's at the end, and null before.
func TestFinishReasons(t *testing.T) {
	for finish, want := range map[string]string{`,"finish_reason":"length"`: `"length"`, `,"finish_reason":""`: `""`, `,"finish_reason":null`: "null", "": "null"} {
		s := before(t, says(200, `{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"so 1"}`+finish+`}]}`), nil)
		list := chunks(t, s.post(chat, ask("q", best, `"stream":true`)))
		for i, c := range list {
			got, err := json.Marshal(c.Choices[0].Finish)
			if last := i == len(list)-1; err != nil || last && string(got) != want || !last && string(got) != "null" {
				t.Errorf("%s: chunk %d of %d has the reason %s", finish, i+1, len(list), got)
			}
		}
		s.post(chat, ask("q", best)).completion(t)
	}
}

// TestForeignStreamsStayAsTheyAre at k = 1, and survive as JSON at k > 1.
func TestForeignStreamsStayAsTheyAre(t *testing.T) {
	odd := "so 1 \u2028 👩‍👩‍👧 \\u0000"
	for name, stream := range map[string]string{
		"CRLF":          "data: {\"a\":1}\r\n\r\ndata: [DONE]\r\n\r\n",
		"BOM":           "\ufeffdata: {\"a\":1}\n\ndata: [DONE]\n\n",
		"comments":      ": hello\n\n: again\n\ndata: {\"choices\":[]}\n\ndata: [DONE]\n\n",
		"odd text":      "data: {\"c\":\"" + odd + "\"}\n\ndata: [DONE]\n\n",
		"an error":      "data: {\"error\":{\"message\":\"out of memory\"}}\n\n",
		"nothing ended": "data: {\"a\":1}",
	} {
		s := before(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range len(stream) { // also inside of characters
				_, _ = io.WriteString(w, stream[i:i+1])
				_ = http.NewResponseController(w).Flush()
			}
		}, nil)
		if got := s.post(chat, ask("q", proxied, `"stream":true`)); string(got.body) != stream {
			t.Errorf("%s: got %q, want %q", name, got.body, stream)
		}
	}
	content, _ := json.Marshal("so 1 \u2028 👩‍👩‍👧 \x00")
	s := before(t, toolMessages(`{"role":"assistant","content":`+string(content)+`}`), nil)
	var text strings.Builder
	for _, c := range chunks(t, s.post(chat, ask("q", best, `"stream":true`))) {
		text.WriteString(c.Choices[0].Delta.Content)
	}
	if want := "so 1 \u2028 👩‍👩‍👧 \x00"; text.String() != want {
		t.Errorf("streamed %q, want %q", text.String(), want)
	}
	events := before(t, says(200, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"), nil)
	if message := events.post(chat, ask("q", best)).wantError(t, 502); !strings.Contains(message, "stream of events") {
		t.Errorf("an upstream that always streams: %q, want it said", message)
	}
	before(t, says(200, "\ufeff"+plainAnswer), nil).post(chat, ask("q", best)).completion(t)
}

// TestContents are texts, lists of parts, null beside a refusal or the thinking alone: the
// one with an answer is chosen, and is as it was.
func TestContents(t *testing.T) {
	parts := `{"role":"assistant","content":[{"type":"text","text":"so "},{"type":"text","text":"7"}]}`
	s := before(t, toolMessages(`{"role":"assistant","content":null,"refusal":"no"}`, `{"role":"assistant","content":null,"reasoning_content":"so 5"}`, `{"role":"assistant","content":"","tool_calls":[]}`, parts), nil)
	got := s.post(chat, ask("q", best))
	if got.status != http.StatusOK || !strings.Contains(string(got.body), parts) {
		t.Errorf("status %d: %s, want the content with an answer, as it was", got.status, got.body)
	}
	if stream := string(s.post(chat, ask("q", best, `"stream":true`)).body); !strings.Contains(stream, `"delta":{"role":"assistant","content":[{"type":"text","text":"so "}`) {
		t.Errorf("streamed %s", stream)
	}
}

// TestLargeBodiesAreRefusedReadably: a client that is still sending reads the 413.
func TestLargeBodiesAreRefusedReadably(t *testing.T) {
	s := start(t, func(s *setup) { s.config.MaxBody = 1 << 20 })
	s.post(chat, ask(strings.Repeat("x", 45<<20))).wantError(t, http.StatusRequestEntityTooLarge)
}

// TestOddValuesPass: what is not ours to read reaches the upstream as it was written.
func TestOddValuesPass(t *testing.T) {
	var up seen
	s := before(t, up.handler(plainAnswer), nil)
	const fields = `"logit_bias":{"50256":-100},"chat_template_kwargs":{"enable_thinking":false},"guided_regex":"\\d+","temperature":0.70,"x":1e400,"seed":12345678901234567890`
	s.post(chat, ask("q", fields, `"rcvae":{"k":2}`)).completion(t)
	var seeds []string
	for _, r := range up.requests {
		if !strings.Contains(r, strings.TrimSuffix(fields, `,"seed":12345678901234567890`)) {
			t.Errorf("the upstream got %s, want %s in it", r, fields)
		}
		_, seed, _ := strings.Cut(r, `"seed":`)
		seeds = append(seeds, seed[:len("12345678901234567890")])
	}
	if slices.Sort(seeds); !slices.Contains(seeds, "12345678901234567890") || !slices.Contains(seeds, "12345678901234567891") {
		t.Errorf("the seeds are %q, want two that count on", seeds)
	}
}
