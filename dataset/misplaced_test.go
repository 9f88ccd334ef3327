package dataset_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/dataset"
)

// A file of another kind is refused with what to do about it.
func TestWrongFilesGetTheRemedy(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"LFS pointer":      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 35694\n", []string{"Git LFS pointer", "git lfs pull"}},
		"zip":              {"PK\x03\x04\x14\x00\x00\x00", []string{"zip archive", "--from inspect"}},
		"xz":               {"\xfd7zXZ\x00\x00", []string{"xz -d"}},
		"bzip2":            {"BZh91AY&SY", []string{"bunzip2"}},
		"UTF-16":           {"\xff\xfe{\x00", []string{"iconv"}},
		"JSON, many lines": {"{\n  \"version\": 2,\n  \"samples\": []\n}\n", []string{":1: ", "jq -c", "--from inspect"}},
		"cut off":          {`{"question":"q`, []string{"cut off"}},
		"no question":      {`{"Question":"q","Answer":"1","candidates":[]}`, []string{`"question"`, "the fields are Question, Answer, candidates", "pool import"}},
		"no candidates":    {`{"question":"q","samples":["a"]}`, []string{`"candidates"`, "the fields are question, samples", "pool import"}},
		"a list":           {`{"question":"q","solution":["a"],"candidates":[]}`, []string{`"solution"`, "jq -c", "join"}},
		"array, no object": {`["q"]`, []string{":1: ", "object"}},
		"array, cut":       {`[{"question":"q","candidates":[]},`, []string{":2: ", "cut off"}},
		"array, NaN":       {`[{"question":"q","candidates":[]},{"x":NaN}]`, []string{":2: ", "null for NaN"}},
		"two arrays":       {"[]\n[]\n", []string{"one array"}},
	} {
		path := filepath.Join(t.TempDir(), "p.jsonl")
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := dataset.LoadPool(path)
		for _, want := range append(test.want, path) {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error = %v, want %q in it", name, err, want)
			}
		}
	}
}

// A JSON array is read as the lines of its elements are, "problem" as "question", and a
// solution with an answer gives the answer.
func TestArrayAndProblemNames(t *testing.T) {
	const first, second = `{"unique_id":"a","problem":"p","solution":"so \\boxed{7}","candidates":[{"text":"7"}]}`, `{"question":"q","problem":"other","answer":"6\n#### 6","candidates":[]}`
	for name, text := range map[string]string{
		"lines": first + "\n" + second,
		"array": " [\n" + first + ",\n" + second + "]\n",
		"BOM":   "\ufeff[" + first + "," + second + "]",
	} {
		got, err := readPool(text)
		if err != nil || len(got) != 2 {
			t.Fatalf("%s: %v, %v, want two questions", name, got, err)
		}
		a, b := got[0], got[1]
		if a.ID != "a" || a.Question != "p" || a.Answer != "7" || len(a.Candidates) != 1 {
			t.Errorf("%s: first question = %+v", name, a)
		}
		if b.ID != "p.jsonl:line-2" || b.Question != "q" || b.Answer != "6" || b.Solution != "6\n#### 6" || string(b.Extra["problem"]) != `"other"` {
			t.Errorf("%s: second question = %+v", name, b)
		}
	}
}
