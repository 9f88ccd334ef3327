package rcvae_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rcvae"
	"rcvae/dataset"
)

// TestOutsideModule builds and runs a program of another module, as the README says: no
// public package needs an internal type.
func TestOutsideModule(t *testing.T) {
	if testing.Short() {
		t.Skip("building another module takes some seconds")
	}
	module := moduleOf(t)
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source, err := os.ReadFile(filepath.Join("testdata", "outside", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, requirements, _ := strings.Cut(string(own), "\n\n") // after the module's name
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("main.go", string(source))
	write("go.sum", string(sums))
	write("go.mod", "module outside\n\n"+requirements+"\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+here+"\n")
	if err := dataset.SavePool(filepath.Join(dir, "pool.jsonl"), twelve()); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("go", "run", "-mod=mod", ".", "pool.jsonl")
	command.Dir = dir
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"chosen: 7\n", "measured: vote:fewest-lines on 12 questions\n", "trained: contrastive\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("output %q, want %q in it", out, want)
		}
	}
}

// twelve returns questions with a correct and an incorrect candidate each.
func twelve() []rcvae.Question {
	var out []rcvae.Question
	for i := range 12 {
		q := rcvae.Question{Problem: rcvae.Problem{ID: fmt.Sprint("sum-", i), Question: fmt.Sprintf("What is %d + 1?", i), Answer: fmt.Sprint(i + 1)}}
		for j, verdict := range []rcvae.Verdict{rcvae.Correct, rcvae.Incorrect} {
			text := fmt.Sprintf("%d + 1 = %d", i, i+1+j)
			q.Candidates = append(q.Candidates, rcvae.Candidate{Text: text, Answer: fmt.Sprint(i + 1 + j), AnswerFrom: "number", Verdict: verdict})
		}
		out = append(out, q)
	}
	return out
}
