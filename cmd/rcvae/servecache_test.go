package main

import (
	"database/sql"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/rcvaetest"
)

// TestServeWithoutAHomeFolder starts, answers and stops.
func TestServeWithoutAHomeFolder(t *testing.T) {
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	s := newServing(t)
	url, stop := serving(t, "--quiet", "--model", "none", "--selector", "consensus", "--upstream", s, "-k", "3")
	if status, block := asking(t, url, "", "What is 2+3?", "{}"); status != http.StatusOK || block["fallback"] != nil {
		t.Errorf("status %d, %v, want an answer that the rule chose", status, block)
	}
	wantCacheTrouble(t, url)
	if code, log := stop(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, log)
	}
}

// TestServeGoesOnWithoutItsCache: the cache breaks while the server runs; the same
// question has the same answer, readyz stays 200 and tells, and so does the log.
func TestServeGoesOnWithoutItsCache(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	s := newServing(t)
	url, stop := serving(t, "--model", "none", "--selector", "consensus", "--upstream", s, "-k", "3", "--cache", path)
	_, before := asking(t, url, "", "What is 2+3?", "{}")
	db, err := sql.Open("sqlite", path)
	if err == nil {
		_, err = db.Exec("DROP TABLE vector")
	}
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	for _, question := range []string{"What is 2+3?", "What is 20+30?"} {
		status, block := asking(t, url, "", question, "{}")
		if status != http.StatusOK || block["fallback"] != nil {
			t.Errorf("%s: status %d, %v, want an answer that the rule chose", question, status, block)
		}
		if question == "What is 2+3?" && block["chosen"] != before["chosen"] {
			t.Errorf("candidate %v with the cache, %v without", before["chosen"], block["chosen"])
		}
	}
	wantCacheTrouble(t, url)
	code, log := stop()
	if code != exitOK || strings.Count(log, "the embeddings are computed without it") != 2 {
		t.Errorf("exit code %d, want the log to tell of one read and one write:\n%s", code, log)
	}
}

// TestServeStartsBesideALockedCache: readyz and the metrics tell of the file that could
// not be opened, as long as the server runs.
func TestServeStartsBesideALockedCache(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a lock")
	}
	path := filepath.Join(t.TempDir(), "c.sqlite")
	db, err := sql.Open("sqlite", path)
	if err == nil {
		defer db.Close()
		db.SetMaxOpenConns(1)
		_, err = db.Exec("BEGIN EXCLUSIVE")
	}
	if err != nil {
		t.Fatal(err)
	}
	url, stop := serving(t, "--model", "none", "--selector", "consensus", "--upstream", newServing(t), "-k", "3", "--cache", path)
	if status, block := asking(t, url, "", "What is 2+3?", "{}"); status != http.StatusOK || block["fallback"] != nil {
		t.Errorf("status %d, %v, want an answer that the rule chose", status, block)
	}
	wantCacheTrouble(t, url)
	if code, log := stop(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, log)
	}
}

// wantCacheTrouble checks that readyz is 200 and tells of the cache, and that a metric
// counts it.
func wantCacheTrouble(t *testing.T, url string) {
	t.Helper()
	get := func(path string) (int, string) {
		response, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	status, body := get("/readyz")
	if status != http.StatusOK || !strings.Contains(body, "cache") || strings.Contains(body, ".sqlite") {
		t.Errorf("readyz: %d %q, want 200 and the cache, but not where it is", status, body)
	}
	if _, metrics := get("/metrics"); strings.Contains(metrics, "rcvae_embedding_cache_faults_total 0\n") {
		t.Error("the metric counts no fault of the cache")
	}
}

// newServing starts a scripted server and returns its URL.
func newServing(t *testing.T) string {
	t.Helper()
	_, url := rcvaetest.StartOpenAI(t, rcvaetest.Script{})
	return url
}

// TestALockedCacheIsNoReasonToFail: eval measures what it measures, and says so.
func TestALockedCacheIsNoReasonToFail(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a lock")
	}
	path := filepath.Join(t.TempDir(), "c.sqlite")
	pool := writeFile(t, "pool.jsonl", `{"id":"a","question":"1+1?","answer":"2","candidates":[{"text":"It is 2.","answer":"2","correct":true},{"text":"It is 3.","answer":"3","correct":false}]}`)
	args := []string{"eval", "--pool", pool, "--selector", "consensus", "--model", "none", "--json", "--cache", path}
	before := rcvaeRun(t, "", args...)
	db, err := sql.Open("sqlite", path)
	if err == nil {
		defer db.Close()
		db.SetMaxOpenConns(1)
		_, err = db.Exec("BEGIN IMMEDIATE")
	}
	if err != nil || before.code != exitOK {
		t.Fatal(before.stderr, err)
	}
	got := rcvaeRun(t, "", args...)
	if got.code != exitOK || got.stdout != before.stdout || !strings.Contains(got.stderr, "another process holds") {
		t.Errorf("exit code %d, error %q, want the same result and the lock", got.code, got.stderr)
	}
}
