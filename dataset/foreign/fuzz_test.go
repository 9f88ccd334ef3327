package foreign_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"rcvae/dataset"
	"rcvae/dataset/foreign"
)

// What an import accepts is a pool: ids are unique, every question has a text and
// candidates, and it reads back equal.
func fuzzImport(f *testing.F, format string, seeds ...string) {
	for _, path := range fixtures[format] {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out.jsonl")
		if err := os.WriteFile(in, content, 0o600); err != nil {
			t.Fatal(err)
		}
		questions, report, err := foreign.Import(format, []string{in}, foreign.Options{KeepExtra: true, SkipBad: true})
		if err != nil {
			return
		}
		candidates := 0
		for _, q := range questions {
			candidates += len(q.Candidates)
			if q.ID == "" || q.Question == "" || len(q.Candidates) == 0 {
				t.Errorf("question %+v has no id, text or candidates", q)
			}
		}
		if report.Candidates != candidates || report.Questions != len(questions) {
			t.Errorf("report %+v, want %d candidates of %d questions", report, candidates, len(questions))
		}
		if err := dataset.SavePool(out, questions); err != nil {
			t.Fatal(err)
		}
		again, err := dataset.LoadPool(out)
		if err != nil || len(again) != len(questions) {
			t.Fatalf("what was written reads as %d questions, %v, want %d", len(again), err, len(questions))
		}
		for i, q := range again {
			if !reflect.DeepEqual(q.Candidates, questions[i].Candidates) || q.ID != questions[i].ID || q.Question != questions[i].Question {
				t.Errorf("question %d reads back as\n%+v\nwant\n%+v", i, q, questions[i])
			}
		}
	})
}

func FuzzCompletions(f *testing.F) {
	fuzzImport(f, "completions", `[{"question":"q","samples":[["a"],{"text":"b"}],"score":[1,0]}]`)
}

func FuzzLMEval(f *testing.F) {
	fuzzImport(f, "lm-eval", `{"doc_id":4,"doc":{"problem":"q"},"target":"6\n#### 7","resps":[["a"]],"metrics":["m"],"m":1}`)
}

func FuzzLighteval(f *testing.F) {
	fuzzImport(f, "lighteval", `{"example":"q","predictions":"['a', \"b\\xe9\\u00e9\"]","gold":"[7]","metrics":"{'em': 1, 'x': None, 'y': True}"}`)
}

func FuzzInspect(f *testing.F) {
	fuzzImport(f, "inspect", `{"samples":[{"id":1,"input":[{"role":"user","content":"q"}],"target":"1","output":{"choices":[{"message":{"content":"a"}}]},"scores":{"m":{"value":"C"}}}]}`)
}

func FuzzBatch(f *testing.F) {
	fuzzImport(f, "openai-batch", `{"custom_id":"r","body":{"prompt":"q"}}`+"\n"+`{"custom_id":"r","response":{"status_code":200,"body":{"output":[{"type":"message","content":"a"}]}}}`)
}
