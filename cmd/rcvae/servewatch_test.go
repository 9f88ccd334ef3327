package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestServeRefusesAReplacedEmbedder: the server behind the URL fails and comes back with
// another pooling. It is refused with the words of the start, readyz and a metric tell, and
// answers fall back; when it is what it was, rules choose again after a while.
func TestServeRefusesAReplacedEmbedder(t *testing.T) {
	f, words := newFixture(t), &changingServer{}
	address := addressOf(words.start(t))
	model := f.train(t, "remote.rcvae", "--embedder", address)
	url, stop := serving(t, "--model", model, "--selector", "entropy", "--upstream", newServing(t), "-k", "3", "--cache", f.path("serve.sqlite"))
	fallback := func(question string) string {
		t.Helper()
		status, block := asking(t, url, "", question, "{}")
		if status != http.StatusOK {
			t.Errorf("%s: status %d", question, status)
		}
		return fmt.Sprint(block["fallback"])
	}
	if got := fallback("What is 1+1?"); got != "<nil>" {
		t.Errorf("fallback %s, want that the rule chose", got)
	}
	words.failing.Store(true)
	const failed = "the rule failed" // why is for the log
	if got := fallback("What is 2+1?"); !strings.Contains(got, failed) {
		t.Errorf("fallback %s, want that the rule failed", got)
	}
	words.failing.Store(false)
	words.firstAlone.Store(true)
	if got := fallback("What is 3+1?"); !strings.Contains(got, failed) {
		t.Errorf("fallback %s, want that the rule failed", got)
	}
	if got := fallback("What is 1+1?"); got != "<nil>" {
		t.Errorf("fallback %s of a question whose vectors are in the cache", got)
	}
	for path, want := range map[string]string{"/readyz": "the embedder computes something else", "/metrics": "rcvae_embedder_refused 1\n"} {
		response, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: status %d, %v, %q is not in its text", path, response.StatusCode, err, want)
		}
	}
	code, log := stop()
	if want := "the embedder is refused"; code != exitOK || strings.Count(log, want) != 1 {
		t.Errorf("exit code %d, want one line that says %q:\n%s", code, want, log)
	}
	for _, want := range []string{"no such model", "remote.rcvae was trained on embedder ", "probe "} {
		if !strings.Contains(log, want) {
			t.Errorf("%q is not in the log:\n%s", want, log)
		}
	}
}
