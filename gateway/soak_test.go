package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rcvae"
	"rcvae/embed"
	"rcvae/gateway"
	"rcvae/grade"
	"rcvae/llm"
	"rcvae/rcvaetest"
	"rcvae/selector"
)

const (
	soakUpstream = "RCVAE_SOAK_UPSTREAM" // tells [TestSoakServer] its upstream
	soakMemory   = "RCVAE_SOAK_MEMORY"   // and its budget for bodies, in bytes
	soakMinutes  = "RCVAE_SOAK_MINUTES"  // how long [TestSoak] goes on at least; 0 without it

	soakBudget = 64 << 20  // bytes, of the load of small requests
	soakRest   = 100 << 20 // bytes that the process may hold besides
)

// TestSoak sends ten thousand requests or more, 256 at once, while a tenth of the upstream's
// calls fail, and as many impolite clients as a tenth of the requests between them: every
// request is answered, with the answer to its own question, the gateway's process stays
// within its budget and 100 MB, and no goroutine is left in it.
func TestSoak(t *testing.T) {
	ctx := untilInterrupted(t)
	requests, workers := 10000, 256
	if testing.Short() || raceEnabled {
		requests, workers = 1000, 64
	}
	faults := []rcvaetest.Fault{{Status: 500}, {Status: 429, RetryAfter: "0.001"}, {Status: 503}, {Half: true}, {Reset: true}, {Garbage: true}}
	_, url := rcvaetest.StartOpenAI(t, rcvaetest.Script{
		Server: rcvaetest.Ollama, Forget: true, // a call a candidate
		Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
			if c.Number%10 == 3 && strings.HasPrefix(c.Question, "Question") {
				return &faults[c.Number/10%len(faults)]
			}
			return nil
		},
	})
	g := startSoakServer(t, url, soakBudget)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
	defer client.CloseIdleConnections()
	var next, done, failed, impolite atomic.Int64
	start, long := time.Now(), soakTime(t)
	work := func() {
		for i := next.Add(1); (i <= int64(requests) || time.Since(start) < long) && ctx.Err() == nil; i = next.Add(1) {
			if i%10 == 0 {
				impolite.Add(1)
				beImpolite(g.address, int(i/10))
			}
			if err := soakOne(client, "http://"+g.address, i); err != nil {
				failed.Add(1)
				t.Errorf("request %d: %v", i, err)
			}
			done.Add(1)
		}
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(work)
	}
	minutes := time.NewTicker(time.Minute)
	defer minutes.Stop()
	stopped := make(chan struct{})
	go func() {
		for {
			select {
			case <-minutes.C:
				t.Logf("%v: %d requests, %d failed; the process holds %d MiB", time.Since(start).Round(time.Second), done.Load(), failed.Load(), memory(g.command.Process.Pid, "VmRSS:")>>20)
			case <-stopped:
				return
			}
		}
	}()
	group.Wait()
	close(stopped)
	took := time.Since(start)
	end := g.stop(t)
	t.Logf("%d requests of at least %d and %d impolite clients, %d at once, in %v: %d failed; the process held %d MiB at most", done.Load(), requests, impolite.Load(), workers, took.Round(time.Millisecond), failed.Load(), end.Peak>>20)
	end.check(t, soakBudget+soakRest)
}

// TestLargeRequestsShareTheirBytes: 16 requests of 8 MiB with 64 candidates at once, each
// candidate by a call of its own, stay below the budget.
func TestLargeRequestsShareTheirBytes(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("eight gigabytes go over the loopback")
	}
	ctx := untilInterrupted(t)
	const budget = 1 << 30
	var calls, bytes atomic.Int64
	upstream := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body) // a short body is seen in the sum
		calls.Add(1)
		bytes.Add(n)
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":"so 1"},"finish_reason":"stop"}]}`)
	})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = upstream.Serve(listener) }() // it ends with the test
	defer upstream.Close()
	g := startSoakServer(t, "http://"+listener.Addr().String(), budget)
	body := ask(strings.Repeat("word ", 8<<20/5), `"rcvae":{"k":64}`)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+g.address+chat, strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			request.Header.Set("Content-Type", "application/json")
			response, err := http.DefaultClient.Do(request)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
				t.Errorf("status %d, %v: %.200s", response.StatusCode, err, text)
			}
		})
	}
	group.Wait()
	end := g.stop(t)
	t.Logf("%d calls and %d MiB to the upstream; the process held %d MiB at most", calls.Load(), bytes.Load()>>20, end.Peak>>20)
	if ctx.Err() == nil && bytes.Load() < 16*64*8<<20 {
		t.Errorf("%d bytes went to the upstream, want 64 times 16 requests", bytes.Load())
	}
	end.check(t, budget)
}

// soakServer is a gateway in a process of its own.
type soakServer struct {
	address string
	input   io.Closer
	output  *bufio.Reader
	command *exec.Cmd
}

// soakEnd is what the process says at its end.
type soakEnd struct {
	Peak          int64 // resident bytes at most; 0: unknown
	Before, After int   // goroutines
	Held          int64 // bytes of bodies
}

func (e soakEnd) check(t *testing.T, most int64) {
	t.Helper()
	if e.Peak > most && !raceEnabled { // the detector holds as much again
		t.Errorf("the process held %d MiB, want at most %d", e.Peak>>20, most>>20)
	}
	if e.After > e.Before || e.Held != 0 {
		t.Errorf("%d goroutines before and %d after, %d bytes of bodies held, want nothing left", e.Before, e.After, e.Held)
	}
}

// startSoakServer runs [TestSoakServer] in a process of its own.
func startSoakServer(t *testing.T, upstream string, budget int64) *soakServer {
	t.Helper()
	s := &soakServer{command: exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSoakServer$", "-test.timeout=0")}
	s.command.Env = append(os.Environ(), soakUpstream+"="+upstream, fmt.Sprint(soakMemory, "=", budget))
	s.command.Stderr = os.Stderr
	var err error
	if s.input, err = s.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := s.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	s.output = bufio.NewReader(output)
	if s.address, err = s.output.ReadString('\n'); err != nil {
		t.Fatalf("the gateway's process: %v: %s", err, s.address)
	}
	s.address = strings.TrimSpace(s.address)
	t.Logf("a gateway listens on %s", s.address)
	return s
}

// stop lets the process drain and returns what it says.
func (s *soakServer) stop(t *testing.T) (end soakEnd) {
	t.Helper()
	s.input.Close()
	line, err := s.output.ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &end)
	}
	if err != nil {
		t.Fatalf("the end of the gateway's process: %v: %s", err, line)
	}
	if err := s.command.Wait(); err != nil {
		t.Errorf("the gateway's process: %v", err)
	}
	return end
}

// TestSoakServer is the process of [startSoakServer]: it prints its address, serves until
// its input ends, and prints a soakEnd.
func TestSoakServer(t *testing.T) {
	upstream := os.Getenv(soakUpstream)
	if upstream == "" {
		t.Skip("it is run by TestSoak, in a process of its own")
	}
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // a terminal sends them here too
	config, parts := soakSetup(t, upstream)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	end := soakEnd{Before: runtime.NumGoroutine() + 1} // and the one that waits for the input
	server, err := gateway.New(config, parts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is closed
		cancel()
	}()
	fmt.Println(listener.Addr())
	if err := server.Serve(ctx, listener); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	parts.Upstream.(*idleUpstream).transport.CloseIdleConnections()
	eventually(t, fmt.Sprintf("no more than %d goroutines", end.Before), func() bool { return runtime.NumGoroutine() <= end.Before })
	end.After, end.Held, end.Peak = runtime.NumGoroutine(), server.HeldBytes(), memory(os.Getpid(), "VmHWM:")
	raw, err := json.Marshal(end)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(string(raw))
}

type idleUpstream struct {
	*llm.Upstream
	transport *http.Transport
}

// soakSetup is the gateway as rcvae serve has it, with short deadlines for clients, and
// with embeddings that cost nothing in a cache in memory.
func soakSetup(t *testing.T, url string) (gateway.Config, gateway.Parts) {
	t.Helper()
	config := gateway.DefaultConfig()
	if _, err := fmt.Sscan(os.Getenv(soakMemory), &config.MaxMemory); err != nil {
		t.Fatal(err)
	}
	config.K, config.HeaderTimeout, config.WriteTimeout = 3, time.Second, 5*time.Second
	if config.MaxMemory == soakBudget { // small bodies
		config.BodyTimeout = time.Second
	}
	config.MaxSelectText = 1 << 30
	options := llm.DefaultOptions(url)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 512
	options.Concurrency, options.Retries, options.RetryFor, options.RepeatCut, options.Transport = 256, 8, 30*time.Second, true, transport
	upstream, err := llm.New(options)
	if err != nil {
		t.Fatal(err)
	}
	grader, err := grade.New("gsm8k")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := embed.OpenCache("", lengthEmbedder{})
	if err != nil {
		t.Fatal(err)
	}
	rule, err := selector.Parse("consensus")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := selector.New(rule, selector.Sources{Grader: grader, Embedder: cache}, selector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return config, gateway.Parts{Upstream: &idleUpstream{upstream, transport}, Extract: gateway.AnswerBy(grader), Rules: map[string]gateway.Rule{"consensus": {Selector: bound, Rule: rule}}}
}

// lengthEmbedder embeds a text by its length, in as many numbers as a sentence encoder has.
type lengthEmbedder struct{}

var _ rcvae.Embedder = lengthEmbedder{}

func (lengthEmbedder) Embed(_ context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	out := make([]rcvae.Embedding, len(texts))
	for i, t := range texts {
		out[i] = make(rcvae.Embedding, lengthEmbedder{}.Fingerprint().Dimension)
		out[i][len(t.Text)%len(out[i])] = 1
	}
	return out, nil
}

func (lengthEmbedder) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: "length", Dimension: 384}
}

// memory returns a process's bytes that Linux calls so: "VmRSS:", those that are resident,
// or "VmHWM:", the most that were; 0 if that is unknown.
func memory(pid int, name string) (kib int64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), name)
	_, _ = fmt.Sscan(rest, &kib) // unknown stays 0
	return kib << 10
}

// soakTime returns how long the soak goes on at least.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv(soakMinutes)
	if text == "" {
		return 0
	}
	minutes, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%s=%s: want a number of minutes", soakMinutes, text)
	}
	return time.Duration(minutes * float64(time.Minute))
}

// soakOne asks one question, in one of four ways, and says what is wrong with the answer.
func soakOne(client *http.Client, url string, i int64) error {
	question := fmt.Sprintf("Question %d?", i)
	fields := []string{`"n":1`, `"stream":true`, `"rcvae":{"return_candidates":true}`, `"n":2`}[i%4]
	response, err := client.Post(url+chat, "application/json", strings.NewReader(ask(question, fields)))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	text := string(body)
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s", response.StatusCode, text)
	}
	if i%4 == 1 { // the text comes in pieces
		if !strings.HasSuffix(text, "data: [DONE]\n\n") {
			return fmt.Errorf("the stream ends with %.100q", text[max(0, len(text)-100):])
		}
		text = streamedText(text)
	}
	if want := []int{1, 1, 4, 2}[i%4]; strings.Count(text, "marker-") != want || strings.Count(text, rcvaetest.Marker(question)) != want {
		return fmt.Errorf("%d answers, want %d to %s: %s", strings.Count(text, "marker-"), want, question, text)
	}
	return nil
}

// streamedText joins the contents of a stream's chunks.
func streamedText(stream string) string {
	var text strings.Builder
	for part := range strings.SplitSeq(stream, `"delta":{"content":"`) {
		content, _, _ := strings.Cut(part, `"`)
		text.WriteString(content)
	}
	return text.String()
}

// beImpolite connects and misbehaves in one of some ways. What comes back does not matter.
func beImpolite(address string, i int) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	body := ask("Rude?", `"stream":true`)
	head := "POST " + chat + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	whole := fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	answer := func() { _, _ = io.Copy(io.Discard, conn) }
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	switch i % 8 {
	case 0: // a body that never comes, and a client that waits
		_, _ = io.WriteString(conn, head+"Content-Length: 1000\r\n\r\n{")
		answer()
	case 1: // gone while it is asked
		_, _ = io.WriteString(conn, whole)
	case 2: // reset
		_, _ = io.WriteString(conn, whole)
		_ = conn.(*net.TCPConn).SetLinger(0)
	case 3: // half closed
		_, _ = io.WriteString(conn, whole)
		_ = conn.(*net.TCPConn).CloseWrite()
		answer()
	case 4: // garbage behind a good request
		_, _ = io.WriteString(conn, whole+"\x00\x01garbage\r\n\r\n")
		answer()
	case 5: // a header without an end
		_, _ = io.WriteString(conn, head+"X-Long: "+strings.Repeat("x", 100<<10))
	case 6: // two lengths
		_, _ = io.WriteString(conn, head+"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n")
		answer()
	case 7: // gone in the middle of the stream
		_, _ = io.WriteString(conn, whole)
		_, _ = conn.Read(make([]byte, 64))
	}
}
