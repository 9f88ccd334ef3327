package dataset_test

import (
	"bytes"
	"encoding/json"
	"errors"
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
	`{"text": "", "correct": true, "sum_logprob": -1.50}, {"text": "u", "answer": "72", "correct": false, "sampler": "greedy"}]}`

func TestPoolRoundTripIsExact(t *testing.T) {
	items, err := readPool(poolLine)
	if err != nil {
		t.Fatal(err)
	}
	if got := write(t, items); got != poolLine+"\n" {
		t.Errorf("round trip gives\n%s\nwant\n%s", got, poolLine)
	}
	it := items[0]
	if it.Answer != "72" || it.Level != 5 || len(it.Samples) != 3 || it.Samples[0].Correct != nil || !*it.Samples[1].Correct {
		t.Errorf("item = %+v", it)
	}
	if got, want := *it.Samples[0].LogProb, (rcvae.LogProb{Sum: -1.5, Tail: -0.5, MinWindow: -2}); got != want {
		t.Errorf("log-probabilities = %v, want %v", got, want)
	}
	if it.Samples[1].LogProb != nil {
		t.Errorf("log-probabilities = %v from one of three, want none", it.Samples[1].LogProb)
	}
	if got := it.WithSampler("greedy").Candidates(); len(got) != 1 || got[0].Text != "u" {
		t.Errorf("greedy candidates = %v", got)
	}
}

func TestSamplersCountsInOrderOfAppearance(t *testing.T) {
	items, err := readPool(`{"question":"p","candidates":[{"text":"a","sampler":"greedy"},{"text":"b","sampler":"top_p"},{"text":"c"},{"text":"d","sampler":"top_p"}]}
{"question":"q","candidates":[]}
{"question":"r","candidates":[{"text":"e","sampler":"top_p"},{"text":"f"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []dataset.SamplerCount{{Name: "greedy", Samples: 1, Questions: 1}, {Name: "top_p", Samples: 3, Questions: 2}, {Name: "", Samples: 2, Questions: 2}}
	if got := dataset.Samplers(items); !reflect.DeepEqual(got, want) {
		t.Errorf("Samplers() = %+v, want %+v", got, want)
	}
	if got := dataset.Samplers(nil); len(got) != 0 {
		t.Errorf("Samplers(nil) = %+v, want none", got)
	}
}

func write(t *testing.T, items []dataset.Item) string {
	t.Helper()
	var b bytes.Buffer
	w := dataset.NewPoolWriter(&b)
	for _, it := range items {
		if err := w.Write(it); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A change is written, and nothing else changes.
func TestPoolChangeIsWritten(t *testing.T) {
	items, err := readPool(poolLine)
	if err != nil {
		t.Fatal(err)
	}
	items[0].Answer, items[0].Level = "73", 4
	items[0].Samples[0].Correct = new(true)
	items[0].Samples[0].Extra["new"] = json.RawMessage("[\n1]")
	want := strings.NewReplacer(`"answer": 72`, `"answer": "73"`, `"Level 5"`, `4`, `"correct": null`, `"correct": true`,
		`-2}`, `-2, "new": [1]}`).Replace(poolLine) + "\n"
	if got := write(t, items); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPoolWriterFiles(t *testing.T) {
	items, err := readPool(poolLine)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"p.jsonl", "p.jsonl.gz", "p.jsonl.zst"} {
		path := filepath.Join(dir, name)
		w, err := dataset.CreatePool(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Write(items[0]), w.Close()); err != nil {
			t.Fatal(err)
		}
		w.Abort() // does nothing
		got, err := dataset.LoadPool(path)
		if err != nil || !reflect.DeepEqual(got, items) {
			t.Errorf("%s: read %v, %v, want what was written", name, got, err)
		}
		if err := w.Write(items[0]); err == nil {
			t.Error("Write() after Close() succeeds, want an error")
		}
	}
	plain, err := os.ReadFile(filepath.Join(dir, "p.jsonl.gz"))
	if err != nil || !bytes.HasPrefix(plain, []byte{0x1f, 0x8b}) {
		t.Error("p.jsonl.gz is not compressed")
	}
}

func TestPoolWriterLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	w, err := dataset.CreatePool(filepath.Join(dir, "p.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	nan := rcvae.LogProb{Sum: nan()}
	bad := dataset.Item{Problem: rcvae.Problem{Question: "q"}, Samples: []dataset.Sample{{Candidate: rcvae.Candidate{LogProb: &nan}}}}
	if err := w.Write(bad); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("Write() = %v, want an error about NaN", err)
	}
	if err := w.Close(); err == nil {
		t.Error("Close() after a failed write succeeds, want an error")
	}
	w, err = dataset.CreatePool(filepath.Join(dir, "p.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files left behind", len(entries))
	}
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

func TestParseSample(t *testing.T) {
	s, err := dataset.ParseSample([]byte(` {"text": "It is 5.", "answer": 5} `))
	if err != nil || s.Text != "It is 5." || s.Answer != "5" {
		t.Errorf("ParseSample() = %+v, %v", s, err)
	}
	for _, bad := range []string{"", " ", "{", "[]", `"text"`, `{"text": NaN}`, `{"answer": "5"}`, "\xff"} {
		if _, err := dataset.ParseSample([]byte(bad)); err == nil {
			t.Errorf("ParseSample(%q) succeeds, want an error", bad)
		}
	}
}
