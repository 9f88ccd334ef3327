package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"rcvae/cvae"
	"rcvae/embed/minilm"
)

// What train says beforehand is what the trained model's summary says.
func TestTrainSaysBeforehandWhetherSamplesAreEnough(t *testing.T) {
	f := newFixture(t)
	out := f.path("m.rcvae")
	got := rcvaeRun(t, "", "train", "--pool", f.someMixed(t), "--out", out, "--cache", f.cache, "--epochs", "1", "--json")
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	var report trainReport
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("standard output is not JSON alone: %v\n%s", err, got.stdout)
	}
	s := report.Summary
	if s.MixedQuestions == 0 || s.MixedQuestions == s.Questions {
		t.Fatalf("%d of %d questions are mixed: the test is void", s.MixedQuestions, s.Questions)
	}
	want := fmt.Sprintf("train: %d of %d questions have correct and incorrect candidates, %d more are held out: a weak model;", s.MixedQuestions, s.Questions, s.HeldOut)
	note := strings.Index(got.stderr, want)
	if note < 0 || !strings.Contains(got.stderr, "rcvae sample") {
		t.Errorf("standard error %q, want %q and what to do", got.stderr, want)
	}
	if slow := strings.Index(got.stderr, "embedding: "); slow >= 0 && slow < note {
		t.Errorf("the verdict comes after embedding:\n%s", got.stderr)
	}
	if !strings.Contains(strings.Join(s.Warnings, "\n"), "a weak model;") {
		t.Errorf("warnings %q lack the verdict", s.Warnings)
	}
	if h := report.HeldOut; h == nil || h.Mixed == 0 || h.Mixed >= h.Questions || len(h.Warnings) == 0 {
		t.Errorf("held out: %+v, want some mixed questions and a warning that they are few", h)
	}
}

// Samples that teach nothing end the command before they are embedded.
func TestTrainEndsEarlyWithoutContrast(t *testing.T) {
	pool := writeFile(t, "right.jsonl", `{"question":"q","candidates":[{"text":"a","answer":"1","correct":true},{"text":"b","correct":false}]}`)
	got := rcvaeRun(t, "", "train", "--pool", pool, "--out", pool+".rcvae", "--cache", "none")
	if got.code != exitFailure || !strings.Contains(got.stderr, "correct and an incorrect") || strings.Contains(got.stderr, "embedding:") {
		t.Errorf("exit code %d, %q, want 1 and the reason without embedding", got.code, got.stderr)
	}
}

func TestTrainEmbedder(t *testing.T) {
	f := newFixture(t)
	problems := writeFile(t, "problems.jsonl", `{"question":"What is 0 + 1?","solution":"Attempt 0 of question 0: the answer is 1.","answer":"1"}
{"question":"What is 1 + 1?","solution":"Attempt 1 of question 1: the answer is 2.","answer":"2"}
`)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"contrastive", []string{"--pool", f.pool}, minilm.NameMath},
		{"ratio", []string{"--pool", f.pool, "--objective", "ratio"}, minilm.NameMath},
		{"paper", []string{"--problems", problems}, minilm.Name},
		{"authors", []string{"--problems", problems, "--objective", "authors"}, minilm.Name},
		{"asked for", []string{"--pool", f.pool, "--embedder", minilm.Name}, minilm.Name},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := f.path(strings.ReplaceAll(tt.name, " ", "-") + ".rcvae")
			got := rcvaeRun(t, "", append([]string{"train", "--out", out, "--cache", f.cache, "--epochs", "1"}, tt.args...)...)
			if got.code != exitOK {
				t.Fatalf("exit code %d\n%s", got.code, got.stderr)
			}
			model, err := cvae.Load(out)
			if err != nil {
				t.Fatal(err)
			}
			if name := model.Info().Fingerprint.Name; name != tt.want {
				t.Errorf("embedder %s, want %s", name, tt.want)
			}
		})
	}
}

// watcher notes whether a file is there when a text is written.
type watcher struct {
	bytes.Buffer
	path string
	text string
	seen bool // the text was written
	file bool // the file was there then
}

func (w *watcher) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if !w.seen && strings.Contains(w.String(), w.text) {
		w.seen = true
		_, statErr := os.Stat(w.path)
		w.file = statErr == nil
	}
	return n, err
}

func TestTheGainIsShownBeforeTheModelIsWritten(t *testing.T) {
	f := newFixture(t)
	out := f.path("m.rcvae")
	w := &watcher{path: out, text: "against majority"}
	var stderr bytes.Buffer
	args := []string{"train", "--pool", f.pool, "--out", out, "--cache", f.cache, "--epochs", "2"}
	if code := run(t.Context(), args, strings.NewReader(""), w, &stderr); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, stderr.String())
	}
	if !w.seen || w.file {
		t.Errorf("gain shown: %t, model there by then: %t, want true and false", w.seen, w.file)
	}
	text := w.String()
	if !strings.Contains(text, "they chose the best epoch too") || !strings.HasSuffix(text, "\nmodel written to "+out+"\n") {
		t.Errorf("output %q, want how the questions were used and, last, the file", text)
	}
}

// The precision comes from the flag or the environment, and its name is checked.
func TestTrainPrecision(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct{ flag, env, want string }{
		{"", "", ""}, {"float32", "bf16", ""}, {"bf16", "", "bf16"}, {"", "bf16", "bf16"},
	} {
		t.Setenv("RCVAE_PRECISION", tt.env)
		out := f.path("precision.rcvae")
		args := []string{"train", "--pool", f.pool, "--out", out, "--cache", f.cache, "--epochs", "1"}
		if tt.flag != "" {
			args = append(args, "--precision", tt.flag)
		}
		if got := rcvaeRun(t, "", args...); got.code != exitOK {
			t.Fatalf("%+v: exit code %d\n%s", tt, got.code, got.stderr)
		}
		model, err := cvae.Load(out)
		if err != nil {
			t.Fatal(err)
		}
		if got := model.Config().Precision; got != tt.want {
			t.Errorf("%+v: precision %q", tt, got)
		}
	}
	got := rcvaeRun(t, "", "train", "--pool", f.pool, "--out", f.path("x.rcvae"), "--cache", f.cache, "--precision", "fp8")
	if got.code != exitUsage || !strings.Contains(got.stderr, `"fp8"`) || !strings.Contains(got.stderr, cvae.BFloat16) {
		t.Errorf("fp8: exit code %d, %q, want %d and what there is", got.code, got.stderr, exitUsage)
	}
}
