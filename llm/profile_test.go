package llm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rcvae/llm"
	"rcvae/rcvaetest"
)

// quoting is what vLLM and others answer to a request that they refuse: the message
// holds the whole request, with the n that the gateway put there.
func quoting(c rcvaetest.Call, complaint string) *rcvaetest.Fault {
	return &rcvaetest.Fault{Status: 400, Message: fmt.Sprintf(`[{'type': 'value_error', 'loc': ('body',), 'msg': 'Value error, %s', 'input': {'n': %d, 'top_k': -1, 'min_p': 0.0, 'logprobs': True, %s}}]`, complaint, c.N, c.Raw)}
}

// sizes returns the n of the calls about the test's question.
func sizes(s *rcvaetest.OpenAI) (list []int) {
	for _, c := range s.CallsOf(question) {
		list = append(list, c.N)
	}
	return list
}

// TestOneBadRequestChangesNothingForOthers is the refusal that quotes the request: it
// names n and every other field, and none of them is the reason.
func TestOneBadRequestChangesNothingForOthers(t *testing.T) {
	for name, warmed := range map[string]bool{"first of all": false, "after good ones": true} {
		t.Run(name, func(t *testing.T) {
			server, u := start(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
				if c.Body.Has("tool_choice") {
					return quoting(c, "When using `tool_choice`, `tools` must be set.")
				}
				return nil
			}}, nil)
			if warmed {
				warm(t, u)
			}
			for range 3 {
				_, err := u.Draw(t.Context(), chat(t, "bad", `,"tool_choice":"none"`))
				if status, ok := errors.AsType[*llm.StatusError](err); !ok || status.Status != 400 {
					t.Fatalf("Draw = %v, want the server's 400", err)
				}
			}
			if calls := len(server.CallsOf("bad")); calls > 3*2 {
				t.Errorf("%d calls for 3 bad requests, want one and one without n for each", calls)
			}
			if draw, err := u.Draw(t.Context(), chat(t, question, "")); err != nil || len(draw.Choices) != 8 {
				t.Fatalf("%d choices, %v", len(draw.Choices), err)
			}
			if got := sizes(server); !slices.Equal(got, []int{8}) {
				t.Errorf("a good request makes calls of %v choices, want one of 8", got)
			}
		})
	}
}

// TestWhatAppearsOnlyWithN: servers that refuse n in words of their own are asked
// without it, and the next request goes straight there.
func TestWhatAppearsOnlyWithN(t *testing.T) {
	for name, tt := range map[string]struct {
		most    int
		status  int
		message func(n int) string
		want    [][]int // sizes of the calls of two draws
	}{
		"gemini 3":      {1, 400, func(int) string { return "Multiple candidates is not enabled for this model" }, [][]int{{8, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1}}},
		"without words": {1, 422, func(int) string { return "request validation failed" }, [][]int{{8, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1}}},
		"gemini 2.5": {4, 400, func(n int) string {
			return fmt.Sprintf("candidateCount value of %d but the supported range is from 1 (inclusive) to 5 (exclusive)", n)
		}, [][]int{{8, 4, 4}, {4, 4}}},
		"a forbidden field": {1, 404, func(int) string { return "no" }, [][]int{{8, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			server, u := start(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
				if c.N > tt.most {
					return &rcvaetest.Fault{Status: tt.status, Message: tt.message(c.N)}
				}
				return nil
			}}, nil)
			before := 0
			for i, want := range tt.want {
				draw, err := u.Draw(t.Context(), chat(t, question, `,"seed":5`))
				if err != nil {
					t.Fatal(err)
				}
				checkChoices(t, draw, 8, 5)
				if got := sizes(server)[before:]; !slices.Equal(got, want) {
					t.Errorf("draw %d made calls of %v choices, want %v", i+1, got, want)
				}
				before = len(sizes(server))
			}
		})
	}
}

func TestRefusalOfGreedySamplingIsNotRemembered(t *testing.T) {
	_, u := start(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if temperature, _ := c.Body.Get("temperature"); c.N > 1 && string(temperature) == "0" {
			return &rcvaetest.Fault{Status: 400, Message: "n must be 1 when using greedy sampling, got 8."}
		}
		return nil
	}}, nil)
	for range 2 {
		for _, tt := range []struct{ more, want string }{{`,"temperature":0`, llm.ModeFanOut}, {`,"temperature":1`, llm.ModeN}} {
			draw, err := u.Draw(t.Context(), chat(t, question, tt.more))
			if err != nil || len(draw.Choices) != 8 || draw.Mode != tt.want {
				t.Errorf("%s: %d choices in mode %q, %v; want 8 in mode %q", tt.more, len(draw.Choices), draw.Mode, err, tt.want)
			}
		}
	}
}

// TestWhatWasLearnedExpires: a server that was replaced by one that honours n is found
// out, and so is one that stopped honouring it.
func TestWhatWasLearnedExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuses := true
		server, u := inMemory(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
			if refuses && c.N > 1 {
				return &rcvaetest.Fault{Status: 400, Message: "Parameter 'n' is not supported"}
			}
			return nil
		}}, nil)
		draw := func() (calls int) {
			t.Helper()
			before := len(server.Calls())
			if d, err := u.Draw(t.Context(), chat(t, question, "")); err != nil || len(d.Choices) != 8 {
				t.Fatalf("%d choices, %v", len(d.Choices), err)
			}
			return len(server.Calls()) - before
		}
		if got := []int{draw(), draw()}; !slices.Equal(got, []int{9, 8}) {
			t.Errorf("calls %v, want 9 and then 8", got)
		}
		refuses = false
		if got := draw(); got != 8 {
			t.Errorf("%d calls while it is remembered, want 8", got)
		}
		time.Sleep(11 * time.Minute) // of the bubble's clock
		if got := draw(); got != 1 {
			t.Errorf("%d calls after the memory expired, want 1", got)
		}
		refuses = true // against what was just seen: believed when it happens again and again
		if got := []int{draw(), draw(), draw(), draw()}; !slices.Equal(got, []int{9, 9, 9, 8}) {
			t.Errorf("calls %v after n is no longer honoured, want three tries and then none", got)
		}
	})
}

// TestNothingIsAskedButQuestions: there is no made-up request, for no model.
func TestNothingIsAskedButQuestions(t *testing.T) {
	server, u := start(t, rcvaetest.Script{Fault: wantsNoLimit}, nil)
	for i := range 3 {
		r := chat(t, question, "")
		r.Body = r.Body.Clone()
		r.Body.SetRaw("model", fmt.Appendf(nil, `"made-up-%d"`, i))
		if _, err := u.Draw(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if all, asked := len(server.Calls()), len(server.CallsOf(question)); all != 3 || asked != 3 {
		t.Errorf("%d calls, %d of them with the question, want 3", all, asked)
	}
}

func wantsNoLimit(c rcvaetest.Call) *rcvaetest.Fault {
	if c.Body.Has("max_tokens") {
		return &rcvaetest.Fault{Status: 400, Message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."}
	}
	return nil
}

// TestAQuotedRefusalTeachesTheSamplerNothing: the pool would hold two distributions.
func TestAQuotedRefusalTeachesTheSamplerNothing(t *testing.T) {
	server, u := start(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if c.Question == "POISON" {
			return quoting(c, "the prompt has no tokens")
		}
		return nil
	}}, nil)
	s := newSampler(t, u, nil)
	if _, err := s.Sample(t.Context(), "POISON", 4); err == nil {
		t.Error("the refused question has candidates")
	}
	if _, err := s.Sample(t.Context(), question, 4); err != nil {
		t.Fatal(err)
	}
	calls := server.CallsOf(question)
	for _, field := range []string{"top_k", "min_p", "logprobs", "seed", "temperature"} {
		if !calls[len(calls)-1].Body.Has(field) {
			t.Errorf("%s is no longer sent after another question was refused", field)
		}
	}
	if p, _ := s.Profile(); len(p.Refused) != 0 || p.MaxChoices != 0 {
		t.Errorf("profile %+v, want nothing learned", p)
	}
}

// TestRefusedFieldsAreRecognized has the forms in which servers name a field. Each is
// left out when its value is neutral, and the request then succeeds.
func TestRefusedFieldsAreRecognized(t *testing.T) {
	for name, body := range map[string]string{
		"param":          `{"error":{"message":"bad value","type":"invalid_request_error","param":"%s","code":"unsupported_value"}}`,
		"openai":         `{"error":{"message":"Unsupported value: '%s' does not support 1 with this model.","type":"invalid_request_error","code":null}}`,
		"openai, old":    `{"error":{"message":"Unrecognized request argument supplied: %s"}}`,
		"mistral":        `{"detail":[{"type":"extra_forbidden","loc":["body","%s"],"msg":"Extra inputs are not permitted","input":1}]}`,
		"pydantic, repr": `{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', '%s'), 'msg': 'Extra inputs are not permitted', 'input': 1}]"}`,
		"plain":          `{"error":"%s is not supported"}`,
		"groq":           "{\"error\":{\"message\":\"property '%s' is unsupported\"}}",
	} {
		for _, field := range []string{"seed", "temperature", "top_p", "top_k", "min_p", "logprobs"} {
			t.Run(name+"/"+field, func(t *testing.T) {
				scripted := rcvaetest.NewOpenAI(rcvaetest.Script{})
				u := upstreamOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					recorder := httptest.NewRecorder()
					scripted.ServeHTTP(recorder, r)
					calls := scripted.Calls()
					value, sent := calls[len(calls)-1].Body.Get(field)
					if sent && string(value) != "0" || field == "min_p" && sent {
						w.WriteHeader(http.StatusUnprocessableEntity)
						fmt.Fprintf(w, body, field)
						return
					}
					_, _ = w.Write(recorder.Body.Bytes())
				}))
				s := newSampler(t, u, func(s *llm.Settings) { s.Temperature, s.TopP = 1, 1 })
				if c, err := s.Sample(t.Context(), question, 2); err != nil || len(c) != 2 {
					t.Fatalf("%d candidates, %v", len(c), err)
				}
				p, _ := s.Profile()
				if !slices.Contains(append(p.Refused, p.Instead...), field) {
					t.Errorf("profile %+v, want %s in it", p, field)
				}
			})
		}
	}
}

func TestOmittedFieldsAreNotSent(t *testing.T) {
	server, u := start(t, rcvaetest.Script{}, nil)
	s := newSampler(t, u, func(s *llm.Settings) {
		s.Temperature, s.TopP, s.Omit = 1, 1, []string{"seed", "temperature", "top_p", "top_k", "min_p"}
	})
	if _, err := s.Sample(t.Context(), question, 3); err != nil {
		t.Fatal(err)
	}
	for _, field := range s.Settings().Omit {
		if server.Calls()[0].Body.Has(field) {
			t.Errorf("%s is sent", field)
		}
	}
	for _, omit := range []string{"temperature", "stop"} {
		settings := llm.DefaultSettings("m")
		settings.Omit = []string{omit}
		if err := settings.Validate(); err == nil || !strings.Contains(err.Error(), omit) {
			t.Errorf("omitting %s: %v, want an error that names it", omit, err)
		}
	}
}

// TestSeedsStayApart checks that single calls have different seeds, and that negative
// seeds, which mean "random", are left as they are.
func TestSeedsStayApart(t *testing.T) {
	for seed, want := range map[string][]string{
		"7":                    {"7", "8", "9"},
		"42.0":                 {"42", "43", "44"},
		"1e3":                  {"1000", "1001", "1002"},
		"9223372036854775807":  {"9223372036854775807", "9223372036854775806", "9223372036854775805"},
		"18446744073709551615": {"18446744073709551615", "18446744073709551616", "18446744073709551617"},
		"-1":                   {"-1", "-1", "-1"},
		"0.5":                  {"0.5", "0.5", "0.5"},
		`"x"`:                  {`"x"`, `"x"`, `"x"`},
	} {
		server, u := start(t, rcvaetest.Script{Server: rcvaetest.Ollama}, nil)
		warm(t, u)
		r := chat(t, question, `,"seed":`+seed)
		r.K = 3
		if _, err := u.Draw(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range server.CallsOf(question) {
			value, _ := c.Body.Get("seed")
			got = append(got, string(value))
		}
		slices.Sort(got)
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("seed %s became %v, want %v", seed, got, want)
		}
	}
	server, u := start(t, rcvaetest.Script{Server: rcvaetest.Ollama}, nil)
	r := chat(t, question, `,"seed":5`)
	r.K, r.First = 1, 4
	if _, err := u.Draw(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if value, _ := server.Calls()[0].Body.Get("seed"); string(value) != "9" {
		t.Errorf("the seed after 4 choices is %s, want 9", value)
	}
}

// TestUsageCountsThePromptOnce: what the client sees does not depend on how the
// choices were drawn; what was billed does.
func TestUsageCountsThePromptOnce(t *testing.T) {
	var prompts, completions []int
	for _, server := range []rcvaetest.Server{rcvaetest.VLLM, rcvaetest.Ollama} {
		_, u := start(t, rcvaetest.Script{Server: server}, nil)
		draw, err := u.Draw(t.Context(), chat(t, question, `,"seed":1`))
		if err != nil {
			t.Fatal(err)
		}
		prompts, completions = append(prompts, draw.Usage.PromptTokens), append(completions, draw.Usage.CompletionTokens)
		want := map[rcvaetest.Server]int{rcvaetest.VLLM: 1, rcvaetest.Ollama: 8}[server] * draw.Usage.PromptTokens
		if draw.Billed.PromptTokens != want || draw.Billed.CompletionTokens != draw.Usage.CompletionTokens {
			t.Errorf("%s: billed %+v of usage %+v, want %d prompt tokens", server, draw.Billed, draw.Usage, want)
		}
	}
	if prompts[0] != prompts[1] || prompts[0] == 0 || completions[0] != completions[1] {
		t.Errorf("prompts %v, completions %v, want each the same", prompts, completions)
	}
}

// TestEstimatesKeepTheLimit: llama.cpp's usage is that of one choice, and no choice has
// more tokens than the request allows.
func TestEstimatesKeepTheLimit(t *testing.T) {
	_, u := start(t, rcvaetest.Script{Server: rcvaetest.LlamaCpp, Slots: 8, Reply: func(p rcvaetest.Prompt) rcvaetest.Reply {
		return rcvaetest.Reply{Text: strings.Repeat("a ", 2) + strings.Repeat("incomprehensibilities ", 6*min(p.Choice, 1)+2)}
	}}, nil)
	draw, err := u.Draw(t.Context(), chat(t, question, `,"max_tokens":5`))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range draw.Choices {
		if c.Tokens > 5 {
			t.Errorf("choice %d has %d tokens, the limit is 5", i, c.Tokens)
		}
	}
	if draw.Usage.CompletionTokens > 8*5 {
		t.Errorf("usage %+v, want at most 40 tokens", draw.Usage)
	}
}

// TestRedirectsAreNotFollowed: another server must get neither prompt nor key.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var elsewhere int
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	u := upstreamOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	_, err := u.Draw(t.Context(), chat(t, question, ""))
	if status, ok := errors.AsType[*llm.StatusError](err); !ok || status.Status != http.StatusTemporaryRedirect || !strings.Contains(err.Error(), "not followed") {
		t.Errorf("Draw = %v, want an error that says it", err)
	}
	if elsewhere != 0 {
		t.Errorf("the other server got %d calls", elsewhere)
	}
}

func TestOnlyThePathsOfTheAPI(t *testing.T) {
	server, u := start(t, rcvaetest.Script{}, nil)
	for _, path := range []string{"/models/../slots", "/models/%2e%2e/slots", "/models/%2E%2E%2Fslots", "/models/a%252e%252e", "/models/", "/models//x", "/slots", "/models/..", "/models/a%5c..%5cb", "/models/x%00"} {
		response, err := u.Forward(t.Context(), http.MethodGet, path, nil, nil)
		if err == nil {
			response.Body.Close()
			t.Errorf("%s was asked for", path)
		}
	}
	if n := len(server.Calls()); n != 0 {
		t.Errorf("the server got %d calls", n)
	}
	for _, path := range []string{"/models", "/models/org/name:1.5b-q4_0", "/models/a%20b"} {
		response, err := u.Forward(t.Context(), http.MethodGet, path, nil, nil)
		if err == nil {
			response.Body.Close()
		}
		if calls := server.Calls(); len(calls) == 0 || "/"+strings.TrimPrefix(calls[len(calls)-1].Path, "/") != strings.ReplaceAll(path, "%20", " ") {
			t.Errorf("%s was not asked for: %v", path, err)
		}
	}
}

// TestBodiesShareTheirBytes: 64 calls of one request of 8 MiB must not hold 64 copies.
func TestBodiesShareTheirBytes(t *testing.T) {
	text := strings.Repeat("x", 8<<20)
	sent := make(chan int64, 64)
	u, err := llm.New(llm.Options{URL: "http://h/v1", Concurrency: 64, Timeout: time.Minute, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		buffer := make([]byte, 64<<10)
		n := int64(0)
		for {
			got, err := r.Body.Read(buffer)
			if n += int64(got); err != nil {
				break
			}
		}
		if n != r.ContentLength {
			t.Errorf("the body has %d bytes, its length says %d", n, r.ContentLength)
		}
		sent <- n
		w := httptest.NewRecorder()
		fmt.Fprint(w, `{"choices":[{"index":0,"message":{"content":"1"},"finish_reason":"stop"}]}`)
		return w.Result(), nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	r := chat(t, text, "")
	r.K = 64
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := u.Draw(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	used := after.TotalAlloc - before.TotalAlloc
	if used > 64<<20 {
		t.Errorf("a draw of 64 allocates %d MiB for a request of 8 MiB", used>>20)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestErrorsUnder200 keeps what the server says (OpenRouter's habit).
func TestErrorsUnder200(t *testing.T) {
	u := upstreamOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": "Provider returned error", "code": 429, "metadata": map[string]string{"provider_name": "p"}}})
	}))
	_, err := u.Draw(t.Context(), chat(t, question, ""))
	status, ok := errors.AsType[*llm.StatusError](err)
	if !ok || status.Status != 429 || status.Detail.Message != "Provider returned error" || !status.Detail.More.Has("metadata") || llm.CauseOf(err) != llm.CauseError {
		t.Errorf("Draw = %v (%+v), want the server's error with its code and fields", err, status)
	}
}
