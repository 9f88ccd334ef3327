package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAModelOfCachedTextsIsNotRead: while all texts are in the cache nothing but size and
// time of a model's files is looked at, and of files that changed everything is.
func TestAModelOfCachedTextsIsNotRead(t *testing.T) {
	folder, file := tinyBERT(t), tinyGGUF(t)
	for name, tt := range map[string]struct {
		embedder, weights string
		flags             []string
	}{
		"a folder": {folder, filepath.Join(folder, "model.safetensors"), []string{"--pooling", "cls"}},
		"a file":   {file, file, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			model := f.train(t, "m.rcvae", append([]string{"--embedder", tt.embedder}, tt.flags...)...)
			eval := func(pool string) result {
				return rcvaeRun(t, "", "eval", "--pool", pool, "--model", model, "--quiet", "--cache", f.cache, "--subsets", "2", "--json")
			}
			info, err := os.Stat(tt.weights)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := os.ReadFile(tt.weights)
			if err != nil {
				t.Fatal(err)
			}
			put := func(data []byte, at time.Time) {
				t.Helper()
				if err := os.WriteFile(tt.weights, data, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(tt.weights, at, at); err != nil {
					t.Fatal(err)
				}
			}
			before := eval(f.pool)
			put(make([]byte, len(whole)), info.ModTime())
			if got := eval(f.pool); got.code != exitOK || got.stdout != before.stdout {
				t.Errorf("weights that are not looked at: exit code %d, %s", got.code, got.stderr)
			}
			put(make([]byte, len(whole)), info.ModTime().Add(time.Second))
			if got := eval(f.pool); got.code != exitFailure || !strings.Contains(got.stderr, tt.embedder) {
				t.Errorf("weights of another time: exit code %d, %q, want them read", got.code, got.stderr)
			}
			other := bytes.Clone(whole)
			other[len(other)-9] ^= 1
			put(other, info.ModTime())
			more := writeFile(t, "more.jsonl", `{"id":"x","question":"What is one?","answer":"1","candidates":[{"text":"one","answer":"1","correct":true},{"text":"two","answer":"2","correct":false}]}`)
			if got := eval(more); got.code != exitFailure || !strings.Contains(got.stderr, "the embedder that was opened") {
				t.Errorf("other weights, of the same size and time, and a new text: exit code %d, %q", got.code, got.stderr)
			}
			if got := eval(more); got.code != exitFailure || !strings.Contains(got.stderr, "was trained on embedder") {
				t.Errorf("and again: exit code %d, %q, want the model refused", got.code, got.stderr)
			}
			put(whole, info.ModTime())
			if got := eval(more); got.code != exitOK {
				t.Errorf("the old weights: exit code %d, %q", got.code, got.stderr)
			}
		})
	}
}
