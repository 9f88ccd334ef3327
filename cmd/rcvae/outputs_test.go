package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutputsOfOthersAreNotReplaced: a file that another command made stays; one of the
// same kind is replaced, as when a command is run again.
func TestOutputsOfOthersAreNotReplaced(t *testing.T) {
	f := newFixture(t)
	model := f.train(t, "m.rcvae")
	result, details := f.path("result.json"), f.path("details.jsonl.gz")
	evaluate := []string{"eval", "--pool", f.pool, "--selector", "majority", "--model", "none"}
	again := append(evaluate, "--out", result, "--details", details)
	for range 2 {
		if got := rcvaeRun(t, "", again...); got.code != exitOK {
			t.Fatalf("exit code %d\n%s", got.code, got.stderr)
		}
	}
	other := f.path("other.jsonl.gz")
	data, err := os.ReadFile(f.pool)
	if err == nil {
		err = os.WriteFile(other, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	train := []string{"train", "--pool", f.pool, "--cache", f.cache, "--epochs", "1", "--resume=false"}
	for name, args := range map[string][]string{
		"result over a pool":   append(evaluate, "--out", other),
		"result over a model":  append(evaluate, "--out", model),
		"details over a pool":  append(evaluate, "--details", other),
		"details over a cache": append(evaluate, "--details", f.cache),
		"model over a pool":    append(train, "--out", other),
		"model over a result":  append(train, "--out", result),
		"log over a pool":      append(train, "--out", f.path("n.rcvae"), "--log", other),
		"vectors over a pool":  {"embed", "--in", result, "--cache", "none", "--out", other},
		"page over a pool":     {"report", result, "--out", other},
		"pool over a result":   {"pool", "grade", "--grader", "math", f.pool, "--out", result},
		"log over details":     append(train, "--out", f.path("n.rcvae"), "--log", details),
	} {
		t.Run(name, func(t *testing.T) {
			before := folder(t, f.dir)
			got := rcvaeRun(t, "", args...)
			if got.code != exitUsage || !strings.Contains(got.stderr, "would be lost") && !strings.Contains(got.stderr, "would replace it") {
				t.Errorf("exit code %d, error %q, want it refused", got.code, got.stderr)
			}
			for path, content := range before {
				if after, err := os.ReadFile(path); err != nil || string(after) != content {
					t.Errorf("%s was changed (%v)", filepath.Base(path), err)
				}
			}
		})
	}
}

// folder returns the contents of the files of a folder by their paths.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.Contains(e.Name(), "cache.sqlite-") {
			continue // files of SQLite's own
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[path] = string(data)
	}
	return out
}

// TestTextsMustBeTexts: compressed files and random bytes are not embedded or chosen from.
func TestTextsMustBeTexts(t *testing.T) {
	for name, tt := range map[string]struct{ content, want string }{
		"gzip":   {gzipped(t, "a text\n"), "compressed with gzip"},
		"zstd":   {"\x28\xb5\x2f\xfd rest", "compressed with zstd"},
		"xz":     {"\xfd7zXZ\x00 rest", "compressed with xz"},
		"zip":    {"PK\x03\x04 rest", "zip archive"},
		"bzip2":  {"BZh91AY rest", "compressed with bzip2"},
		"random": {"good\n\xff\xc0\x80\n", ":2: the line is not UTF-8"},
	} {
		path := writeFile(t, "texts", tt.content)
		for _, args := range [][]string{{"embed", "--cache", "none", "--in", path}, {"select", "--question", "q", "--selector", "majority", "--model", "none", "--candidates", path}} {
			if got := rcvaeRun(t, "", args...); got.code != exitFailure || !strings.Contains(got.stderr, tt.want) || got.stdout != "" {
				t.Errorf("%s, %s: exit code %d, error %q, want %q", name, args[0], got.code, got.stderr, tt.want)
			}
		}
	}
}
