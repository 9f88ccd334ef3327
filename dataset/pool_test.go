package dataset_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rcvae"
	"rcvae/dataset"
)

func TestPoolErrors(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"problems":      {`{"question":"q","answer":"1"}`, `"candidates" is missing`},
		"no text":       {`{"question":"q","candidates":[{"text":"a"},{"answer":"1"}]}`, `candidate 2: field "text" is missing`},
		"no array":      {`{"question":"q","candidates":{}}`, "array"},
		"correct":       {`{"question":"q","candidates":[{"text":"a","correct":1}]}`, `field "correct": true or false`},
		"tokens":        {`{"question":"q","candidates":[{"text":"a","n_tokens":-1}]}`, "whole number"},
		"logprob":       {`{"question":"q","candidates":[{"text":"a","sum_logprob":"x"}]}`, "a number is expected"},
		"logprob range": {`{"question":"q","candidates":[{"text":"a","sum_logprob":1e999,"tail_logprob":0,"min_window_logprob":0}]}`, "sum_logprob"},
		"NaN":           {`{"question":"q","candidates":[{"text":"a","sum_logprob":NaN}]}`, "NaN"},
	}
	for name, test := range tests {
		_, err := readPool(test.text)
		var line *dataset.LineError
		if !errors.As(err, &line) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "p.jsonl:1: ") {
			t.Errorf("%s: error = %v, want a LineError with %q", name, err, test.want)
		}
	}
}

const poolLine = `{"note": {"b": 1.50, "a": [1e3]}, "id": "x", "question": "q <&>", "answer": 72, "level": "Level 5", "candidates": [` +
	`{"rm_score": 0.10, "text": "té\nxt", "answer": null, "correct": null, "finish": "", "n_tokens": 3, "sum_logprob": -1.5, "tail_logprob": -0.5, "min_window_logprob": -2}, ` +
	`{"text": "", "correct": true, "sum_logprob": -1.50}, {"text": "u", "answer": "72", "correct": false, "sampler": "greedy", "correct_mv": true}]}`

// Known fields come in a fixed order and form, unknown ones as they were, by name.
func TestPoolRoundTrip(t *testing.T) {
	items, err := readPool(poolLine)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"x","question":"q <&>","answer":"72","level":5,"candidates":[` +
		`{"text":"té\nxt","answer":null,"answer_from":"none","n_tokens":3,"sum_logprob":-1.5,"tail_logprob":-0.5,"min_window_logprob":-2,"rm_score":0.10},` +
		`{"text":"","correct":true,"sum_logprob":-1.50},` +
		`{"text":"u","answer":"72","correct":false,"sampler":"greedy","correct_mv":true}],"note":{"b":1.50,"a":[1e3]}}` + "\n"
	if got := write(t, items); got != want {
		t.Errorf("round trip gives\n%s\nwant\n%s", got, want)
	}
	q := items[0]
	if q.Answer != "72" || q.Level != 5 || len(q.Candidates) != 3 {
		t.Errorf("question = %+v", q)
	}
	for i, want := range []rcvae.Verdict{rcvae.Ungraded, rcvae.Correct, rcvae.Incorrect} {
		if got := q.Candidates[i].Verdict; got != want {
			t.Errorf("verdict %d = %v, want %v", i+1, got, want)
		}
	}
	if got, want := *q.Candidates[0].LogProb, (rcvae.LogProb{Sum: -1.5, Tail: -0.5, MinWindow: -2}); got != want {
		t.Errorf("log-probabilities = %v, want %v", got, want)
	}
	if got := q.Candidates[1].LogProb; got != nil {
		t.Errorf("log-probabilities = %v from one of three, want none", got)
	}
	if got := dataset.WithSampler(q, "greedy").Candidates; len(got) != 1 || got[0].Text != "u" {
		t.Errorf("greedy candidates = %v", got)
	}
}

// An id is one question: twice in a file is an error that names both lines; in two
// files it must be the same question.
func TestPoolIDs(t *testing.T) {
	file := files(t)
	line := func(id, question string) string {
		return `{"id":"` + id + `","question":"` + question + `","candidates":[{"text":"a"}]}` + "\n"
	}
	a, b := file("a.jsonl", line("x", "q")), file("b.jsonl", line("x", "q")+line("y", "q"))
	twice, other := file("twice.jsonl", line("x", "q")+"\n"+line("x", "q")), file("other.jsonl", line("x", "r"))
	_, err := dataset.LoadPool(twice)
	var bad *dataset.LineError
	if !errors.As(err, &bad) || bad.Line != 3 || !strings.Contains(err.Error(), "first at "+twice+":1") {
		t.Errorf("an id twice in a file = %v, want an error that names lines 3 and 1", err)
	}
	if got, err := dataset.LoadPool(a, b); err != nil || len(got) != 3 || got[0].ID != got[1].ID {
		t.Errorf("an id in two files = %v, %v, want three questions", got, err)
	}
	if _, err := dataset.LoadPool(a, other); err == nil || !strings.Contains(err.Error(), a) || !strings.Contains(err.Error(), other) || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("an id of two questions = %v, want an error that names both files", err)
	}
	c, d := file("c.jsonl", line("", "q")), file("d.jsonl", line("", "r"))
	if got, err := dataset.LoadPool(c, d); err != nil || got[0].ID != "c.jsonl:line-1" || got[1].ID != "d.jsonl:line-1" {
		t.Errorf("made-up ids = %v, %v, want them to differ", got, err)
	}
}

// Absent, null and correct-without-answer are three things: only the second says that
// an answer was looked for.
func TestComplete(t *testing.T) {
	items, err := readPool(`{"question":"q","candidates":[{"text":"7","correct":true},{"text":"8","answer":null,"correct":false},` +
		`{"text":"7","answer":null,"correct":true,"n_tokens":3,"sum_logprob":-1,"tail_logprob":-1,"min_window_logprob":-1},{"text":"none"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	counted := dataset.Complete(items, nil)
	want := dataset.Gaps{Candidates: 4, Ungraded: 1, Missing: 3, NoTokens: 3, NoLogProb: 3}
	if counted != want || items[0].Candidates[0].Answer != "" {
		t.Errorf("Complete(nil) = %+v, want %+v and no change", counted, want)
	}
	want.Extracted = 2
	got := dataset.Complete(items, func(text string) (string, string) {
		if text == "none" {
			return "", ""
		}
		return text, "number"
	})
	c := items[0].Candidates
	if got != want || c[0].Answer != "7" || c[0].AnswerFrom != "number" || c[1].Answer != "" || c[2].Answer != "7" || c[3].AnswerFrom != dataset.NoAnswer {
		t.Errorf("Complete() = %+v, %+v, want %+v", got, c, want)
	}
	if lines := got.Lines(); len(lines) != 4 || !strings.HasPrefix(lines[0], "1 of 4 candidates have no verdict") {
		t.Errorf("Lines() = %q", lines)
	}
	if again := dataset.Complete(items, nil); again.Missing != 0 {
		t.Errorf("after Complete() %d answers are missing", again.Missing)
	}
}

func TestSamplersCountsInOrderOfAppearance(t *testing.T) {
	items, err := readPool(`{"question":"p","candidates":[{"text":"a","sampler":"greedy"},{"text":"b","sampler":"top_p"},{"text":"c"},{"text":"d","sampler":"top_p"}]}
{"question":"q","candidates":[]}
{"question":"r","candidates":[{"text":"e","sampler":"top_p"},{"text":"f"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []dataset.SamplerCount{{Name: "greedy", Candidates: 1, Questions: 1}, {Name: "top_p", Candidates: 3, Questions: 2}, {Name: "", Candidates: 2, Questions: 2}}
	if got := dataset.Samplers(items); !reflect.DeepEqual(got, want) {
		t.Errorf("Samplers() = %+v, want %+v", got, want)
	}
	if got := dataset.Samplers(nil); len(got) != 0 {
		t.Errorf("Samplers(nil) = %+v, want none", got)
	}
}

func write(t *testing.T, items []rcvae.Question) string {
	t.Helper()
	var b strings.Builder
	if err := dataset.WritePool(&b, items); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSavePool(t *testing.T) {
	items, err := readPool(poolLine)
	if err != nil {
		t.Fatal(err)
	}
	compactExtra(t, items)
	dir := t.TempDir()
	for name, magic := range map[string]string{"p.jsonl": "{", "p.jsonl.gz": "\x1f\x8b", "p.jsonl.zst": "\x28\xb5\x2f\xfd"} {
		path := filepath.Join(dir, name)
		if err := dataset.SavePool(path, items); err != nil {
			t.Fatal(err)
		}
		got, err := dataset.LoadPool(path)
		if err != nil || !reflect.DeepEqual(got, items) {
			t.Errorf("%s: read %v, %v, want what was written", name, got, err)
		}
		if packed, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(packed), magic) {
			t.Errorf("%s begins with %.4q, %v, want %q", name, packed, err, magic)
		}
	}
}

func TestSavePoolLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	good := rcvae.Question{Problem: rcvae.Problem{Question: "q"}}
	for name, bad := range map[string]rcvae.Question{
		"NaN":      {Problem: good.Problem, Candidates: []rcvae.Candidate{{LogProb: &rcvae.LogProb{Sum: math.NaN()}}}},
		"is empty": {},
		"extra":    {Problem: good.Problem, Candidates: []rcvae.Candidate{{Extra: rcvae.Extra{"extra": []byte("{")}}}},
	} {
		if err := dataset.SavePool(filepath.Join(dir, "p.jsonl.gz"), []rcvae.Question{good, bad}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("SavePool() = %v, want an error about %s", err, name)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files left behind", len(entries))
	}
}

func TestParseCandidate(t *testing.T) {
	s, err := dataset.ParseCandidate([]byte(` {"text": "It is 5.", "answer": 5} `))
	if err != nil || s.Text != "It is 5." || s.Answer != "5" {
		t.Errorf("ParseCandidate() = %+v, %v", s, err)
	}
	for _, bad := range []string{"", " ", "{", "[]", `"text"`, `{"text": NaN}`, `{"answer": "5"}`, "\xff"} {
		if _, err := dataset.ParseCandidate([]byte(bad)); err == nil {
			t.Errorf("ParseCandidate(%q) succeeds, want an error", bad)
		}
	}
}
