package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// fullDisk lets no file grow beyond a random size. The command writes what an undisturbed
// run does, or fails with a word and leaves the old output as it was.
func fullDisk(ctx context.Context, w *world, rng *rand.Rand, dir string) (string, error) {
	if err := w.prepare(dir); err != nil {
		return "", err
	}
	command := commands()[rng.IntN(4)]
	old := []byte{}
	if command == "embed" || command == "eval" {
		old = w.wrote[command]
		if err := os.WriteFile(filepath.Join(dir, "out"), old, 0o644); err != nil {
			return "", err
		}
	}
	blocks := 1 + rng.IntN(600) // of 512 or 1024 bytes, as the shell counts
	script := fmt.Sprintf("ulimit -f %d; exec \"$0\" \"$@\"", blocks)
	r := w.exec(ctx, dir, 0, "sh", append([]string{"-c", script, w.binary}, w.arguments(command)...)...)
	what := fmt.Sprintf("%s, %d blocks", command, blocks)
	if r.code == 0 {
		return what, w.same(dir, command)
	}
	if r.code != 1 || !strings.Contains(r.stderr, "too large") && !strings.Contains(r.stderr, "full") && !strings.Contains(r.stderr, "disk") {
		return what, fmt.Errorf("exit code %d, and it did not say why: %s", r.code, r.stderr)
	}
	now, err := os.ReadFile(filepath.Join(dir, "out"))
	if len(old) > 0 && (err != nil || !bytes.Equal(now, old)) {
		return what, fmt.Errorf("the old output is gone or another: %w", err)
	}
	for _, name := range left(dir) {
		if strings.HasSuffix(name, ".tmp") {
			return what, fmt.Errorf("a failed run left %s", name)
		}
	}
	if r := w.run(ctx, dir, 0, w.arguments(command)...); r.code != 0 { // there is room again
		return what, fmt.Errorf("with room again: exit code %d: %s", r.code, r.stderr)
	}
	return what, errors.Join(w.same(dir, command), leftOver(dir))
}

// flippedBits damages one file. What reads it says so and names the file, or does what it
// does without the damage.
func flippedBits(ctx context.Context, w *world, rng *rand.Rand, dir string) (string, error) {
	if err := w.prepare(dir); err != nil {
		return "", err
	}
	kind := []string{"cache", "model", "checkpoint", "settings", "pool with a checksum"}[rng.IntN(5)]
	switch kind {
	case "cache":
		what, err := flip(rng, filepath.Join(dir, "cache.sqlite"))
		if err == nil {
			err = w.readsOrSays(ctx, dir, "eval", "cache.sqlite", w.arguments("eval"))
		}
		return kind + " " + what, err
	case "model":
		path := filepath.Join(dir, "m.rcvae")
		if err := os.WriteFile(path, w.wrote["train"], 0o644); err != nil {
			return "", err
		}
		what, err := flip(rng, path)
		if err == nil {
			err = w.refuses(ctx, dir, "m.rcvae", "inspect", "m.rcvae")
		}
		return kind + " " + what, err
	case "checkpoint":
		return w.flippedCheckpoint(ctx, rng, dir)
	case "settings":
		return w.flippedSettings(ctx, rng, dir)
	}
	return w.flippedPool(ctx, rng, dir)
}

// flip changes one bit of a file.
func flip(rng *rand.Rand, path string) (what string, err error) {
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 {
		return "", fmt.Errorf("nothing to damage: %w", err)
	}
	at, bit := rng.IntN(len(data)), rng.IntN(8)
	data[at] ^= 1 << bit
	return fmt.Sprintf("byte %d, bit %d", at, bit), os.WriteFile(path, data, 0o644)
}

// refuses runs a command that must fail and name the file.
func (w *world) refuses(ctx context.Context, dir, file string, args ...string) error {
	if r := w.run(ctx, dir, 0, args...); r.code != 1 && r.code != 2 || !strings.Contains(r.stderr, file) {
		return fmt.Errorf("exit code %d, want it refused and %s named: %s", r.code, file, r.stderr)
	}
	return nil
}

// readsOrSays runs a command that must write what an undisturbed run does, or fail and
// name the file.
func (w *world) readsOrSays(ctx context.Context, dir, command, file string, args []string) error {
	r := w.run(ctx, dir, 0, args...)
	if r.code == 0 {
		return w.same(dir, command)
	}
	if r.code > 2 || !strings.Contains(r.stderr, file) {
		return fmt.Errorf("exit code %d, want %s named: %s", r.code, file, r.stderr)
	}
	return nil
}

func (w *world) flippedCheckpoint(ctx context.Context, rng *rand.Rand, dir string) (string, error) {
	if r := w.run(ctx, dir, w.took["train"]*2/3, w.arguments("train")...); !r.killed {
		return "", nil // it was faster
	}
	path := filepath.Join(dir, "out.checkpoint")
	if _, err := os.Stat(path); err != nil {
		return "", nil //nolint:nilerr // it was killed before the first
	}
	what, err := flip(rng, path)
	if err == nil {
		err = w.readsOrSays(ctx, dir, "train", "out.checkpoint", w.arguments("train"))
	}
	return "checkpoint " + what, err
}

func (w *world) flippedSettings(ctx context.Context, rng *rand.Rand, dir string) (string, error) {
	path := filepath.Join(dir, "rcvae.yaml")
	if err := os.WriteFile(path, []byte("# of chaos\neval:\n  k: [2, 4]\n  seed: 1\n"), 0o644); err != nil {
		return "", err
	}
	what, err := flip(rng, path)
	if err != nil {
		return "", err
	}
	r := w.run(ctx, dir, 0, w.arguments("eval")...)
	if r.code != 0 && !strings.Contains(r.stderr, "rcvae.yaml") {
		return "settings " + what, fmt.Errorf("exit code %d, want rcvae.yaml named: %s", r.code, r.stderr)
	}
	return "settings " + what, nil // another valid value cannot be told from the one meant
}

func (w *world) flippedPool(ctx context.Context, rng *rand.Rand, dir string) (string, error) {
	if r := w.run(ctx, dir, 0, w.arguments("sample")...); r.code != 0 {
		return "", fmt.Errorf("sample: %s", r.stderr)
	}
	what, err := flip(rng, filepath.Join(dir, "out"))
	if err == nil {
		err = w.refuses(ctx, dir, "out", "pool", "info", "--check", "out")
	}
	return "pool " + what, err
}
