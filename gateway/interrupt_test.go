package gateway_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// exitInterrupted is a shell's exit code of a program that was interrupted.
const exitInterrupted = 130

// interrupted is set when a signal has ended a long test.
var interrupted atomic.Bool

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && interrupted.Load() {
		code = exitInterrupted
	}
	os.Exit(code)
}

// untilInterrupted returns a context that a signal ends, so that a long test can say what
// it has done. A second signal ends the process.
func untilInterrupted(t *testing.T) context.Context {
	t.Helper()
	if interrupted.Load() {
		t.Skip("interrupted")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	t.Cleanup(func() {
		if ctx.Err() != nil {
			interrupted.Store(true)
			t.Log("interrupted")
		}
		stop()
	})
	return ctx
}

// TestAnInterruptedSoakSaysWhatWasTried: it ends its gateway, prints how many requests
// were made, leaves out what comes behind it, and its exit code is that of an interrupt.
func TestAnInterruptedSoakSaysWhatWasTried(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be asked to end there")
	}
	soak := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^Test(Soak|LargeRequestsShareTheirBytes)$", "-test.v")
	pipe, err := soak.StdoutPipe()
	if err == nil {
		err = soak.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		output.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "a gateway listens on") {
			if err := soak.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = soak.Wait() // the exit code tells
	if code := soak.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	for _, want := range []string{" requests of at least 1", " 0 failed", "interrupted", "SKIP: TestLargeRequestsShareTheirBytes"} {
		if !strings.Contains(output.String(), want) {
			t.Errorf("%q is not in what it printed:\n%s", want, output.String())
		}
	}
}
