package foreign_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rcvae"
	"rcvae/dataset"
	"rcvae/dataset/foreign"
)

// fixtures are files of each format with the same questions and candidates.
var fixtures = map[string][]string{
	"lm-eval":      {"testdata/samples_demo_2026-01-02T03-04-05.678901.jsonl"},
	"lighteval":    {"testdata/details_demo_2026-01-02T03-04-05.678901.parquet"},
	"inspect":      {"testdata/2026-01-02T03-04-05+00-00_demo_dPiJifoWeEQBrfWsAopzWr.eval"},
	"openai-batch": {"testdata/batch-requests.jsonl", "testdata/batch-results.jsonl"},
	"completions":  {"testdata/completions.jsonl"},
}

// records tells how each fixture says the same: its records, the id of the first
// question, and what of the candidates is in it.
var contents = map[string]struct {
	records        int
	id             string
	gold, verdicts bool
	tokens, finish bool
}{
	"lm-eval":      {10, "demo-0", true, false, false, false},
	"lighteval":    {5, "demo|0-0", true, false, true, false},
	"inspect":      {15, "demo-1", true, true, true, true},
	"openai-batch": {30, "demo-test-", false, false, true, true},
	"completions":  {5, "demo-test-", true, true, true, false},
}

// Each format gives the questions and candidates of the pool that the fixtures were
// made from, in its order.
func TestFixtures(t *testing.T) {
	want, err := dataset.LoadPool("testdata/expected.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range foreign.Formats() {
		got, report, err := foreign.Import(format, fixtures[format], foreign.Options{})
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		has := contents[format]
		if report.Records != has.records || report.Questions != 5 || report.Candidates != 15 || report.Skipped != 0 || has.gold != (report.NoAnswer == 0) || has.verdicts != (report.Ungraded == 0) {
			t.Errorf("%s: report = %+v", format, report)
		}
		if len(got) != len(want) || !strings.HasPrefix(got[0].ID, has.id) {
			t.Fatalf("%s: %d questions from %q on, want %d from %q on", format, len(got), got[0].ID, len(want), has.id)
		}
		for i, q := range got {
			if q.Question != want[i].Question || has.gold && q.Answer != want[i].Answer {
				t.Errorf("%s: question %d is %q with answer %q, want %q with %q", format, i, q.Question, q.Answer, want[i].Question, want[i].Answer)
			}
			for j, c := range q.Candidates {
				w := want[i].Candidates[j]
				if c.Text != w.Text || has.verdicts && c.Verdict != w.Verdict || has.tokens && c.Tokens != w.Tokens || has.finish && c.Finish != w.Finish {
					t.Errorf("%s: candidate %d of question %d = %+v, want %+v", format, j, i, c, w)
				}
			}
		}
	}
}

// Files of one name in different folders have questions of different ids.
func TestMadeUpIDsDiffer(t *testing.T) {
	var paths []string
	for _, question := range []string{"q", "r"} {
		path := filepath.Join(t.TempDir(), "file.jsonl")
		if err := os.WriteFile(path, []byte(`{"prompt":"`+question+`","output":"a"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	got, _, err := foreign.Import("completions", paths, foreign.Options{})
	if want := "file.jsonl:line-1|q||a\nfile.jsonl:line-1-2|r||a\n"; err != nil || pool(got) != want {
		t.Errorf("Import() = %q, %v, want %q", pool(got), err, want)
	}
}

// What is imported survives a pool in JSON Lines and one in Parquet, with the fields
// that have no place in a pool.
func TestImportedPoolsRoundTrip(t *testing.T) {
	for _, format := range foreign.Formats() {
		questions, _, err := foreign.Import(format, fixtures[format], foreign.Options{KeepExtra: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"p.jsonl.gz", "p.parquet"} {
			path := filepath.Join(t.TempDir(), name)
			if err := dataset.SavePool(path, questions); err != nil {
				t.Fatal(err)
			}
			again, err := dataset.LoadPool(path)
			if err != nil || text(t, again) != text(t, questions) {
				t.Errorf("%s, %s: %v, or what is read differs from what was written", format, name, err)
			}
		}
	}
}

func text(t *testing.T, questions []rcvae.Question) string {
	var b strings.Builder
	if err := dataset.WritePool(&b, questions); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// importText imports a file with that content.
func importText(t *testing.T, format, content string, o foreign.Options) ([]rcvae.Question, foreign.Report, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.jsonl")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return foreign.Import(format, []string{path}, o)
}

// pool writes questions in short: id, question, answer, and the candidates with their
// verdicts.
func pool(questions []rcvae.Question) string {
	var b strings.Builder
	for _, q := range questions {
		b.WriteString(q.ID + "|" + q.Question + "|" + q.Answer)
		for _, c := range q.Candidates {
			b.WriteString("|" + c.Text + map[rcvae.Verdict]string{rcvae.Correct: "+", rcvae.Incorrect: "-"}[c.Verdict])
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestShapes(t *testing.T) {
	for name, test := range map[string]struct {
		format, content string
		fields          map[string]string
		want            string
	}{
		"nested, Large Language Monkeys": {"completions", `{"question":"q","samples":["a","b"],"gt_answer":"7","is_corrects":[true,false],"orig_dset_idx":3}`, nil,
			"file.jsonl:line-1|q|7|a+|b-\n"},
		"nested, Qwen2.5-Math": {"completions", `{"idx":5,"question":"q","gt_cot":"so \\boxed{7}","gt":"7","code":["a","b"],"pred":["7","8"],"score":[true,false]}`, nil,
			"5|q|7|a+|b-\n"},
		"nested, OpenR1": {"completions", `{"problem":"q","solution":"s","answer":"7","generations":["a","b"],"correctness_math_verify":[true,false],"finish_reasons":["stop","length"]}`, nil,
			"file.jsonl:line-1|q|7|a+|b-\n"},
		"flat, one sample per line": {"completions", `{"id":"x","prompt":"q","completion":"a","target":7,"correct":1}` + "\n" + `{"id":"y","prompt":"r","completion":"c","target":8,"correct":0}` + "\n" + `{"id":"x","prompt":"q","completion":"b","target":7,"correct":"false"}`, nil,
			"x|q|7|a+|b-\ny|r|8|c-\n"},
		"flat, an id per sample": {"completions", `[{"id":1,"prompt":"q","response":"a"},{"id":2,"prompt":"q","response":"b"}]`, nil,
			"1|q||a|b\n"},
		"objects": {"completions", `{"prompt":[{"role":"system","content":"s"},{"role":"user","content":"q"}],"outputs":[{"text":"a","finish_reason":"stop","correct":true},{"message":{"content":"b"}}]}`, nil,
			"file.jsonl:line-1|q||a+|b\n"},
		"own names": {"completions", `{"extra":{"info":[{"q":"Q"}]},"reward_model":{"ground_truth":"7"},"rollouts":[{"out":"a","ok":true},{"out":"b","ok":false}]}`,
			map[string]string{"question": "extra.info.0.q", "candidates": "rollouts", "text": "out", "correct": "ok"},
			"file.jsonl:line-1|Q|7|a+|b-\n"},
		"scores that are no verdicts": {"completions", `{"question":"q","samples":["a","b"],"score":[1,0.25]}`, nil,
			"file.jsonl:line-1|q||a|b\n"},
		"a failed sample keeps its place": {"completions", `{"question":"q","samples":["a",null],"correct":[true,false]}`, nil,
			"file.jsonl:line-1|q||a+|-\n"},
		"lm-eval, one response": {"lm-eval", `{"doc_id":4,"doc":{"problem":"q","solution":"s \\boxed{7}"},"target":"7","arguments":[["Q: q",{}]],"resps":[["a"]],"filtered_resps":["7"],"metrics":["exact_match"],"exact_match":1.0}`, nil,
			"4|q|7|a+\n"},
		"lm-eval, options": {"lm-eval", `{"doc_id":4,"doc":{"question":"q","options":["yes","no"]},"target":"B","resps":[["(A)"]],"metrics":["m"],"m":0}`, nil,
			"4|q\nA) yes\nB) no|B|(A)-\n"},
		"lm-eval, prompt alone": {"lm-eval", `{"doc_id":4,"doc":{},"target":"6\n#### 7","arguments":{"gen_args_0":{"arg_0":["[{\"role\": \"user\", \"content\": \"q\"}]"]}},"resps":[["a"],["b"]],"exact_match":1.0}`, nil,
			"4|q|7|a|b\n"},
		"lighteval before 0.10": {"lighteval", `{"example":"q","full_prompt":"[1] q","predictions":"['it\\'s\\n\"a\"', \"it's b \\xe9\"]","gold":"['7']","metrics":"{'em': 0, 'maj@2': 1.0}","specifics":"None"}`, nil,
			"file.jsonl:line-1|q|7|it's\n\"a\"|it's b é\n"},
		"inspect, parts and choices": {"inspect", `{"version":2,"eval":{"task":"t"},"samples":[{"id":"s","epoch":1,"input":[{"role":"user","content":[{"type":"text","text":"q"}]}],"choices":["yes","no"],"target":["A","B"],` +
			`"output":{"choices":[{"message":{"content":[{"type":"reasoning","reasoning":"hm"},{"type":"text","text":"attachment"}]},"stop_reason":"max_tokens"}]},"scores":{"b":{"value":0.5},"c":{"value":"I"}}},` +
			`{"id":"s","epoch":2,"input":"attachment://f00","choices":["yes","no"],"target":"A","output":{"completion":"attachment://bad"},"attachments":{"f00":"q\nA) yes\nB) no"}}],"logging":[]}`, nil,
			""},
		"batch, responses": {"openai-batch", `{"custom_id":"r","body":{"input":[{"role":"user","content":"q"}]}}` + "\n" + `{"custom_id":"r","response":{"status_code":200,"body":{"output":[{"type":"reasoning","summary":[]},{"type":"message","content":[{"type":"output_text","text":"a"}]}]}}}`, nil,
			"r|q||a\n"},
		"batch, n choices": {"openai-batch", `{"custom_id":"r","response":{"status_code":200,"body":{"choices":[{"text":"a"},{"text":"b"}]}}}` + "\n" + `{"custom_id":"r","body":{"prompt":"q"}}`, nil,
			"r|q||a|b\n"},
	} {
		got, _, err := importText(t, test.format, test.content, foreign.Options{Fields: test.fields})
		if test.want == "" { // the two samples differ in their text
			test.want = "s|q\nA) yes\nB) no|A|attachment-\n"
			if err == nil || !strings.Contains(err.Error(), ":2: ") {
				t.Errorf("%s: error = %v, want one about record 2", name, err)
			}
			got, _, err = importText(t, test.format, test.content, foreign.Options{SkipBad: true})
		}
		if err != nil || pool(got) != test.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, pool(got), test.want)
		}
	}
}

func TestErrorsNameTheRemedy(t *testing.T) {
	for name, test := range map[string]struct {
		format, content string
		fields          map[string]string
		want            []string
	}{
		"unknown format":     {"helm", "{}", nil, []string{`"helm"`, "completions, inspect, lighteval, lm-eval, openai-batch"}},
		"unknown field":      {"completions", "{}", map[string]string{"gold": "x"}, []string{`"gold"`, "answer"}},
		"no candidates":      {"completions", `{"question":"q","Answers":[]}`, nil, []string{":1: ", "Answers, question", "--field candidates="}},
		"no question":        {"completions", `{"q":"q","samples":["a"]}`, nil, []string{":1: ", "--field question=", "--problems"}},
		"log-likelihoods":    {"lm-eval", `{"doc_id":0,"doc":{"question":"q"},"target":"1","resps":[[[-1.5,false]]]}`, nil, []string{":1: ", "log-likelihoods"}},
		"wrong count":        {"completions", `{"question":"q","samples":["a","b"],"correct":[true]}`, nil, []string{"2 candidates and 1 values", "--field correct="}},
		"id of two":          {"completions", `{"id":1,"question":"q","output":"a"}` + "\n" + `{"id":1,"question":"r","output":"a"}`, nil, []string{":2: ", `"1"`, "--field id="}},
		"two references":     {"completions", `{"question":"q","output":"a","gold":1}` + "\n" + `{"question":"q","output":"a","gold":2}`, nil, []string{":2: ", `"2"`, `"1"`}},
		"document twice":     {"lm-eval", strings.Repeat(`{"doc_id":0,"doc":{"question":"q"},"target":"1","resps":[["a"]]}`+"\n", 2), nil, []string{":2: ", "document 0", "twice"}},
		"no requests":        {"openai-batch", `{"custom_id":"r","response":{"status_code":200,"body":{"choices":[{"text":"a"}]}}}`, nil, []string{":1: ", `"r"`, "file of requests"}},
		"failed request":     {"openai-batch", `{"custom_id":"r","response":{"status_code":429,"body":{"error":{"message":"slow down"}}}}`, nil, []string{":1: ", "429", "slow down"}},
		"failed sample":      {"inspect", `{"samples":[{"id":1,"input":"q","target":"1","error":{"message":"no server"}}]}`, nil, []string{":1: ", "no server"}},
		"log without sample": {"inspect", `{"version":2,"eval":{}}`, nil, []string{`"samples"`}},
		"log cut off":        {"inspect", `{"samples":[{"id":1,"input":"q","target":"1","output":{"completion":"a"}},`, nil, []string{"cut off"}},
		"too deep":           {"completions", `{"question":"q","samples":` + strings.Repeat("[", 101) + strings.Repeat("]", 101) + `}`, nil, []string{":1: ", "100 deep"}},
		"too long":           {"completions", `{"question":"q","samples":["` + strings.Repeat("x", 512<<10+1) + `"]}`, nil, []string{":1: ", "524289 bytes"}},
		"LFS pointer":        {"lighteval", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", nil, []string{"git lfs pull"}},
	} {
		_, _, err := importText(t, test.format, test.content, foreign.Options{Fields: test.fields})
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error = %v, want %q in it", name, err, want)
			}
		}
	}
	_, _, err := foreign.Import("completions", []string{filepath.Join(t.TempDir(), "none")}, foreign.Options{SkipBad: true})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: error = %v, want os.ErrNotExist", err)
	}
}

// Bad records are left out by number, whether they are no JSON or no sample.
func TestSkipBad(t *testing.T) {
	const content = `{"question":"q","output":"a"}` + "\n{\"question\":\n" + `{"question":"r"}` + "\n" + `{"question":"q","output":"b"}`
	got, report, err := importText(t, "completions", content, foreign.Options{SkipBad: true})
	if err != nil || pool(got) != "file.jsonl:line-1|q||a|b\n" || report.Skipped != 2 || report.Records != 3 || len(report.Bad) != 2 {
		t.Fatalf("Import() = %q, %+v, %v", pool(got), report, err)
	}
	for i, line := range []int{2, 3} {
		var at *dataset.LineError
		if !errors.As(report.Bad[i], &at) || at.Line != line {
			t.Errorf("bad record %d is %v, want line %d", i, report.Bad[i], line)
		}
	}
}

// Problems supply what a file lacks: by id, by id with the number of the sample behind
// it, or by the text of the question.
func TestProblemsSupplyReferences(t *testing.T) {
	problems := []rcvae.Problem{{ID: "p-17", Question: "Q", Answer: "7", Solution: "s"}, {ID: "r", Question: "R", Answer: "8"}}
	got, _, err := importText(t, "openai-batch", `{"custom_id":"p-17","response":{"body":{"choices":[{"text":"a"}]}}}`+"\n"+
		`{"custom_id":"p-17_s1","response":{"body":{"choices":[{"text":"b"}]}}}`, foreign.Options{Problems: problems})
	if want := "p-17|Q|7|a|b\n"; err != nil || pool(got) != want || got[0].Solution != "s" {
		t.Errorf("by id: %v, %q, want %q", err, pool(got), want)
	}
	got, _, err = importText(t, "completions", `{"id":"other","question":"R","output":"a"}`, foreign.Options{Problems: problems})
	if want := "r|R|8|a\n"; err != nil || pool(got) != want {
		t.Errorf("by text: %v, %q, want %q", err, pool(got), want)
	}
}

// Several files of one task are one pool with more candidates.
func TestSeveralFiles(t *testing.T) {
	for _, format := range foreign.Formats() {
		one, _, err := foreign.Import(format, fixtures[format], foreign.Options{})
		if err != nil {
			t.Fatal(err)
		}
		two, _, err := foreign.Import(format, append(slices.Clone(fixtures[format]), fixtures[format]...), foreign.Options{})
		if err != nil || len(two) != len(one) {
			t.Errorf("%s: %d questions, %v, want %d", format, len(two), err, len(one))
			continue
		}
		for i, q := range two {
			if n := len(one[i].Candidates); q.ID != one[i].ID || len(q.Candidates) != 2*n || q.Candidates[n].Text != one[i].Candidates[0].Text {
				t.Errorf("%s: question %d has %d candidates, want %d", format, i, len(q.Candidates), 2*n)
			}
		}
	}
}

// A text that is nothing but reasoning leaves an empty candidate, which is said.
func TestEmptyCandidatesAreSaid(t *testing.T) {
	_, report, err := importText(t, "openai-batch", `{"custom_id":"r","body":{"prompt":"q"}}`+"\n"+
		`{"custom_id":"r","response":{"body":{"choices":[{"message":{"content":null,"reasoning_content":"hm"}},{"message":{"content":"a"}}]}}}`, foreign.Options{})
	if err != nil || len(report.Notes) != 1 || !strings.HasPrefix(report.Notes[0], "1 candidates have an empty text") {
		t.Errorf("Import() = %+v, %v", report, err)
	}
}

func TestKeepExtra(t *testing.T) {
	const content = `{"question":"q","output":"a","rm":0.10,"level_x":[1]}` + "\n" + `{"question":"r","samples":["b","c"],"agg":{"x":null}}`
	got, _, err := importText(t, "completions", content, foreign.Options{KeepExtra: true})
	if err != nil || string(got[0].Candidates[0].Extra["rm"]) != "0.10" || got[0].Extra != nil || string(got[1].Extra["agg"]) != `{"x":null}` {
		t.Errorf("Import() = %+v, %v", got, err)
	}
	if got, _, err = importText(t, "completions", content, foreign.Options{}); err != nil || got[0].Candidates[0].Extra != nil || got[1].Extra != nil {
		t.Errorf("without KeepExtra: %+v, %v, want none", got, err)
	}
}
