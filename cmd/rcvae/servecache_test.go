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
	response, err := http.Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != http.StatusOK || !strings.Contains(string(body), "cache") {
		t.Errorf("readyz: %d %q, want 200 and the cache", response.StatusCode, body)
	}
	code, log := stop()
	if code != exitOK || strings.Count(log, "the embeddings are computed without it") != 2 {
		t.Errorf("exit code %d, want the log to tell of one read and one write:\n%s", code, log)
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
