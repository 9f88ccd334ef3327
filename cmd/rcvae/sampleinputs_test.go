package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae/dataset"
	"rcvae/rcvaetest"
)

// problemFiles runs sample on files of problems: the pool has the ids, or nothing is drawn
// and the error holds a text, file and line among it.
type problemFiles struct {
	files []string // contents of 1.jsonl, 2.jsonl, …
	ids   []string // of the pool
	want  string   // in the error; empty: there is none
}

func (p problemFiles) check(t *testing.T) {
	t.Helper()
	server, url := rcvaetest.StartOpenAI(t, rcvaetest.Script{})
	out := filepath.Join(t.TempDir(), "pool.jsonl")
	args := []string{"sample", "--upstream", url, "--llm", "m", "-k", "1", "--out", out, "--retries", "0"}
	for i, text := range p.files {
		args = append(args, "--problems", writeFile(t, string(rune('1'+i))+".jsonl", text))
	}
	got := rcvaeRun(t, "", args...)
	if p.want != "" {
		if got.code == exitOK || !strings.Contains(got.stderr, p.want) || len(server.Calls()) > 0 {
			t.Errorf("exit code %d after %d calls, want none and %q in %s", got.code, len(server.Calls()), p.want, got.stderr)
		}
		return
	}
	items, err := dataset.LoadPool(out)
	if err != nil {
		t.Fatalf("%v\n%s", err, got.stderr)
	}
	var ids []string
	for _, item := range items {
		ids = append(ids, item.ID)
	}
	if !slices.Equal(ids, p.ids) {
		t.Errorf("the pool has the questions %q, want %q", ids, p.ids)
	}
}

// TestIDsOfProblems are doubled in a file, doubled across files, absent, and numbers.
func TestIDsOfProblems(t *testing.T) {
	const a, none, number = `{"id":"a","question":"q","answer":"1"}`, `{"question":"r","answer":"2"}`, `{"id":12,"question":"s","answer":"3"}`
	for name, p := range map[string]problemFiles{
		"doubled":              {files: []string{a + "\n\n" + a}, want: `1.jsonl:3: id "a" occurs twice, first at`},
		"doubled across files": {files: []string{a, none + "\n" + a}, want: `2.jsonl:2: id "a" occurs twice, first at`},
		"a number doubled":     {files: []string{number + "\n" + `{"id":"12","question":"q","answer":"1"}`}, want: `1.jsonl:2: id "12" occurs twice`},
		"absent":               {files: []string{none + "\n" + a, none}, ids: []string{"1.jsonl:line-1", "a", "2.jsonl:line-1"}},
		"numbers":              {files: []string{number}, ids: []string{"12"}},
	} {
		t.Run(name, p.check)
	}
}

// TestEncodingsOfProblems are read, or refused with file and line.
func TestEncodingsOfProblems(t *testing.T) {
	const a, b = `{"id":"a","question":"é?","answer":"1"}`, `{"id":"b","question":"q","answer":"2"}`
	both := []string{"a", "b"}
	for name, p := range map[string]problemFiles{
		"UTF-8":                {files: []string{a + "\n" + b}, ids: both},
		"byte order mark":      {files: []string{"\ufeff" + a + "\n" + b}, ids: both},
		"CRLF":                 {files: []string{a + "\r\n" + b + "\r\n"}, ids: both},
		"blank lines":          {files: []string{"\n" + a + "\n \t\n\n" + b + "\n\n"}, ids: both},
		"array":                {files: []string{"[" + a + ",\n" + b + "]"}, ids: both},
		"escaped NUL":          {files: []string{`{"id":"a","question":"q\u0000","answer":"1"}` + "\n" + b}, ids: both},
		"lone surrogate":       {files: []string{`{"id":"a","question":"q\ud800","answer":"1"}` + "\n" + b}, ids: both},
		"NUL":                  {files: []string{b + "\n" + strings.Replace(a, "?", "\x00", 1)}, want: "1.jsonl:2: not JSON at byte"},
		"Latin-1":              {files: []string{b + "\n" + strings.Replace(a, "é", "\xe9", 1)}, want: "1.jsonl:2: the line is not UTF-8"},
		"UTF-16":               {files: []string{utf16Of("\ufeff" + a)}, want: "1.jsonl:1: "},
		"UTF-16 without a BOM": {files: []string{utf16Of(a)}, want: "1.jsonl:1: "},
		"CSV":                  {files: []string{"id,question,answer\na,q,1\n"}, want: "1.jsonl:1: not JSON"},
		"empty":                {files: []string{""}, want: "1.jsonl holds nothing"},
	} {
		t.Run(name, p.check)
	}
}

// utf16Of returns a text of the Latin alphabet in UTF-16, little-endian.
func utf16Of(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteString(string([]byte{byte(r), byte(r >> 8)}))
	}
	return b.String()
}
