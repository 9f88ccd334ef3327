package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"rcvae/rcvaetest"
)

func TestReproducePlanDrawsNothing(t *testing.T) {
	p := newTableProtocol(t, rcvaetest.Script{})
	got := rcvaeRun(t, "", p.args("out", "--plan", "--questions", "3")...)
	if got.code != exitOK || !strings.Contains(got.stdout, "3 of 6 questions") || !strings.Contains(got.stdout, "60 solutions to draw") {
		t.Errorf("exit code %d, output %q, error %q", got.code, got.stdout, got.stderr)
	}
	if len(p.server.Calls()) != 0 {
		t.Error("the plan asked the server")
	}
	if _, err := os.Stat(p.path("out")); err == nil {
		t.Error("the plan made the folder")
	}
}

// TestReproduceWithoutARefusedQuestion: the run stops at a question that the server
// refuses, and with --keep-going measures the others.
func TestReproduceWithoutARefusedQuestion(t *testing.T) {
	p := newTableProtocol(t, rcvaetest.Script{Fault: func(c rcvaetest.Call) *rcvaetest.Fault {
		if strings.HasPrefix(c.Question, "half number 2") {
			return &rcvaetest.Fault{Status: 400, Message: "not this one"}
		}
		return nil
	}})
	if got := rcvaeRun(t, "", p.args("out")...); got.code != exitFailure || !strings.Contains(got.stderr, "m1") || !strings.Contains(got.stderr, "--keep-going") {
		t.Fatalf("exit code %d, error %q, want the question and the flag", got.code, got.stderr)
	}
	for _, row := range p.table(t, p.args("out", "--keep-going")).Rows {
		if n := row.Cells["math"]["honest"].N; n != tableQuestions-1 {
			t.Errorf("%s is measured on %d questions, want all but one", row.Name, n)
		}
		if n := row.Cells["gsm8k"]["honest"].N; n != tableQuestions {
			t.Errorf("%s is measured on %d questions of the other suite, want all", row.Name, n)
		}
	}
}

func TestReproduceRefusals(t *testing.T) {
	p := newTableProtocol(t, rcvaetest.Script{})
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no files":         {[]string{"reproduce", "--llm", "m", "--out", p.path("o")}, exitUsage, "--test"},
		"no model's name":  {[]string{"reproduce", "--out", p.path("o")}, exitUsage, "--llm"},
		"suite":            {p.args("o", "--suite", "aime"), exitUsage, "aime"},
		"suite of a file":  {p.args("o", "--test", "aime=x"), exitUsage, "SUITE=FILE"},
		"both sources":     {p.args("o", "--from-pool", "math=x"), exitUsage, "exclude"},
		"gold":             {p.args("o", "--gold", "half"), exitUsage, "--gold"},
		"prompt":           {p.args("o", "--prompt", "none"), exitUsage, "--prompt"},
		"no embedder":      {p.args("o", "--embedder", "none"), exitUsage, "name an embedder"},
		"embedder":         {p.args("o", "--embedder", p.path("nothing")), exitFailure, "there is no such file"},
		"test in training": {p.args("o", "--train-pool", p.leak(t)), exitFailure, "test question g0"},
	} {
		if got := rcvaeRun(t, "", tt.args...); got.code != tt.code || !strings.Contains(got.stderr, tt.want) {
			t.Errorf("%s: exit code %d, error %q, want %d and %q", name, got.code, got.stderr, tt.code, tt.want)
		}
		if _, err := os.Stat(p.path("o")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want that nothing was begun", name, err)
		}
	}
}

// leak writes a training pool with a test question.
func (p tableProtocol) leak(t *testing.T) string {
	t.Helper()
	path := p.path("leak.jsonl")
	line := `{"id":"x","question":"whole number 1 of things?","answer":"1","candidates":[{"text":"1","answer":"1","correct":true}]}` + "\n"
	if err := os.WriteFile(path, []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
