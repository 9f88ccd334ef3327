package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rcvae/gateway"
	"rcvae/llm"
	"rcvae/rcvaetest"
)

func TestBadRequestsAreExplained(t *testing.T) {
	s := start(t, func(s *setup) { s.config.MaxK, s.config.MaxBody = 8, 2000 })
	for name, test := range map[string]struct {
		body   string
		status int
		want   string // in the message
	}{
		"no JSON":            {"{", 400, "cut off"},
		"a list":             {"[]", 400, "object"},
		"k above the limit":  {ask("q", `"rcvae":{"k":9}`), 400, "1 to 8"},
		"k of zero":          {ask("q", `"rcvae":{"k":0}`), 400, "1 to 8"},
		"n above the limit":  {ask("q", `"n":9`), 400, "limit"},
		"n of a wrong type":  {ask("q", `"n":"many"`), 400, "n must be"},
		"n of zero":          {ask("q", `"n":0`), 400, "n must be"},
		"unknown selector":   {ask("q", `"rcvae":{"selector":"best"}`), 400, "majority"},
		"unknown option":     {ask("q", `"rcvae":{"kk":3}`), 400, "kk"},
		"half adaptive":      {ask("q", `"rcvae":{"k_min":3}`), 400, "k_max"},
		"stream of text":     {ask("q", `"stream":"yes"`), 400, "stream"},
		"no messages":        {`{"model":"m"}`, 400, "messages"},
		"larger than it may": {ask(strings.Repeat("x", 3000)), 413, "2000"},
	} {
		t.Run(name, func(t *testing.T) {
			if message := s.post(chat, test.body).wantError(t, test.status); !strings.Contains(message, test.want) {
				t.Errorf("message %q, want %q in it", message, test.want)
			}
		})
	}
	s.post(chat, ask("q"), "X-RCVAE-K", "many").wantError(t, 400)
	s.get("/v1/moderations").wantError(t, 404)
	if got := s.get(chat); got.header.Get("Allow") != "POST" {
		t.Errorf("GET: Allow is %q, want POST", got.header.Get("Allow"))
	} else {
		got.wantError(t, 405)
	}
	for _, c := range s.upstream.Calls() {
		if c.Method == http.MethodPost {
			t.Errorf("the upstream got %s for a bad request", c.Raw)
		}
	}
}

func TestABodyWithoutALengthIsLimitedToo(t *testing.T) {
	s := start(t, func(s *setup) { s.config.MaxBody = 100 })
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+chat, io.MultiReader(strings.NewReader(ask(strings.Repeat("x", 5000)))))
	request.ContentLength = -1
	request.Header.Set("Content-Type", "application/json")
	s.send(request).wantError(t, 413)
}

func TestTheQueueIsBounded(t *testing.T) {
	release := make(chan struct{})
	s := start(t, func(s *setup) {
		s.config.MaxConcurrent, s.config.MaxQueue = 1, 1
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault { return &rcvaetest.Fault{Wait: release} }
	})
	answers := make(chan reply, 2)
	for range 2 { // one works, one waits
		go func() { answers <- s.post(chat, ask("q"), "X-RCVAE-K", "1") }()
	}
	eventually(t, "one request waits", func() bool {
		return s.metric("rcvae_queue_waiting") == 1 && s.metric("rcvae_requests_active") == 1
	})
	refused := s.post(chat, ask("q"), "X-RCVAE-K", "1")
	refused.wantError(t, http.StatusTooManyRequests)
	if refused.header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
	close(release)
	for range 2 {
		if got := <-answers; got.status != http.StatusOK {
			t.Errorf("a request that waited got %d: %s", got.status, got.body)
		}
	}
}

func TestWaitingEndsWithATimeout(t *testing.T) {
	release := make(chan struct{})
	s := start(t, func(s *setup) {
		s.config.MaxConcurrent, s.config.MaxQueue, s.config.QueueTimeout = 1, 1, time.Millisecond
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault { return &rcvaetest.Fault{Wait: release} }
	})
	answer := make(chan reply, 1)
	go func() { answer <- s.post(chat, ask("q"), "X-RCVAE-K", "1") }()
	eventually(t, "the slot is taken", func() bool { return s.metric("rcvae_requests_active") == 1 })
	s.post(chat, ask("q")).wantError(t, http.StatusTooManyRequests)
	close(release)
	<-answer
}

func TestSlowBodiesAndHeadersEnd(t *testing.T) {
	s := start(t, func(s *setup) {
		s.config.BodyTimeout, s.config.HeaderTimeout = 20*time.Millisecond, 20*time.Millisecond
	})
	t.Run("body", func(t *testing.T) {
		conn := dial(t, strings.TrimPrefix(s.url, "http://"))
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", chat)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusRequestTimeout {
			t.Errorf("status %d, want 408", response.StatusCode)
		}
	})
	t.Run("header", func(t *testing.T) {
		address, stop := s.listen()
		defer func() {
			if err := stop(); err != nil {
				t.Errorf("Serve() = %v", err)
			}
		}()
		conn := dial(t, address)
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost:")
		if _, err := io.ReadAll(conn); err != nil { // the server closes
			t.Errorf("read until the server closes: %v", err)
		}
	})
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// listen serves with the gateway's own HTTP server; stop drains it.
func (s *stand) listen() (address string, stop func() error) {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.server.Serve(ctx, listener) }()
	return listener.Addr().String(), func() error { cancel(); return <-done }
}

func TestDrainingFinishesWhatRuns(t *testing.T) {
	release := make(chan struct{})
	s := start(t, func(s *setup) {
		s.config.DrainDelay = 300 * time.Millisecond
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Question == "q" {
				return &rcvaetest.Fault{Wait: release}
			}
			return nil
		}
	})
	address, stop := s.listen()
	base := "http://" + address
	status := func() int {
		response, err := http.Get(base + "/readyz")
		if err != nil {
			return 0
		}
		response.Body.Close()
		return response.StatusCode
	}
	eventually(t, "readyz turns 200", func() bool { return status() == http.StatusOK })
	answer := make(chan int, 1)
	go func() {
		response, err := http.Post(base+chat, "application/json", strings.NewReader(ask("q")))
		if err != nil {
			answer <- 0
			return
		}
		defer response.Body.Close()
		answer <- response.StatusCode
	}()
	eventually(t, "the request is under way", func() bool { return len(s.upstream.CallsOf("q")) > 0 })
	drained := make(chan error, 1)
	go func() { drained <- stop() }()
	eventually(t, "readyz turns 503", func() bool { return status() == http.StatusServiceUnavailable })
	eventually(t, "no connection is accepted", func() bool { return status() == 0 })
	select {
	case err := <-drained:
		t.Fatalf("the drain ended before the request: %v", err)
	default:
	}
	close(release)
	if got := <-answer; got != http.StatusOK {
		t.Errorf("the running request got %d, want 200", got)
	}
	if err := <-drained; err != nil {
		t.Errorf("Serve() = %v, want nil after a complete drain", err)
	}
}

// TestReadyNeedsTheUpstream: and strangers who ask for it cost the upstream nothing.
func TestReadyNeedsTheUpstream(t *testing.T) {
	var down atomic.Bool
	s := start(t, func(s *setup) {
		s.script.Fault = func(rcvaetest.Call) *rcvaetest.Fault {
			if down.Load() {
				return &rcvaetest.Fault{Status: 500}
			}
			return nil
		}
	})
	eventually(t, "readyz turns 200", func() bool { return s.get("/readyz").status == http.StatusOK })
	before := len(s.upstream.Calls())
	for range 50 {
		s.get("/readyz")
	}
	if calls := len(s.upstream.Calls()) - before; calls > 1 {
		t.Errorf("50 requests of readyz made %d calls", calls)
	}
	down.Store(true)
	s.server.AskUpstreamEvery(time.Millisecond)
	eventually(t, "readyz turns 503", func() bool { return s.get("/readyz").status == http.StatusServiceUnavailable })
	if got := s.get("/healthz"); got.status != http.StatusOK {
		t.Errorf("healthz is %d without the upstream, want 200", got.status)
	}
}

func TestModelsAreTheUpstreams(t *testing.T) {
	s := start(t, func(s *setup) { s.script.Models = []string{"tiny", "large"} })
	got := s.get("/v1/models")
	if got.status != http.StatusOK || !strings.Contains(string(got.body), `"tiny"`) || !strings.Contains(string(got.body), `"large"`) {
		t.Errorf("models: %d %s", got.status, got.body)
	}
}

func TestBadConfigurationsAreAllReported(t *testing.T) {
	c := gateway.DefaultConfig()
	if err := c.Validate(); err != nil {
		t.Errorf("DefaultConfig().Validate() = %v", err)
	}
	c.K, c.Margin, c.Heartbeat, c.KMin, c.TLSKey, c.DecisionTexts = 0, 0.2, 0, 3, "k.pem", true
	err := c.Validate()
	for _, want := range []string{"k is 0", "margin", "heartbeat", "k-min", "TLS", "decision"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, want %q in it", err, want)
		}
	}
	if _, err := gateway.New(gateway.DefaultConfig(), gateway.Parts{}); err == nil {
		t.Error("New without an upstream succeeded")
	}
	upstream, _ := llm.New(llm.DefaultOptions("http://127.0.0.1:1"))
	if _, err := gateway.New(gateway.DefaultConfig(), gateway.Parts{Upstream: upstream}); err == nil || !strings.Contains(err.Error(), "consensus") {
		t.Errorf("New without the configured rule = %v, want its name", err)
	}
}

// TestStopEndsADrainAtOnce: a second signal does not wait for running requests.
func TestStopEndsADrainAtOnce(t *testing.T) {
	s := start(t, func(s *setup) {
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Question == "q" {
				return &rcvaetest.Fault{Silent: true}
			}
			return nil
		}
	})
	address, stop := s.listen()
	go func() {
		response, err := http.Post("http://"+address+chat, "application/json", strings.NewReader(ask("q")))
		if err == nil {
			response.Body.Close()
		}
	}()
	eventually(t, "the request is under way", func() bool { return len(s.upstream.CallsOf("q")) > 0 })
	s.server.Stop()
	if err := stop(); err == nil || !strings.Contains(err.Error(), "stopped while 1 requests") {
		t.Errorf("Serve() = %v, want it to say what it cut off", err)
	}
	eventually(t, "the upstream's call ends", func() bool { return s.upstream.Cancelled() > 0 })
}

func TestDecisionsAreTheOwners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "decisions.sqlite")
	s := start(t, func(s *setup) { s.config.Decisions, s.config.DecisionTexts = path, true })
	s.post(chat, ask("q")).completion(t)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal("there is no log", err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want it for its owner alone", file, info.Mode(), err)
		}
	}
}
