package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rcvae/cvae"
	"rcvae/internal/atomicfile"
)

// interrupted trains until the log has two lines, and returns false when training was
// faster than that.
func interrupted(t *testing.T, args []string, log string) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	var stderr bytes.Buffer
	go func() { done <- run(ctx, args, strings.NewReader(""), &bytes.Buffer{}, &stderr) }()
	for {
		select {
		case code := <-done:
			cancel()
			return code != exitOK
		default:
			if data, _ := os.ReadFile(log); bytes.Count(data, []byte("\n")) >= 2 {
				cancel()
			}
		}
	}
}

// TestResumedTrainingIsTheUninterruptedOne, byte for byte, and its log has every epoch
// once, also when a kill came between the log line of an epoch and its checkpoint.
func TestResumedTrainingIsTheUninterruptedOne(t *testing.T) {
	f := newFixture(t)
	args := []string{"train", "--pool", f.pool, "--out", "m.rcvae", "--cache", f.cache, "--epochs", "12"}
	whole, parts := t.TempDir(), t.TempDir()
	t.Chdir(whole)
	if got := rcvaeRun(t, "", args...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	t.Chdir(parts)
	if !interrupted(t, args, "m.rcvae.log.jsonl") {
		t.Skip("training was faster than the interruption")
	}
	log, err := os.OpenFile("m.rcvae.log.jsonl", os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = log.WriteString(`{"epoch":3,"epochs":12}` + "\n" + `{"epoch":4,"ep`)
	}
	if err != nil {
		t.Fatal(err)
	}
	log.Close()
	if got := rcvaeRun(t, "", args...); got.code != exitUsage || !strings.Contains(got.stderr, "--resume") {
		t.Errorf("the command without --resume: exit code %d, %q, want it to ask", got.code, got.stderr)
	}
	if got := rcvaeRun(t, "", append(args, "--resume", "--seed", "9")...); got.code != exitFailure {
		t.Errorf("another seed: exit code %d, want it refused", got.code)
	}
	if left, _ := os.ReadFile("m.rcvae.log.jsonl"); !bytes.Contains(left, []byte(`{"epoch":4,"ep`)) {
		t.Error("a refused resume changed the log")
	}
	if got := rcvaeRun(t, "", append(args, "--resume")...); got.code != exitOK {
		t.Fatalf("resume: exit code %d\n%s", got.code, got.stderr)
	}
	a, _ := os.ReadFile(filepath.Join(whole, "m.rcvae"))
	b, err := os.ReadFile("m.rcvae")
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the resumed model has other bytes than the uninterrupted one (%v)", err)
	}
	checkLog(t, "m.rcvae.log.jsonl")
}

// checkLog checks that the epochs of a training log are 1, 2, 3, …
func checkLog(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		var e cvae.EpochLog
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Epoch != i+1 || e.LearningRate == 0 {
			t.Errorf("line %d of the log is %q, want epoch %d", i+1, line, i+1)
		}
	}
}

// TestOneTrainingPerOutput: a second one on the same model or the same log is told who has
// it, and writes nothing.
func TestOneTrainingPerOutput(t *testing.T) {
	f := newFixture(t)
	for flag, path := range map[string]string{"--out": f.path("m.rcvae"), "--log": f.path("log.jsonl")} {
		lock, err := atomicfile.Acquire(path, "rcvae train --seed=7")
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"train", "--pool", f.pool, "--cache", f.cache, "--epochs", "1", flag, path}
		if flag == "--log" {
			args = append(args, "--out", f.path("other.rcvae"))
		}
		if got := rcvaeRun(t, "", args...); got.code != exitFailure || !strings.Contains(got.stderr, "rcvae train --seed=7") {
			t.Errorf("%s: exit code %d, error %q, want it told who trains", flag, got.code, got.stderr)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was written beside another process", flag)
		}
		lock.Release()
	}
}
