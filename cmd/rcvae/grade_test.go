package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestGradeLevelsOfLines(t *testing.T) {
	stdin := strings.Join([]string{
		`{"kind": "math", "gold": "x^2-9", "answer": "So it is $\\boxed{(x+3)(x-3)}$."}`,
		``,
		`{"kind": "math", "level": "string", "gold": "x^2-9", "answer": "\\boxed{(x+3)(x-3)}"}`,
		`{"gold": "#### 7", "answer": "I cannot say"}`,
		`{"kind": "math", "gold": "5", "answer": "\\boxed{9^{9^{9^{9}}}}"}`,
	}, "\n")
	got := rcvaeRun(t, stdin, "grade")
	if got.code != exitOK {
		t.Fatalf("exit code %d: %s", got.code, got.stderr)
	}
	type verdict struct {
		Verdict, Rule, Level, Extracted string
		DecidedBy                       string `json:"decided_by"`
		GoldForm                        string `json:"gold_form"`
		AnswerForm                      string `json:"answer_form"`
	}
	want := []verdict{
		{"correct", "boxed", "symbolic", "(x+3)(x-3)", "points", "x^2-9", "(x+3)(x-3)"},
		{"incorrect", "boxed", "string", "(x+3)(x-3)", "string", "x^2-9", "(x+3)(x-3)"},
		{"no_answer", "", "numeric", "", "", "7", ""},
		{"ungraded", "budget", "symbolic", "9^{9^{9^{9}}}", "budget", "=5", "9^{9^{9^9}}"},
	}
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), got.stdout)
	}
	for i, line := range lines {
		var v verdict
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if v != want[i] {
			t.Errorf("line %d: %+v, want %+v", i, v, want[i])
		}
	}
}

func TestGradeExplains(t *testing.T) {
	got := rcvaeRun(t, "", "grade", "--grader", "math", "--gold", `(1,\infty)`, "--answer", `\boxed{x>1}`, "--explain")
	for _, want := range []string{"correct\n", "x>1   found in the last box", `gold form    (1,\infty)`, "answer form  x>1", "decided by   set, at level symbolic"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("--explain prints\n%swant %q in it", got.stdout, want)
		}
	}
	got = rcvaeRun(t, "", "grade", "--gold", "5", "--answer", "no idea", "--explain")
	if !strings.Contains(got.stdout, "no_answer\n  answer       none found\n") {
		t.Errorf("--explain without an answer prints\n%s", got.stdout)
	}
}

func TestGradeFailures(t *testing.T) {
	for name, test := range map[string]struct {
		stdin, want string
		code        int
		args        []string
	}{
		"unknown level":         {"", "symbolic", exitUsage, []string{"grade", "--level", "exact", "--gold", "1", "--answer", "1"}},
		"unknown level in line": {`{"gold": "1", "answer": "1", "level": "exact"}`, "standard input:1: unknown level", exitFailure, []string{"grade"}},
		"unknown kind in line":  {`{"gold": "1", "answer": "1"}` + "\n" + `{"kind": "aime", "gold": "1", "answer": "1"}`, "standard input:2: unknown grader", exitFailure, []string{"grade"}},
		"no gold":               {`{"answer": "1"}`, `"gold" and "answer"`, exitFailure, []string{"grade"}},
		"no JSON":               {`1`, "standard input:1", exitFailure, []string{"grade"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := rcvaeRun(t, test.stdin, test.args...)
			if got.code != test.code || !strings.Contains(got.stderr, test.want) {
				t.Errorf("exit code %d, %q, want %d and %q", got.code, got.stderr, test.code, test.want)
			}
		})
	}
}
