package dataset_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"rcvae"
	"rcvae/dataset"
)

func readProblems(text string) (problems []rcvae.Problem, err error) {
	for p, err := range dataset.Problems(strings.NewReader(text), "p.jsonl") {
		if err != nil {
			return problems, err
		}
		problems = append(problems, p)
	}
	return problems, nil
}

func readPool(text string) (items []rcvae.Question, err error) {
	for it, err := range dataset.Pool(strings.NewReader(text), "p.jsonl") {
		if err != nil {
			return items, err
		}
		items = append(items, it)
	}
	return items, nil
}

func TestProblemForms(t *testing.T) {
	tests := map[string]struct {
		line string
		want rcvae.Problem
	}{
		"plain": {
			`{"id":"a","question":"q","solution":"s","answer":"7","subject":"algebra","level":3}`,
			rcvae.Problem{ID: "a", Question: "q", Solution: "s", Answer: "7", Subject: "algebra", Level: 3},
		},
		"numbers": {`{"id":12,"question":"q","answer":7.50}`, rcvae.Problem{ID: "12", Question: "q", Answer: "7.50"}},
		"GSM8K": {
			`{"question":"q","answer":"48/2=<<48/2=24>>24\n#### 1,024"}`,
			rcvae.Problem{ID: "p.jsonl:line-1", Question: "q", Solution: "48/2=<<48/2=24>>24\n#### 1,024", Answer: "1024"},
		},
		"MATH": {
			`{"problem":"p","level":"Level 5","type":"Algebra","solution":"$\\boxed{1}$, so \\boxed{\\frac{1}{2}}."}`,
			rcvae.Problem{ID: "p.jsonl:line-1", Question: "p", Solution: `$\boxed{1}$, so \boxed{\frac{1}{2}}.`, Answer: `\frac{1}{2}`, Subject: "Algebra", Level: 5},
		},
		"MATH, level unknown": {
			`{"problem":"p","level":"Level ?","type":"Geometry","solution":"\\boxed{}"}`,
			rcvae.Problem{ID: "p.jsonl:line-1", Question: "p", Solution: `\boxed{}`, Subject: "Geometry"},
		},
		"MATH-500": {
			`{"problem":"p","solution":"s","answer":"2","subject":"Algebra","level":4,"unique_id":"test/algebra/1.json"}`,
			rcvae.Problem{ID: "test/algebra/1.json", Question: "p", Solution: "s", Answer: "2", Subject: "Algebra", Level: 4},
		},
		"null":    {`{"id":null,"question":"q","answer":"1","level":null}`, rcvae.Problem{ID: "p.jsonl:line-1", Question: "q", Answer: "1"}},
		"escapes": {`{"question":"\u00e9\n\"","answer":"\ud83d\ude00"}`, rcvae.Problem{ID: "p.jsonl:line-1", Question: "é\n\"", Answer: "😀"}},
	}
	for name, test := range tests {
		got, err := readProblems(test.line)
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], test.want) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, test.want)
		}
	}
}

func TestProblemErrors(t *testing.T) {
	const good = `{"id":"a","question":"q","answer":"1"}` + "\n"
	tests := map[string]struct{ text, want string }{
		"no question":   {good + "\n" + `{"id":"b","answer":"1"}`, `p.jsonl:3: field "question"`},
		"no answer":     {`{"question":"q"}`, `p.jsonl:1: field "answer" is missing`},
		"no box":        {`{"problem":"q","solution":"s"}`, `\boxed`},
		"wrong type":    {`{"question":["q"],"answer":"1"}`, `field "question": a string is expected`},
		"id twice":      {good + good, `p.jsonl:2: id "a" occurs twice, first at p.jsonl:1`},
		"key twice":     {`{"id":"a","id":"b","question":"q","answer":"1"}`, `field "id" occurs twice`},
		"cut":           {good + `{"id":"b","quest`, "p.jsonl:2: not JSON: the line ends too early"},
		"NaN":           {`{"question":"q","answer":NaN}`, "NaN at byte 26"},
		"infinity":      {`{"question":"q","answer":-Infinity}`, "null"},
		"not an object": {`["q"]`, "object"},
		"not JSON":      {"question,answer\n", "not JSON at byte 1"},
		"not UTF-8":     {"{\"question\":\"\xff\"}", "not UTF-8"},
		"parquet":       {"PAR1....", "Parquet"},
		"many fields":   {`{` + strings.Repeat(`"`+"x", 1) + `":1` + manyFields(300) + `}`, "more than 256 fields"},
	}
	for name, test := range tests {
		_, err := readProblems(test.text)
		var line *dataset.LineError
		if !errors.As(err, &line) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error = %v, want a LineError with %q", name, err, test.want)
		}
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"f` + strings.Repeat("x", i) + `":0`)
	}
	return b.String()
}

func TestCompressedByContent(t *testing.T) {
	const text = `{"question":"q","answer":"1"}` + "\r\n\r\n"
	zip := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, s)
		_ = w.Close()
		return b.String()
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"plain":           text + text,
		"BOM":             "\ufeff" + text + text,
		"gzip":            zip(text + text),
		"gzip, 2 members": zip(text) + zip(text),
		"zstd":            string(encoder.EncodeAll([]byte(text+text), nil)),
	}
	for name, packed := range tests {
		if got, err := readProblems(packed); err != nil || len(got) != 2 || got[1].ID != "p.jsonl:line-3" {
			t.Errorf("%s: problems = %v, %v, want 2", name, got, err)
		}
	}
}

func TestTruncatedAndDamaged(t *testing.T) {
	var plain strings.Builder
	for i := range 5000 {
		plain.WriteString(`{"question":"q` + strings.Repeat("ab", i%7) + `","answer":"` + strings.Repeat("7", 1+i%5) + "\"}\n")
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, plain.String())
	_ = w.Close()
	whole := packed.String()
	damaged := []byte(whole)
	damaged[len(damaged)-6] ^= 1 // in the checksum
	encoder, _ := zstd.NewWriter(nil)
	zst := string(encoder.EncodeAll([]byte(plain.String()), nil))
	for name, test := range map[string]struct{ text, want string }{
		"gzip cut":      {whole[:len(whole)/2], "truncated"},
		"gzip no end":   {whole[:len(whole)-4], "truncated"},
		"gzip header":   {whole[:6], "truncated"},
		"gzip checksum": {string(damaged), "damaged"},
		"zstd cut":      {zst[:len(zst)/2], "truncated"},
	} {
		got, err := readProblems(test.text)
		var line *dataset.LineError
		if !errors.As(err, &line) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error = %v, want one with %q", name, err, test.want)
			continue
		}
		if line.Line != len(got)+1 {
			t.Errorf("%s: error at line %d after %d good lines", name, line.Line, len(got))
		}
	}
}

func TestLongCandidateAndTooLongLine(t *testing.T) {
	pool := func(bytes int) string {
		return `{"question":"q","candidates":[{"text":"` + strings.Repeat("x", bytes) + `"}]}`
	}
	if items, err := readPool(pool(512 << 10)); err != nil || len(items[0].Candidates[0].Text) != 512<<10 {
		t.Errorf("candidate of 512 KiB: %v", err)
	}
	if _, err := readPool(pool(512<<10 + 1)); err == nil || !strings.Contains(err.Error(), "p.jsonl:1") || !strings.Contains(err.Error(), "candidate 1") {
		t.Errorf("candidate over 512 KiB: error = %v, want one that names the place", err)
	}
	endless := io.MultiReader(strings.NewReader(`{"question":"`), &repeat{left: 65 << 20})
	var err error
	for _, err = range dataset.Problems(endless, "p") {
	}
	if err == nil || !strings.Contains(err.Error(), "longer than 64 MiB") {
		t.Errorf("error = %v, want one about a line that is too long", err)
	}
}

var letters = strings.Repeat("x", 64<<10)

// repeat is a stream of left letters.
type repeat struct{ left int }

func (r *repeat) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p, letters)
	r.left -= n
	return n, nil
}

// files returns a function that writes files into one folder.
func files(t *testing.T) func(name, text string) string {
	dir := t.TempDir()
	return func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
}

func TestLoadSeveralFiles(t *testing.T) {
	file := files(t)
	a := file("a.jsonl", `{"question":"q","answer":"1"}`)
	b := file("b.jsonl", `{"question":"q","answer":"1"}`)
	c := file("c.jsonl", `{"id":"x","question":"q","answer":"1"}`)
	d := file("d.jsonl", `{"id":"x","question":"q","answer":"1"}`)
	empty := file("empty.jsonl", "\n")
	got, err := dataset.LoadProblems(a, b)
	if err != nil || len(got) != 2 || got[1].ID != "b.jsonl:line-1" {
		t.Errorf("LoadProblems() = %v, %v", got, err)
	}
	if _, err := dataset.LoadProblems(c, d); err == nil || !strings.Contains(err.Error(), "d.jsonl:1: ") || !strings.Contains(err.Error(), "c.jsonl:1;") {
		t.Errorf("error = %v, want one that names both lines", err)
	}
	if _, err := dataset.LoadProblems(empty); err == nil {
		t.Error("an empty file of problems loads, want an error")
	}
	if _, err := dataset.LoadPool(empty); err == nil {
		t.Error("an empty pool loads, want an error")
	}
	if _, err := dataset.LoadPool(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v, want os.ErrNotExist", err)
	}
}
