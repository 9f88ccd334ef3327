package gateway_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rcvae/gateway/edge"
	"rcvae/rcvaetest"
)

// raw is a connection to the gateway's own server, without the manners of a client.
type raw struct {
	t    *testing.T
	conn *net.TCPConn
	in   *bufio.Reader
}

// impolite starts a gateway whose deadlines are short and returns how to connect to it.
func impolite(t *testing.T, change func(*setup)) (s *stand, connect func(*testing.T) *raw) {
	t.Helper()
	s = start(t, func(s *setup) {
		s.config.HeaderTimeout, s.config.BodyTimeout, s.config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond, time.Second
		change(s)
	})
	address, stop := s.listen()
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Serve() = %v", err)
		}
	})
	return s, func(t *testing.T) *raw {
		t.Helper()
		conn := dial(t, address)
		return &raw{t, conn.(*net.TCPConn), bufio.NewReader(conn)}
	}
}

// say sends a text in which \n stands for the line ends of HTTP.
func (r *raw) say(format string, args ...any) *raw {
	r.t.Helper()
	head, body, found := strings.Cut(fmt.Sprintf(format, args...), "\n\n")
	text := strings.ReplaceAll(head, "\n", "\r\n")
	if found {
		text += "\r\n\r\n" + body
	}
	if _, err := io.WriteString(r.conn, text); err != nil && !errors.Is(err, net.ErrClosed) {
		r.t.Logf("send: %v", err)
	}
	return r
}

// hear reads one response, and fails when none comes.
func (r *raw) hear() reply {
	r.t.Helper()
	response, err := http.ReadResponse(r.in, nil)
	if err != nil {
		r.t.Fatalf("no response: %v", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatalf("the response's body: %v", err)
	}
	return reply{response.StatusCode, response.Header, body}
}

// ends checks that the server closes the connection.
func (r *raw) ends() {
	r.t.Helper()
	if _, err := io.Copy(io.Discard, r.in); errors.As(err, new(interface{ Timeout() bool })) && strings.Contains(err.Error(), "timeout") {
		r.t.Errorf("the connection is still open: %v", err)
	}
}

// request is a good request, for parts of it.
func request(path, headers, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: %d\n%s\n%s", path, len(body), headers, body)
}

// TestABodyThatNeverComes: on no path, with key or without, does it hold a connection
// longer than the deadlines, and who is refused is told so at once.
func TestABodyThatNeverComes(t *testing.T) {
	_, connect := impolite(t, func(s *setup) { s.config.Keys = []edge.Key{edge.NewKey("good", "")} })
	const key = "Authorization: Bearer good\n"
	for name, tt := range map[string]struct {
		head   string
		status int
	}{
		"with the key":          {"POST " + chat + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\n" + key, 408},
		"without a key":         {"POST " + chat + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\n", 401},
		"another type":          {"POST " + chat + " HTTP/1.1\nHost: localhost\nContent-Type: text/plain\n" + key, 415},
		"no such path":          {"POST /v1/moderations HTTP/1.1\nHost: localhost\n" + key, 404},
		"no such method":        {"PUT " + chat + " HTTP/1.1\nHost: localhost\n" + key, 405},
		"models":                {"GET /v1/models HTTP/1.1\nHost: localhost\n" + key, 200},
		"healthz":               {"GET /healthz HTTP/1.1\nHost: localhost\n", 200},
		"metrics":               {"GET /metrics HTTP/1.1\nHost: localhost\n", 200},
		"the page":              {"GET / HTTP/1.1\nHost: localhost\n", 200},
		"a foreign name":        {"POST " + chat + " HTTP/1.1\nHost: localhost\nOrigin: http://evil.example\n" + key, 403},
		"a redirect of the mux": {"GET //v1/models HTTP/1.1\nHost: localhost\n", 307},
	} {
		for _, body := range []string{"Content-Length: 100\n\n", "Content-Length: 100\n\n{", "Transfer-Encoding: chunked\n\n", "Transfer-Encoding: chunked\n\n5\r\n{\"mod"} {
			t.Run(name, func(t *testing.T) {
				c := connect(t).say("%s", tt.head+body)
				if got := c.hear(); got.status != tt.status {
					t.Errorf("status %d, want %d: %s", got.status, tt.status, got.body)
				}
				c.ends()
			})
		}
	}
}

func TestSlowAndHugeHeaders(t *testing.T) {
	_, connect := impolite(t, func(*setup) {})
	t.Run("nothing at all", func(t *testing.T) { connect(t).ends() })
	t.Run("half a line", func(t *testing.T) { connect(t).say("POST %s HT", chat).ends() })
	t.Run("half a header", func(t *testing.T) { connect(t).say("POST %s HTTP/1.1\nHost: localhost\nX-A: b", chat).ends() })
	_, patient := impolite(t, func(s *setup) { s.config.HeaderTimeout = 10 * time.Second })
	t.Run("a huge one", func(t *testing.T) {
		c := patient(t).say("GET /healthz HTTP/1.1\nHost: localhost\nX-A: %s\n\n", strings.Repeat("a", 200<<10))
		if got := c.hear(); got.status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("status %d, want 431", got.status)
		}
	})
	t.Run("very many", func(t *testing.T) {
		c := patient(t).say("GET /healthz HTTP/1.1\nHost: localhost\n%s\n", strings.Repeat("X-A: b\n", 20000))
		if got := c.hear(); got.status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("status %d, want 431", got.status)
		}
	})
	t.Run("a second request that never comes", func(t *testing.T) {
		_, connect := impolite(t, func(s *setup) { s.config.IdleTimeout = 50 * time.Millisecond })
		c := connect(t).say("GET /healthz HTTP/1.1\nHost: localhost\n\n")
		if got := c.hear(); got.status != 200 {
			t.Errorf("status %d, want 200", got.status)
		}
		c.ends()
	})
}

// TestTheClientHalfCloses: it cannot be told from one that left, so its request is
// given up, but it must not get an empty 200.
func TestTheClientHalfCloses(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for _, fields := range []string{`"rcvae":{"k":1}`, `"rcvae":{"k":4}`, `"stream":true`} {
		_, connect := impolite(t, func(s *setup) {
			s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
				if c.Question == "q" {
					return &rcvaetest.Fault{Wait: release}
				}
				return nil
			}
		})
		c := connect(t).say("%s", request(chat, "", ask("q", fields)))
		if err := c.conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got := c.hear(); got.status != edge.StatusClientGone {
			t.Errorf("%s: status %d with %q, want 499", fields, got.status, got.body)
		}
	}
}

// TestWhoLeavesTheQueueFreesItsPlace: the body is read before the wait, so that the
// server sees the client go.
func TestWhoLeavesTheQueueFreesItsPlace(t *testing.T) {
	release := make(chan struct{})
	s, connect := impolite(t, func(s *setup) {
		s.config.MaxConcurrent, s.config.MaxQueue = 1, 1
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Question == "q" {
				return &rcvaetest.Fault{Wait: release}
			}
			return nil
		}
	})
	good := request(chat, "X-RCVAE-K: 1\n", ask("q"))
	working := connect(t).say("%s", good)
	eventually(t, "one works", func() bool { return s.metric("rcvae_requests_active") == 1 })
	waiting := connect(t).say("%s", good)
	eventually(t, "one waits", func() bool { return s.metric("rcvae_queue_waiting") == 1 })
	waiting.conn.Close()
	eventually(t, "its place is free", func() bool { return s.metric("rcvae_queue_waiting") == 0 })
	next := connect(t).say("%s", good)
	eventually(t, "another waits", func() bool { return s.metric("rcvae_queue_waiting") == 1 })
	close(release)
	for _, c := range []*raw{working, next} {
		if got := c.hear(); got.status != http.StatusOK {
			t.Errorf("status %d, want 200: %s", got.status, got.body)
		}
	}
}

// TestSmuggling: two readers of these bytes could disagree about where a request ends.
func TestSmuggling(t *testing.T) {
	s, connect := impolite(t, func(*setup) {})
	body := ask("smuggled")
	for name, text := range map[string]string{
		"two lengths":              "POST " + chat + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 5\nContent-Length: 50\n\n" + body,
		"a length that is a list":  "POST " + chat + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 5, 50\n\n" + body,
		"a negative length":        "POST " + chat + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: -1\n\n" + body,
		"a length with a sign":     "POST " + chat + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: +5\n\n" + body,
		"an unknown encoding":      "POST " + chat + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\nTransfer-Encoding: xchunked\n\n" + body,
		"a space before the colon": "POST " + chat + " HTTP/1.1\nHost: localhost\nContent-Length : 5\n\n" + body,
		"a folded line":            "POST " + chat + " HTTP/1.1\nHost: localhost\nX-A: b\n c: d\nContent-Length: 5\n\n" + body,
		"two hosts":                "POST " + chat + " HTTP/1.1\nHost: localhost\nHost: evil.example\n\n",
		"no host":                  "POST " + chat + " HTTP/1.1\nContent-Length: 5\n\n" + body,
		"garbage":                  "\x16\x03\x01\x02\x00\x01\n\n",
		"bad chunks":               "POST " + chat + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\nTransfer-Encoding: chunked\n\nzz\r\n" + body,
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t).say("%s", text)
			if got := c.hear(); got.status < 400 || got.status >= 500 && got.status != http.StatusNotImplemented {
				t.Errorf("status %d, want a refusal: %s", got.status, got.body)
			}
			c.ends()
		})
	}
	if calls := s.upstream.CallsOf("smuggled"); len(calls) != 0 {
		t.Errorf("the upstream got %d calls", len(calls))
	}
	t.Run("both length and chunks", func(t *testing.T) { // the chunks count, and the connection ends
		c := connect(t).say("POST %s HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 4\nTransfer-Encoding: chunked\n\n%x\r\n%s\r\n0\r\n\r\n", chat, len(ask("q")), ask("q"))
		if got := c.hear(); got.status != http.StatusOK && got.status != http.StatusBadRequest {
			t.Errorf("status %d", got.status)
		}
	})
}

// TestPipelinedGarbage: a good request, and bytes that are none behind it.
func TestPipelinedGarbage(t *testing.T) {
	_, connect := impolite(t, func(*setup) {})
	c := connect(t).say("%s", request(chat, "", ask("q"))+"\x00\xffGARBAGE\r\n\r\n")
	if got := c.hear(); got.status != http.StatusOK {
		t.Errorf("the good request: status %d: %s", got.status, got.body)
	}
	if got := c.hear(); got.status != http.StatusBadRequest {
		t.Errorf("the garbage: status %d, want 400", got.status)
	}
	c.ends()
	c = connect(t).say("%s", request(chat, "", ask("first"))+strings.ReplaceAll("GET /healthz HTTP/1.1\nHost: localhost\n\n", "\n", "\r\n"))
	for i, want := range []string{rcvaetest.Marker("first"), "ok"} {
		if got := c.hear(); got.status != http.StatusOK || !bytes.Contains(got.body, []byte(want)) {
			t.Errorf("pipelined request %d: %d %s, want %s", i+1, got.status, got.body, want)
		}
	}
}

// TestAClientThatDoesNotRead gives up its place when a write takes too long.
func TestAClientThatDoesNotRead(t *testing.T) {
	s, connect := impolite(t, func(s *setup) {
		s.config.WriteTimeout = 50 * time.Millisecond
		s.script.Reply = texts(strings.Repeat("a long answer ", 1<<19))
	})
	c := connect(t)
	if err := c.conn.SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	c.say("%s", request(chat, "X-RCVAE-K: 1\n", ask("q")))
	eventually(t, "it works", func() bool { return len(s.upstream.CallsOf("q")) == 1 })
	eventually(t, "its place is free", func() bool { return s.metric("rcvae_requests_active") == 0 })
}

// TestBodiesHaveABudget: the bytes of all requests together are bounded, and given back.
func TestBodiesHaveABudget(t *testing.T) {
	release := make(chan struct{})
	s := start(t, func(s *setup) {
		s.config.MaxBody, s.config.MaxMemory = 100<<10, 200<<10
		s.script.Fault = func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Method == http.MethodPost {
				return &rcvaetest.Fault{Wait: release}
			}
			return nil
		}
	})
	large := ask(strings.Repeat("x", 90<<10))
	answer := make(chan reply, 1)
	go func() { answer <- s.post(chat, large, "X-RCVAE-K", "1") }()
	eventually(t, "the first is under way", func() bool { return s.metric("rcvae_requests_active") == 1 })
	if held := s.metric("rcvae_request_bytes_held"); held < 90<<10 {
		t.Errorf("%v bytes are held, want those of the body", held)
	}
	refused := s.post(chat, large, "X-RCVAE-K", "1")
	refused.wantError(t, http.StatusTooManyRequests)
	if refused.header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
	close(release)
	if got := <-answer; got.status != http.StatusOK {
		t.Errorf("the first got %d", got.status)
	}
	eventually(t, "the bytes are given back", func() bool { return s.metric("rcvae_request_bytes_held") == 0 })
	if got := s.post(chat, large, "X-RCVAE-K", "1"); got.status != http.StatusOK {
		t.Errorf("afterwards: status %d", got.status)
	}
}
