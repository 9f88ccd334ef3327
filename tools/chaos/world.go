package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// world is what undisturbed runs wrote, and the server that trials draw from.
type world struct {
	binary, dir string
	server      *server

	took  map[string]time.Duration // of an undisturbed run, by command
	wrote map[string][]byte        // by command
}

const (
	questions  = 40
	candidates = 4
)

// arguments are the command lines. Paths are relative, so that what is written does not
// depend on where.
func (w *world) arguments(command string) []string {
	base := []string{command, "--quiet"}
	switch command {
	case "train":
		return append(base, "--pool", "pool.jsonl", "--out", "out", "--cache", "cache.sqlite", "--epochs", "40", "--hidden", "128", "--latent", "16", "--resume")
	case "embed":
		return append(base, "--in", "texts.txt", "--out", "out", "--cache", "own.sqlite")
	case "eval":
		return append(base, "--pool", "pool.jsonl", "--selector", "majority", "--selector", "consensus", "--model", "none", "--out", "out", "--cache", "cache.sqlite", "--subsets", "200")
	case "sample":
		return append(base, "--problems", "problems.jsonl", "--upstream", w.server.url, "--llm", "m", "-k", "3", "--out", "out", "--concurrency", "4", "--keep-going=false")
	}
	panic("no such command: " + command)
}

func commands() []string { return []string{"train", "embed", "eval", "sample"} }

func newWorld(ctx context.Context, binary, dir string) (*world, error) {
	w := &world{binary: binary, dir: filepath.Join(dir, "undisturbed"), took: map[string]time.Duration{}, wrote: map[string][]byte{}}
	var err error
	if w.server, err = startServer(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(w.dir, 0o755); err != nil {
		return nil, err
	}
	if err := writeInputs(w.dir); err != nil {
		return nil, err
	}
	for _, c := range commands() {
		if w.wrote[c], err = w.undisturbed(ctx, c); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) close() { w.server.close() }

// undisturbed runs a command twice, which must write the same: the second time is the one
// that is measured, on a filled cache.
func (w *world) undisturbed(ctx context.Context, command string) (first []byte, err error) {
	for try := range 2 {
		start := time.Now()
		if r := w.run(ctx, w.dir, 0, w.arguments(command)...); r.code != 0 {
			return nil, fmt.Errorf("%s: exit code %d: %s", command, r.code, r.stderr)
		}
		w.took[command] = time.Since(start)
		data, err := os.ReadFile(filepath.Join(w.dir, "out"))
		if err != nil {
			return nil, err
		}
		if try > 0 && !bytes.Equal(first, data) {
			return nil, fmt.Errorf("%s: two undisturbed runs differ", command)
		}
		first = data
		for _, name := range left(w.dir) {
			if name == "out" || strings.HasPrefix(name, "out.") {
				_ = os.Remove(filepath.Join(w.dir, name))
			}
		}
		if command == "embed" {
			_ = os.Remove(filepath.Join(w.dir, "own.sqlite"))
		}
	}
	return first, nil
}

// prepare copies the inputs and the filled cache into a trial's folder.
func (w *world) prepare(dir string) error {
	for _, name := range []string{"pool.jsonl", "problems.jsonl", "texts.txt", "cache.sqlite"} {
		data, err := os.ReadFile(filepath.Join(w.dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// result is what a run did.
type result struct {
	code   int
	killed bool
	stderr string
}

// longest is how long any run may take: a program that waits for ever is a failure.
const longest = 2 * time.Minute

// run runs the program in a folder and kills it after a while, 0 for never.
func (w *world) run(ctx context.Context, dir string, kill time.Duration, args ...string) result {
	return w.exec(ctx, dir, kill, w.binary, args...)
}

func (w *world) exec(ctx context.Context, dir string, kill time.Duration, name string, args ...string) result {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.SysProcAttr = dir, apart()
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CACHE_HOME="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return result{code: -1, stderr: err.Error()}
	}
	if kill > 0 {
		timer := time.AfterFunc(kill, func() { _ = cmd.Process.Kill() }) // it may have ended
		defer timer.Stop()
	}
	err := cmd.Wait()
	r := result{stderr: stderr.String()}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code, r.killed = exit.ExitCode(), exit.ExitCode() < 0 && ctx.Err() == nil
	} else if err != nil {
		r.code = -1
	}
	if ctx.Err() != nil {
		r.stderr += fmt.Sprintf("\nit did not end in %v", longest)
	}
	return r
}

// apart keeps what a terminal sends when it interrupts us from what we started, which is
// ended by its context.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// pause waits, not beyond the end of the context.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// left returns the names of the files in a folder.
func left(dir string) (names []string) {
	entries, _ := os.ReadDir(dir) // an empty list is noticed
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// leftOver returns an error for files that a finished run leaves behind.
func leftOver(dir string) error {
	for _, name := range left(dir) {
		for _, end := range []string{".tmp", ".lock", ".partial", ".checkpoint", "-wal", "-shm"} {
			if strings.HasSuffix(name, end) {
				return fmt.Errorf("a finished run left %s", name)
			}
		}
	}
	return nil
}

// same compares what a trial wrote with what an undisturbed run does.
func (w *world) same(dir, command string) error {
	data, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil {
		return err
	}
	if !bytes.Equal(data, w.wrote[command]) {
		return fmt.Errorf("%s wrote other bytes than an undisturbed run", command)
	}
	return nil
}
