package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae/rcvaetest"
)

// TestPagesRun runs the blocks that pages mark with "sh run", in their order, in a folder
// with small files of the names that they use. A server of a page is a scripted one.
func TestPagesRun(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	f := readersFiles{newFixture(t), filepath.Join(here, "testdata", "pages")}
	server := httptest.NewServer(rcvaetest.NewOpenAI(rcvaetest.Script{}))
	defer server.Close()
	for name, value := range map[string]string{"RCVAE_CACHE": f.cache, "RCVAE_QUIET": "true", "RCVAE_UPSTREAM_KEY": ""} {
		t.Setenv(name, value)
	}
	all, blocks := pages(t), 0
	t.Chdir(t.TempDir())
	for _, p := range all {
		for _, block := range fenced.FindAllStringSubmatch(p.text, -1) {
			if strings.TrimSpace(block[2]) != "sh run" {
				continue
			}
			blocks++
			for _, line := range commandsOf(block[0]) {
				f.prepare(t, line)
				args := wordsOf(strings.ReplaceAll(line, "http://127.0.0.1:8080", server.URL))[1:]
				if got := rcvaeRun(t, "", args...); got.code != exitOK {
					t.Errorf("%s: %s\nexit code %d: %s", p.name, line, got.code, got.stderr)
				}
			}
		}
	}
	if blocks < 5 {
		t.Errorf("ran %d blocks, want at least 5: does the pattern still match?", blocks)
	}
}

// readersFiles are the files of a reader who tries what the pages say.
type readersFiles struct {
	fixture
	pageFiles string
}

// prepare writes the files that a command line reads, and removes those that one before
// it wrote under the name of its output.
func (f readersFiles) prepare(t *testing.T, line string) {
	t.Helper()
	words := wordsOf(line)
	for i, word := range words {
		source := f.sourceOf(word)
		if source == "" {
			continue
		}
		if slices.Contains([]string{"--out", "--details"}, words[i-1]) && words[1] != "report" {
			for _, old := range []string{word, word + ".sha256", word + ".run.json"} {
				if err := os.RemoveAll(old); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		data, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(word, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// sourceOf returns the file behind a name that pages use for a file of the reader's.
func (f readersFiles) sourceOf(name string) string {
	switch {
	case strings.HasPrefix(name, "samples_"):
		return filepath.Join(f.pageFiles, "samples.jsonl")
	case name == "train-pool.jsonl.gz", name == "test-pool.jsonl.gz":
		return f.pool
	case name == "train.jsonl", name == "candidates.jsonl":
		return filepath.Join(f.pageFiles, name)
	}
	return ""
}
