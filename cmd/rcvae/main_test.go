package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// result is what one command line did.
type result struct {
	code           int
	stdout, stderr string
}

// rcvae runs a command line in the test's own process.
func rcvaeRun(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), args, strings.NewReader(stdin), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUsageErrorsExitWith2(t *testing.T) {
	for name, args := range map[string][]string{
		"unknown command":    {"trian"},
		"unknown flag":       {"train", "--polo", "x"},
		"bad value":          {"train", "--epochs", "many"},
		"nothing to train":   {"train", "--out", "m.rcvae"},
		"no output":          {"train", "--pool", "p.jsonl"},
		"positional":         {"train", "file"},
		"unknown objective":  {"train", "--pool", "p.jsonl", "--out", "m.rcvae", "--objective", "elbo"},
		"pool needed":        {"train", "--problems", "p.jsonl", "--out", "m.rcvae", "--objective", "contrastive"},
		"unknown selector":   {"select", "--question", "q", "--selector", "entropie"},
		"unknown kind":       {"grade", "--kind", "aime", "--gold", "1", "--answer", "1"},
		"half a comparison":  {"grade", "--gold", "1"},
		"no model":           {"inspect"},
		"unknown embedder":   {"embed", "--embedder", "bert-xl", "--cache", "none"},
		"embedders, no verb": {"embedders"},
	} {
		t.Run(name, func(t *testing.T) {
			stdin := "text\n"
			got := rcvaeRun(t, stdin, args...)
			if got.code != exitUsage {
				t.Errorf("rcvae %s: exit code %d, want %d\n%s", strings.Join(args, " "), got.code, exitUsage, got.stderr)
			}
			if got.stdout != "" {
				t.Errorf("rcvae %s wrote %q to standard output, want nothing", strings.Join(args, " "), got.stdout)
			}
			if !strings.HasPrefix(got.stderr, "rcvae: ") || !strings.Contains(got.stderr, "--help") {
				t.Errorf("rcvae %s said %q, want an error and where help is", strings.Join(args, " "), got.stderr)
			}
		})
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if c.Short == "" || c.Short != strings.TrimSuffix(c.Short, ".") {
			t.Errorf("%s: short help %q, want a phrase without a full stop", c.Name(), c.Short)
		}
		got := rcvaeRun(t, "", c.Name(), "--help")
		if got.code != exitOK || !strings.Contains(got.stdout, "Usage:") {
			t.Errorf("rcvae %s --help: exit code %d, output %q", c.Name(), got.code, got.stdout)
		}
	}
}

func TestSettingsPrecedence(t *testing.T) {
	settings := writeFile(t, "settings.yaml", "grader: math\ngrade:\n  gold: '1/2'\n")
	t.Setenv("RCVAE_ANSWER", `\frac{1}{2}`)
	t.Run("file and environment fill flags", func(t *testing.T) {
		got := rcvaeRun(t, "", "grade", "--config", settings)
		if got.code != exitOK || !strings.Contains(got.stdout, `"correct"`) {
			t.Errorf("exit code %d, output %q, want a verdict correct\n%s", got.code, got.stdout, got.stderr)
		}
	})
	t.Run("a flag beats both", func(t *testing.T) {
		got := rcvaeRun(t, "", "grade", "--config", settings, "--answer", "3", "--gold", "3")
		if !strings.Contains(got.stdout, `"correct"`) {
			t.Errorf("output %q, want a verdict correct\n%s", got.stdout, got.stderr)
		}
	})
	t.Run("an unknown key is an error", func(t *testing.T) {
		bad := writeFile(t, "bad.yaml", "grader: math\nepoch: 3\n")
		got := rcvaeRun(t, "", "grade", "--config", bad)
		if got.code != exitUsage || !strings.Contains(got.stderr, "epoch") {
			t.Errorf("exit code %d, error %q, want 2 and the key's name", got.code, got.stderr)
		}
	})
}

func TestGradeLines(t *testing.T) {
	stdin := `{"kind":"gsm8k","gold":"#### 1,000","answer":"So \\boxed{1000} apples."}
{"kind":"math","gold":"\\frac{1}{2}","answer":"The answer is $\\boxed{\\frac12}$."}
{"gold":"7","answer":"I do not know."}
{"gold":"7","answer":"The answer is 8."}
`
	got := rcvaeRun(t, stdin, "grade")
	want := []string{"correct", "correct", "no_answer", "incorrect"}
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d verdicts, want %d\n%s%s", len(lines), len(want), got.stdout, got.stderr)
	}
	for i, line := range lines {
		if !strings.Contains(line, `"verdict":"`+want[i]+`"`) {
			t.Errorf("line %d: %s, want %s", i+1, line, want[i])
		}
	}
	bad := rcvaeRun(t, "{\"gold\":\"7\",\"answer\":\"7\"}\n{\"gold\":\"7\"}\n", "grade")
	if bad.code != exitFailure || !strings.Contains(bad.stderr, "standard input:2") {
		t.Errorf("a line without an answer: exit code %d, error %q, want 1 and the line", bad.code, bad.stderr)
	}
}

func TestShellCompletion(t *testing.T) {
	got := rcvaeRun(t, "", "__complete", "train", "--pool", "p", "--objective", "")
	for _, want := range []string{"paper", "authors", "contrastive", "ratio"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("completion of --objective offers %q, want %s in it", got.stdout, want)
		}
	}
	if got := rcvaeRun(t, "", "completion", "bash"); got.code != exitOK || !strings.Contains(got.stdout, "bash completion") {
		t.Errorf("completion bash: exit code %d", got.code)
	}
}
