package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/gateway/edge"
	"rcvae/rcvaetest"
)

// serving starts 'rcvae serve' and returns its base URL; stop drains it and returns
// the exit code and the log.
func serving(t *testing.T, args ...string) (url string, stop func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	code := make(chan int, 1)
	go func() {
		args := append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)
		code <- run(ctx, args, strings.NewReader(""), io.Discard, writer)
		writer.Close()
	}()
	lines := bufio.NewReader(reader)
	var started struct{ Listen string }
	first := ""
	for started.Listen == "" { // warnings may come before
		line, err := lines.ReadString('\n')
		if err != nil {
			cancel()
			t.Fatalf("rcvae serve ended with %d before it served: %s", <-code, first)
		}
		first += line
		_ = json.Unmarshal([]byte(line), &started) // it is looked at below
	}
	log := make(chan string, 1)
	go func() {
		rest, _ := io.ReadAll(lines)
		log <- first + string(rest)
	}()
	return "http://" + started.Listen, func() (int, string) {
		cancel()
		ended, said := <-code, <-log
		for line := range strings.Lines(said) {
			var record struct{ Time, Level, Msg string }
			if err := json.Unmarshal([]byte(line), &record); err != nil || record.Time == "" || record.Level == "" || record.Msg == "" {
				t.Errorf("serve wrote a line that is no log record: %s", line)
			}
		}
		return ended, said
	}
}

// TestServeWritesLogRecordsOnly: what other commands write as text is a record too, from
// the opening of the cache to an error at the end.
func TestServeWritesLogRecordsOnly(t *testing.T) {
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	url, stop := serving(t, "--model", "none", "--selector", "consensus", "--upstream", newServing(t), "-k", "2")
	if status, _ := asking(t, url, "", "What is 2+3?", "{}"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if _, log := stop(); !strings.Contains(log, "embeddings are kept in memory only") {
		t.Errorf("the log does not tell of the cache:\n%s", log)
	}
	address, got := strings.TrimPrefix(url, "http://"), result{}
	occupied, err := net.Listen("tcp", address)
	if err == nil {
		defer occupied.Close()
		got = rcvaeRun(t, "", "serve", "--listen", address, "--model", "none", "--selector", "majority", "--upstream", "http://127.0.0.1:1/v1")
	}
	if err != nil || got.code != exitFailure || !strings.HasPrefix(got.stderr, "rcvae: listen") {
		t.Errorf("%v, exit code %d, %q: before it serves an error is text for people", err, got.code, got.stderr)
	}
}

// asking posts a question and returns the status and the answer's block "rcvae".
func asking(t *testing.T, url, key, question, block string) (int, map[string]any) {
	t.Helper()
	content, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":%s}],"rcvae":%s}`, content, block)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Block map[string]any `json:"rcvae"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer.Block
}

func TestServeWithoutAModelOffersRulesThatNeedNone(t *testing.T) {
	got := rcvaeRun(t, "", "serve", "--model", "none", "--selector", "vote:entropy", "--upstream", "http://127.0.0.1:1", "--cache", "none")
	if got.code != exitUsage || !strings.Contains(got.stderr, "vote:arithmetic") || !strings.Contains(got.stderr, "majority") {
		t.Errorf("exit code %d, %q, want 2 and rules that need no model", got.code, got.stderr)
	}
}

func TestServeUsageErrors(t *testing.T) {
	for name, args := range map[string][]string{
		"no upstream":      {"--selector", "majority"},
		"k of zero":        {"--selector", "majority", "--upstream", "http://127.0.0.1:1", "-k", "0"},
		"bad URL":          {"--selector", "majority", "--upstream", "ftp://x"},
		"unknown selector": {"--selector", "best", "--upstream", "http://127.0.0.1:1"},
		"oracle's cousin":  {"--selector", "majority", "--upstream", "http://127.0.0.1:1", "--kind", "aime"},
		"bad level":        {"--selector", "majority", "--upstream", "http://127.0.0.1:1", "--log-level", "loud"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rcvaeRun(t, "", append([]string{"serve"}, args...)...); got.code != exitUsage {
				t.Errorf("exit code %d, want 2: %s", got.code, got.stderr)
			}
		})
	}
}

func TestServe(t *testing.T) {
	_, upstream := rcvaetest.StartOpenAI(t, rcvaetest.Script{Key: "upstream-key"})
	t.Setenv(upstreamKey, "upstream-key")
	keys := writeFile(t, "keys", fmt.Sprintf("%x Ann\n", edge.NewKey("from-the-file", "").Hash))
	url, stop := serving(t, "--selector", "majority", "--upstream", upstream, "-k", "3", "--keys-file", keys)
	status, block := asking(t, url, "from-the-file", "q", "{}")
	if status != http.StatusOK || block["selector"] != "majority" || block["returned"] != 3.0 {
		t.Errorf("status %d, block %v, want 3 candidates and majority", status, block)
	}
	if status, _ := asking(t, url, "wrong", "q", "{}"); status != http.StatusUnauthorized {
		t.Errorf("a wrong key: status %d, want 401", status)
	}
	code, log := stop()
	if code != exitOK || strings.Contains(log, "from-the-file") || strings.Contains(log, "upstream-key") {
		t.Errorf("exit code %d, log %s, want 0 and no key", code, log)
	}
}

func TestServeKeysFromTheEnvironment(t *testing.T) {
	_, upstream := rcvaetest.StartOpenAI(t, rcvaetest.Script{})
	t.Setenv("RCVAE_KEYS", "one, two")
	url, stop := serving(t, "--selector", "majority", "--upstream", upstream)
	for key, want := range map[string]int{"one": 200, "two": 200, "one, two": 401, "": 401} {
		if status, _ := asking(t, url, key, "q", "{}"); status != want {
			t.Errorf("key %q: status %d, want %d", key, status, want)
		}
	}
	if code, log := stop(); code != exitOK || strings.Contains(log, "two") {
		t.Errorf("exit code %d, log %s", code, log)
	}
}

// With a model every rule is at hand, and the model's entropy is measured.
func TestServeWithAModel(t *testing.T) {
	f := newFixture(t)
	model := filepath.Join(f.dir, "model.rcvae")
	if got := rcvaeRun(t, "", "train", "--pool", f.pool, "--cache", f.cache, "--out", model, "--epochs", "2", "--quiet"); got.code != exitOK {
		t.Fatalf("train: %s", got.stderr)
	}
	question := fixtureQuestion(5)
	_, upstream := rcvaetest.StartOpenAI(t, rcvaetest.Script{Reply: func(p rcvaetest.Prompt) rcvaetest.Reply {
		return rcvaetest.Reply{Text: question.Candidates[p.Choice%len(question.Candidates)].Text}
	}})
	url, stop := serving(t, "--model", model, "--cache", f.cache, "--upstream", upstream, "-k", "4")
	for _, rule := range []string{"vote:entropy", "entropy", "consensus", "majority"} {
		status, block := asking(t, url, "", question.Question, fmt.Sprintf(`{"selector":%q}`, rule))
		if status != http.StatusOK || block["selector"] != rule || block["fallback"] != nil {
			t.Errorf("%s: status %d, block %v", rule, status, block)
		}
	}
	response, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	metrics, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"rcvae_chosen_entropy_nats_count 2", "rcvae_embedding_duration_seconds_count 3"} {
		if !strings.Contains(string(metrics), want+"\n") {
			t.Errorf("the metrics lack %q", want)
		}
	}
	if code, log := stop(); code != exitOK {
		t.Errorf("exit code %d: %s", code, log)
	}
}
