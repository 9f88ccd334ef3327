//go:build !noqueue

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"rcvae/rcvaetest"
)

// spreadRun is a command that workers work for.
type spreadRun struct {
	token string
	code  chan int
	join  chan string // the URL that workers join at

	mu     sync.Mutex
	stderr bytes.Buffer
	told   bool
}

var joinLine = regexp.MustCompile(`--connect (\S+)`)

// Write takes standard error and looks for the URL.
func (s *spreadRun) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stderr.Write(p)
	if m := joinLine.FindSubmatch(s.stderr.Bytes()); m != nil && !s.told {
		s.told = true
		s.join <- string(m[1])
	}
	return len(p), nil
}

func (s *spreadRun) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

// spread starts a command with --workers-listen.
func spread(t *testing.T, stdout io.Writer, args ...string) *spreadRun {
	t.Helper()
	s := &spreadRun{token: filepath.Join(t.TempDir(), "token"), code: make(chan int, 1), join: make(chan string, 1)}
	args = append(args, "--workers-listen", "127.0.0.1:0", "--workers-token-file", s.token)
	go func() { s.code <- run(t.Context(), args, strings.NewReader(""), stdout, s) }()
	return s
}

// worker starts a worker for the command and returns what ends it.
func (s *spreadRun) worker(t *testing.T, url string, args ...string) (stop func() (code int, said string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		ended <- run(ctx, append([]string{"worker", "--connect", url, "--token-file", s.token}, args...), strings.NewReader(""), io.Discard, &stderr)
	}()
	var once sync.Once
	code := 0
	stop = func() (int, string) {
		once.Do(func() {
			cancel()
			code = <-ended
		})
		return code, stderr.String()
	}
	t.Cleanup(func() { stop() })
	return stop
}

// TestTrainWithWorkers trains once alone and once with a worker: the model file is the same.
func TestTrainWithWorkers(t *testing.T) {
	f := newFixture(t)
	out, cache := filepath.Join(f.dir, "m.rcvae"), filepath.Join(f.dir, "own.sqlite")
	args := []string{"train", "--pool", f.pool, "--out", out, "--embedder", "minilm", "--epochs", "2", "--hidden", "16", "--latent", "4", "--cache", cache}
	if alone := rcvaeRun(t, "", args...); alone.code != exitOK {
		t.Fatal(alone.stderr)
	}
	want := readFile(t, out)
	if err := os.Remove(cache); err != nil {
		t.Fatal(err)
	}
	s := spread(t, io.Discard, append(args, "--no-local")...)
	stop := s.worker(t, <-s.join)
	if code := <-s.code; code != exitOK {
		t.Fatalf("exit code %d\n%s", code, s.said())
	}
	if code, said := stop(); code != exitOK || !strings.Contains(said, "working for embed") {
		t.Errorf("the worker ended with %d and said %q", code, said)
	}
	if readFile(t, out) != want {
		t.Error("the model of a training with workers differs")
	}
	if left, _ := filepath.Glob(filepath.Join(f.dir, "*.queue*")); len(left) > 0 {
		t.Errorf("a finished run left %v", left)
	}
}

// TestWorkersGetTheEmbeddersFiles embeds with a worker that has no model: it gets the
// coordinator's through the queue.
func TestWorkersGetTheEmbeddersFiles(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var lines strings.Builder
	for i := range 50 {
		fmt.Fprintf(&lines, "What is %d + %d?\n", i, i)
	}
	in, folder := writeFile(t, "texts.txt", lines.String()), tinyBERT(t)
	args := []string{"embed", "--in", in, "--cache", "none", "--embedder", folder, "--pooling", "cls", "--max-tokens", "24"}
	alone := rcvaeRun(t, "", args...)
	var stdout bytes.Buffer
	s := spread(t, &stdout, append(args, "--no-local")...)
	stop := s.worker(t, <-s.join)
	if code := <-s.code; code != exitOK || alone.code != exitOK {
		t.Fatalf("exit codes %d and %d\n%s\n%s", code, alone.code, s.said(), alone.stderr)
	}
	if stdout.String() != alone.stdout {
		t.Error("the vectors of a worker with copied files differ")
	}
	if _, said := stop(); !strings.Contains(said, "bringing") {
		t.Errorf("the worker said %q, want that it brought files", said)
	}
}

// TestSampleWithWorkers draws once alone and once by two workers with servers of their own.
func TestSampleWithWorkers(t *testing.T) {
	s := newSampling(t, rcvaetest.Script{}, "alone.jsonl")
	if got := rcvaeRun(t, "", s.args("--greedy")...); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	alone := readFile(t, s.out)
	s.out = filepath.Join(filepath.Dir(s.out), "spread.jsonl")
	r := spread(t, io.Discard, "sample", "--problems", s.problems, "--llm", "m", "-k", "4", "--greedy", "--out", s.out)
	url := <-r.join
	var servers []*rcvaetest.OpenAI
	for range 2 {
		server, upstream := rcvaetest.StartOpenAI(t, rcvaetest.Script{})
		servers = append(servers, server)
		r.worker(t, url, "--upstream", upstream, "--llm", "m")
	}
	if code := <-r.code; code != exitOK {
		t.Fatalf("exit code %d\n%s", code, r.said())
	}
	if got := readFile(t, s.out); got != alone {
		t.Errorf("workers drew %s, want %s", got, alone)
	}
	for i := range sampledProblems {
		if n := len(servers[0].CallsOf(problemText(i))) + len(servers[1].CallsOf(problemText(i))); n != len(s.server.CallsOf(problemText(i))) {
			t.Errorf("question %d: %d calls, want as many as without workers", i, n)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestWorkersRefused are command lines and workers that a coordinator does not want.
func TestWorkersRefused(t *testing.T) {
	f := newFixture(t)
	train := []string{"train", "--pool", f.pool, "--out", filepath.Join(f.dir, "m.rcvae"), "--cache", "none"}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"open to others without TLS": {append(train, "--workers-listen", "0.0.0.0:0"), "certificate"},
		"a certificate without key":  {append(train, "--workers-listen", "127.0.0.1:0", "--workers-tls-cert", "c.pem"), "key"},
		"no port":                    {append(train, "--workers-listen", "localhost"), "HOST:PORT"},
		"two queues":                 {append(train, "--workers-listen", "127.0.0.1:0", "--queue", "nats://127.0.0.1:1"), "one of them"},
		"a secret in the URL":        {append(train, "--queue", "nats://me:secret@127.0.0.1:1"), "put it into a file"},
		"no NATS URL":                {append(train, "--queue", "http://127.0.0.1:1"), "nats://"},
		"a token in the clear":       {[]string{"worker", "--connect", "nats://192.0.2.1:4222"}, "tls://192.0.2.1:4222"},
		"no embedder":                {[]string{"worker", "--embedder", "none"}, "embeds nothing"},
		"a model without a server":   {[]string{"worker", "--llm", "m"}, "--upstream"},
	} {
		got := rcvaeRun(t, "", c.args...)
		if got.code != exitUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: exit code %d, said %q, want %d and %q", name, got.code, got.stderr, exitUsage, c.want)
		}
	}
}

// TestWrongWorkers are workers that are told why they may not join, while the run goes on.
func TestWrongWorkers(t *testing.T) {
	f := newFixture(t)
	s := spread(t, io.Discard, "train", "--pool", f.pool, "--out", filepath.Join(f.dir, "m.rcvae"), "--embedder", "minilm", "--epochs", "1", "--hidden", "8", "--latent", "4",
		"--cache", filepath.Join(f.dir, "c2.sqlite"), "--no-local")
	url := <-s.join
	wrong := writeFile(t, "wrong.token", "not the token\n")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"another embedder": {[]string{"--token-file", s.token, "--embedder", "minilm-math"}, "the coordinator wants fingerprint"},
		"a wrong token":    {[]string{"--token-file", wrong}, "lets nobody in"},
		"no token":         {[]string{"--token-file", wrong + ".missing"}, "read the token"},
	} {
		got := rcvaeRun(t, "", append([]string{"worker", "--connect", url}, c.args...)...)
		if got.code != exitFailure || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: exit code %d, said %q, want %d and %q", name, got.code, got.stderr, exitFailure, c.want)
		}
	}
	s.worker(t, url)
	if code := <-s.code; code != exitOK {
		t.Errorf("exit code %d\n%s", code, s.said())
	}
}
