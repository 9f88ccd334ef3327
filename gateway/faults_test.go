package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rcvae"
	"rcvae/gateway"
	"rcvae/internal/openaiapi"
	"rcvae/rcvaetest"
)

func TestFaultsOfTheUpstream(t *testing.T) {
	for name, test := range map[string]struct {
		fault      rcvaetest.Fault
		status     int
		retryAfter string
	}{
		"its refusal of a request is passed on": {rcvaetest.Fault{Status: 422, Message: "bad tools"}, 422, ""},
		"it is busy":                            {rcvaetest.Fault{Status: 429, RetryAfter: "7"}, 429, "7"},
		"it is down for a while":                {rcvaetest.Fault{Status: 503, RetryAfter: "3"}, 503, "3"},
		"it fails":                              {rcvaetest.Fault{Status: 500}, 502, ""},
		"it refuses our key":                    {rcvaetest.Fault{Status: 401, Message: "bad key sk-secret"}, 502, ""},
		"it stops in the middle":                {rcvaetest.Fault{Half: true}, 502, ""},
		"it closes the connection":              {rcvaetest.Fault{Reset: true}, 502, ""},
		"it is silent":                          {rcvaetest.Fault{Silent: true}, 504, ""},
	} {
		for _, k := range []string{"1", "4"} {
			t.Run(name+", k "+k, func(t *testing.T) {
				s := start(t, func(s *setup) {
					s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault { return &test.fault }
					s.config.UpstreamTimeout = 2 * time.Second
					if test.fault.Silent {
						s.config.UpstreamTimeout = 20 * time.Millisecond
					}
					s.llm.Timeout = s.config.UpstreamTimeout
				})
				got := s.post(chat, ask("q"), "X-RCVAE-K", k)
				message := got.wantError(t, test.status)
				if got.header.Get("Retry-After") != test.retryAfter {
					t.Errorf("Retry-After is %q, want %q", got.header.Get("Retry-After"), test.retryAfter)
				}
				if strings.Contains(message, "sk-secret") {
					t.Errorf("message %q tells the client of the upstream's key", message)
				}
			})
		}
	}
	t.Run("429, then success", func(t *testing.T) {
		var failed atomic.Bool
		s := start(t, func(s *setup) {
			s.llm.Retries = 1
			s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
				if c.Question == "q" && !failed.Swap(true) {
					return &rcvaetest.Fault{Status: 429, RetryAfter: "0.01"}
				}
				return nil
			}
		})
		if c := s.post(chat, ask("q")).completion(t); c.Block.Returned != 4 {
			t.Errorf("%d candidates, want 4", c.Block.Returned)
		}
	})
	t.Run("wrong JSON", func(t *testing.T) {
		s := start(t, func(s *setup) {
			s.script.Fault = func(rcvaetest.Call) *rcvaetest.Fault { return &rcvaetest.Fault{Garbage: true} }
		})
		s.post(chat, ask("q")).wantError(t, 502)
	})
}

func TestASlowCandidateDoesNotHoldTheOthers(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	s := start(t, func(s *setup) {
		s.script.Server = rcvaetest.Ollama
		s.config.UpstreamTimeout = 300 * time.Millisecond
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Question == "q" && strings.Contains(string(c.Raw), `"seed":2`) {
				return &rcvaetest.Fault{Wait: release}
			}
			return nil
		}
	})
	s.warm()
	if b := s.post(chat, ask("q", `"seed":0`)).completion(t).Block; b.Returned != 3 || b.K != 4 {
		t.Errorf("%d of %d candidates, want 3 of 4", b.Returned, b.K)
	}
}

func TestCallsStopWhenTheClientLeaves(t *testing.T) {
	for _, fields := range []string{`"rcvae":{"k":1}`, `"rcvae":{"k":4}`, `"stream":true`} {
		s := start(t, func(s *setup) {
			s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
				if c.Question == "q" {
					return &rcvaetest.Fault{Silent: true}
				}
				return nil
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		request, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url+chat, strings.NewReader(ask("q", fields)))
		request.Header.Set("Content-Type", "application/json")
		done := make(chan struct{})
		go func() {
			defer close(done)
			if response, err := http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
			}
		}()
		eventually(t, "the call reaches the upstream", func() bool { return len(s.upstream.CallsOf("q")) > 0 })
		cancel()
		<-done
		eventually(t, "the upstream's call is cancelled", func() bool { return s.upstream.Cancelled() > 0 })
	}
}

// warm lets the gateway find out how the upstream gives several choices.
func (s *stand) warm() {
	s.t.Helper()
	s.post(chat, ask("another question")).completion(s.t)
}

// broken lets this rule choose, within 50 ms.
func broken(f selectorFunc) func(*setup) {
	return func(s *setup) {
		s.config.Selector, s.parts.Rules["scripted"] = "scripted", gateway.Rule{Selector: f}
		s.config.SelectTimeout = 50 * time.Millisecond
	}
}

func TestFallbacks(t *testing.T) {
	type list = []rcvae.Candidate
	for name, test := range map[string]struct {
		change func(*setup)
		kind   string
	}{
		"the embedder fails": {broken(func(context.Context, string, list) (rcvae.Selection, error) {
			return rcvae.Selection{}, io.ErrUnexpectedEOF
		}), "selector"},
		"it takes too long": {broken(func(ctx context.Context, _ string, _ list) (rcvae.Selection, error) {
			<-ctx.Done()
			return rcvae.Selection{}, ctx.Err()
		}), "timeout"},
		"it panics":          {broken(func(context.Context, string, list) (rcvae.Selection, error) { panic("bug") }), "panic"},
		"it chooses nothing": {broken(func(context.Context, string, list) (rcvae.Selection, error) { return rcvae.Selection{Index: 9}, nil }), "selector"},
		"texts are too long": {func(s *setup) { s.config.MaxSelectText = 10 }, "too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, test.change)
			c := s.post(chat, ask("q")).completion(t)
			if c.Block.Fallback == "" || c.Block.Chosen != 0 || !strings.Contains(c.Choices[0].Message.Content, rcvaetest.Marker("q")) {
				t.Errorf("block %+v, want the first candidate and why", c.Block)
			}
			if got := s.metric("rcvae_fallbacks_total", "reason", test.kind); got != 1 {
				t.Errorf("rcvae_fallbacks_total{reason=%q} is %v, want 1", test.kind, got)
			}
		})
	}
}

// TestAFailedRuleIsExplainedInTheLog: its error may name servers, which are not for clients,
// and quote texts, which are not for the log.
func TestAFailedRuleIsExplainedInTheLog(t *testing.T) {
	s := start(t, broken(func(context.Context, string, []rcvae.Candidate) (rcvae.Selection, error) {
		return rcvae.Selection{}, fmt.Errorf("embed at http://10.0.0.7:8080: text 1 (%q): %w", `so "x" is 42`, io.ErrUnexpectedEOF)
	}))
	if c := s.post(chat, ask("q")).completion(t); c.Block.Fallback == "" || strings.Contains(c.Block.Fallback, "10.0.0.7") {
		t.Errorf("the client is told %q, want no server behind the gateway", c.Block.Fallback)
	}
	eventually(t, "the request in the log", func() bool { return strings.Contains(s.log.String(), "fallback_cause") })
	if log := s.log.String(); !strings.Contains(log, "embed at http://10.0.0.7:8080: text 1 (…): unexpected EOF") || strings.Contains(log, "is 42") {
		t.Errorf("the log has %s, want the server and no text", log)
	}
}

func TestTheFallbackIsTheFirstThatFinished(t *testing.T) {
	release := make(chan struct{})
	s := start(t, func(s *setup) {
		s.script.Server, s.config.Selector, s.config.K = rcvaetest.Ollama, "scripted", 2
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Question == "q" && strings.Contains(string(c.Raw), `"seed":0`) {
				return &rcvaetest.Fault{Wait: release}
			}
			return nil
		}
	})
	s.warm()
	response := s.open(ask("q", `"seed":0`, `"stream":true`, `"rcvae":{"events":true}`))
	defer response.Body.Close()
	reader := openaiapi.NewEventReader(response.Body, 1<<20)
	first, err := reader.Next()
	if err != nil || first.Name != "candidate" || !strings.Contains(string(first.Data), `"index":1`) {
		t.Fatalf("first event %s %s, %v, want candidate 1", first.Name, first.Data, err)
	}
	close(release)
	for {
		e, err := reader.Next()
		if err != nil {
			t.Fatalf("no event tells of the selection: %v", err)
		}
		if e.Name == "selection" {
			if !strings.Contains(string(e.Data), `"chosen":1`) {
				t.Errorf("selection %s, want candidate 1, which was there first", e.Data)
			}
			return
		}
	}
}
