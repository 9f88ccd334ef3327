package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/builtin"
	"rcvae/embed/minilm"
)

func TestBuiltinModelBelongsToItsEmbedder(t *testing.T) {
	model, err := loadModel(builtin.Math)
	if err != nil {
		t.Fatal(err)
	}
	embedder, err := newEmbedder(t.Context(), minilm.NameMath, embedderSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if fp := model.Info().Fingerprint; !fp.Same(embedder.Fingerprint()) {
		t.Errorf("the model was trained on %v, want %v", fp, embedder.Fingerprint())
	}
	if command := string(model.Provenance()); !strings.Contains(command, "rcvae train") {
		t.Errorf("provenance %s, want the command that made the model", command)
	}
}

// Without --model and --embedder the built-in model chooses, on its own embedder.
func TestSelectNeedsNoModel(t *testing.T) {
	const candidates = "She has 3 + 4 = 7 apples. The answer is \\boxed{7}.\nShe has 3 - 4 = 1 apples. The answer is \\boxed{1}.\n"
	question := "Ann has 3 apples and buys 4 more. How many apples does she have?"
	got := rcvaeRun(t, candidates, "select", "--question", question, "--cache", "none")
	if got.code != exitOK || !strings.Contains(got.stdout, "7 apples") {
		t.Errorf("exit code %d, %q %q, want the right candidate", got.code, got.stdout, got.stderr)
	}
}

// A JSON array is read as its elements, and a file of blank lines has no candidate.
func TestSelectReadsAnArray(t *testing.T) {
	for _, list := range []string{`["5", "6"]`, "[\n  {\"text\": \"5\"},\n  {\"text\": \"6\"}\n]"} {
		got := rcvaeRun(t, list+"\n", "select", "--question", "2+3?", "--selector", "majority", "--json")
		if got.code != exitOK || !strings.Contains(strings.Join(strings.Fields(got.stdout), ""), `"answers":["5","6"]`) {
			t.Errorf("%s: exit code %d, %s %s, want two candidates", list, got.code, got.stdout, got.stderr)
		}
	}
	if got := rcvaeRun(t, "\n \n", "select", "--question", "2+3?", "--selector", "majority"); got.code != exitFailure || !strings.Contains(got.stderr, "has no candidate") {
		t.Errorf("blank lines: exit code %d, %q, want that there is no candidate", got.code, got.stderr)
	}
}

// A choice against a wrong equation says which, and --explain shows all of them.
func TestSelectNamesWrongEquations(t *testing.T) {
	const candidates = "She has 3 + 4 = 7 apples. The answer is \\boxed{7}.\nShe has 3 + 4 = 8 apples. The answer is \\boxed{8}.\n"
	question := "Ann has 3 apples and buys 4 more. How many apples does she have?"
	got := rcvaeRun(t, candidates, "select", "--question", question, "--cache", "none", "--json", "--explain")
	if got.code != exitOK || !strings.Contains(got.stdout, "candidate 2 says 3 + 4 = 8, which should be 7") {
		t.Errorf("exit code %d, %q, want a reason that names the wrong equation", got.code, got.stdout)
	}
	var chosen choice
	if err := json.Unmarshal([]byte(got.stdout), &chosen); err != nil || len(chosen.Equations) != 2 || len(chosen.Equations[1]) != 1 {
		t.Fatalf("%q, %v, want the equations of two candidates", got.stdout, err)
	}
	if e := chosen.Equations[1][0]; e.Holds || e.Want != "7" || e.Text != "3 + 4 = 8" || e.Start != 8 || !chosen.Equations[0][0].Holds {
		t.Errorf("equations %+v, want the second to be wrong", chosen.Equations)
	}
	got = rcvaeRun(t, candidates, "select", "--question", question, "--cache", "none", "--explain")
	for _, line := range []string{"candidate 1: 1 equation was checked, 0 are wrong", "candidate 2: 1 equation was checked, 1 is wrong", "3 + 4 = 8    should be 7"} {
		if !strings.Contains(got.stderr, line) {
			t.Errorf("--explain printed %q, want %q in it", got.stderr, line)
		}
	}
	if got := rcvaeRun(t, candidates, "select", "--question", question, "--model", "none", "--selector", "majority", "--json"); strings.Contains(got.stdout, "should be") {
		t.Errorf("majority gives the reason %q, which no rule of it used", got.stdout)
	}
}

func TestModelNamesAreChecked(t *testing.T) {
	for name, models := range map[string][]string{
		"unknown built-in model": {"builtin:physics"},
		"none and another":       {"none", builtin.Math},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"select", "--question", "q", "--candidates", "-", "--cache", "none"}
			for _, m := range models {
				args = append(args, "--model", m)
			}
			if got := rcvaeRun(t, "7\n", args...); got.code != exitUsage {
				t.Errorf("exit code %d, want 2: %s", got.code, got.stderr)
			}
		})
	}
}

// A model of signals alone is measured without an embedder: the rules that read
// embeddings are left out.
func TestEvalWithoutAnEmbedder(t *testing.T) {
	dir := t.TempDir()
	pool, model := filepath.Join(dir, "pool.jsonl"), filepath.Join(dir, "signals.rcvae")
	var lines strings.Builder
	for i := range 40 {
		fmt.Fprintf(&lines, `{"id":"q%d","question":"Ann has %d apples and buys 4 more. How many apples has she?","answer":"%d","candidates":[`+
			`{"text":"She has %d + 4 = %d.","answer":"%d","correct":true},{"text":"She has %d + 4 = %d.","answer":"%d","correct":false}]}`+"\n",
			i, i, i+4, i, i+4, i+4, i, i+5, i+5)
	}
	if err := os.WriteFile(pool, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := rcvaeRun(t, "", "train", "--embedder", "none", "--pool", pool, "--out", model, "--epochs", "1"); got.code != exitOK {
		t.Fatalf("train: exit code %d: %s", got.code, got.stderr)
	}
	for _, args := range [][]string{{"--model", model}, {"--model", "builtin:signals"}, {"--model", "none", "--embedder", "none"}} {
		got := rcvaeRun(t, "", append([]string{"eval", "--pool", pool, "--cache", "none"}, args...)...)
		if got.code != exitOK || !strings.Contains(got.stdout, "vote:signals") && !strings.Contains(got.stdout, "vote:entropy") || strings.Contains(got.stdout, "consensus") {
			t.Errorf("eval %v: exit code %d: %s%s, want a table without consensus", args, got.code, got.stdout, got.stderr)
		}
	}
	if got := rcvaeRun(t, "", "inspect", model); !strings.Contains(got.stdout, "none: signals alone") {
		t.Errorf("inspect: %s, want that there is no embedder", got.stdout)
	}
}
