package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stub is a program that writes the same whatever it is asked to do. Asked to wait it says
// who it is and waits for ever.
const stub = `#!/bin/sh
if [ "$1" = wait ]; then echo $$ >pid.tmp; mv pid.tmp pid; exec sleep 1000; fi
echo "$1" >out
`

// interrupted returns a trial that starts a program which never ends, and ends the
// context when it runs.
func interrupted(cancel context.CancelFunc, pid *string) trial {
	return trial{"interrupted", func(ctx context.Context, w *world, _ *rand.Rand, dir string) (string, error) {
		go func() {
			for path := filepath.Join(dir, "pid"); ; {
				if data, err := os.ReadFile(path); err == nil {
					*pid = strings.TrimSpace(string(data))
					cancel()
					return
				}
			}
		}()
		r := w.run(ctx, dir, 0, "wait")
		return "killed", fmt.Errorf("exit code %d", r.code)
	}}
}

// TestAnInterruptedRunSaysWhatWasTried: children are gone, what was done is printed with
// the seed, and the folder stays only for failed trials.
func TestAnInterruptedRunSaysWhatWasTried(t *testing.T) {
	lost := errors.New("lost")
	for _, c := range []struct {
		name  string
		first error
		code  int
		want  string
	}{
		{"nothing had failed", nil, exitInterrupted, "| all, in 0s | 1 | 1 | 0 |"},
		{"something had failed", lost, exitFailed, "| all, in 0s | 1 | 1 | 1 |"},
	} {
		t.Run(c.name, func(t *testing.T) {
			binary := filepath.Join(t.TempDir(), "rcvae")
			if err := os.WriteFile(binary, []byte(stub), 0o755); err != nil {
				t.Fatal(err)
			}
			temporary := t.TempDir()
			t.Setenv("TMPDIR", temporary)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var out strings.Builder
			var pid string
			first := trial{"first", func(context.Context, *world, *rand.Rand, string) (string, error) { return "disturbed", c.first }}
			k := &campaign{seed: 7, limit: time.Hour, all: []trial{first, interrupted(cancel, &pid)}, out: &out}
			code, err := k.chaos(ctx, binary)
			if code != c.code || err != nil {
				t.Errorf("exit code %d, %v, want %d", code, err, c.code)
			}
			for _, want := range []string{"seed 7", "interrupted", "| first | 1 | 1 |", "| interrupted | 0 | 0 | 0 |", c.want} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in what it printed:\n%s", want, out.String())
				}
			}
			if id, err := strconv.Atoi(pid); err != nil || !errors.Is(syscall.Kill(id, 0), syscall.ESRCH) {
				t.Errorf("process %s is still there (%v)", pid, err)
			}
			if kept := len(left(temporary)) > 0; kept != (c.first != nil) {
				t.Errorf("left in the temporary folder: %q", left(temporary))
			}
		})
	}
}
