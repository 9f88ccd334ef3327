package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// mostKills bounds the kills of one trial.
const mostKills = 4

// killed runs a command until it ends by itself and kills it some times before.
func (w *world) killed(ctx context.Context, rng *rand.Rand, dir, command string) (kills int, err error) {
	for n := 1 + rng.IntN(mostKills); n > 0; n-- {
		after := time.Duration(rng.Int64N(int64(w.took[command]))) + time.Millisecond
		r := w.run(ctx, dir, after, w.arguments(command)...)
		switch {
		case r.killed:
			kills++
		case r.code != 0:
			return kills, fmt.Errorf("%s: exit code %d: %s", command, r.code, r.stderr)
		}
	}
	if r := w.run(ctx, dir, 0, w.arguments(command)...); r.code != 0 {
		return kills, fmt.Errorf("after %d kills, %s: exit code %d: %s", kills, command, r.code, r.stderr)
	}
	return kills, errors.Join(w.same(dir, command), leftOver(dir))
}

func said(kills int) string {
	if kills == 0 {
		return ""
	}
	return fmt.Sprintf("%d kills", kills)
}

func killTraining(ctx context.Context, w *world, rng *rand.Rand, dir string) (string, error) {
	if err := w.prepare(dir); err != nil {
		return "", err
	}
	kills, err := w.killed(ctx, rng, dir, "train")
	if err == nil {
		err = epochsOnce(filepath.Join(dir, "out.log.jsonl"))
	}
	return said(kills), err
}

// epochsOnce checks that a training log has each epoch once, in order.
func epochsOnce(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		var e struct{ Epoch int }
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Epoch != i+1 {
			return fmt.Errorf("line %d of the training log is %q", i+1, line)
		}
	}
	return nil
}

func killEmbedding(ctx context.Context, w *world, rng *rand.Rand, dir string) (string, error) {
	if err := w.prepare(dir); err != nil {
		return "", err
	}
	kills, err := w.killed(ctx, rng, dir, "embed")
	return said(kills), err
}

func killEvaluation(ctx context.Context, w *world, rng *rand.Rand, dir string) (string, error) {
	if err := w.prepare(dir); err != nil {
		return "", err
	}
	if rng.IntN(2) == 0 { // a cold cache
		if err := os.Remove(filepath.Join(dir, "cache.sqlite")); err != nil {
			return "", err
		}
	}
	kills, err := w.killed(ctx, rng, dir, "eval")
	return said(kills), err
}

func killSampling(ctx context.Context, w *world, rng *rand.Rand, dir string) (string, error) {
	if err := w.prepare(dir); err != nil {
		return "", err
	}
	w.server.failing.Store(15)
	kills, err := w.killed(ctx, rng, dir, "sample")
	w.server.failing.Store(0)
	if err == nil {
		err = w.checkSidecar(ctx, dir)
	}
	return said(kills), err
}

// checkSidecar checks that the runs account for the pool's tokens, and that an idle run
// changes nothing.
func (w *world) checkSidecar(ctx context.Context, dir string) error {
	path := filepath.Join(dir, "out.run.json")
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var record struct {
		Runs    []struct{ Tokens int }
		Summary *struct{ Tokens int }
	}
	if err := json.Unmarshal(before, &record); err != nil || record.Summary == nil {
		return fmt.Errorf("the sidecar has no summary: %w", err)
	}
	for _, r := range record.Runs {
		record.Summary.Tokens -= r.Tokens
	}
	if record.Summary.Tokens != 0 {
		return fmt.Errorf("the runs of the sidecar account for %d tokens too few or too many: %s", record.Summary.Tokens, before)
	}
	if r := w.run(ctx, dir, 0, w.arguments("sample")...); r.code != 0 {
		return fmt.Errorf("an idle run: exit code %d: %s", r.code, r.stderr)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		return fmt.Errorf("an idle run changed the sidecar (%w)", err)
	}
	return w.same(dir, "sample")
}

// twoWriters starts a command twice on one output. One may be told that the other is at
// work; the output is whole.
func twoWriters(ctx context.Context, w *world, rng *rand.Rand, dir string) (string, error) {
	if err := w.prepare(dir); err != nil {
		return "", err
	}
	command := []string{"train", "sample", "eval"}[rng.IntN(3)]
	var both [2]result
	var group sync.WaitGroup
	delay := time.Duration(rng.Int64N(int64(w.took[command])))
	for i := range both {
		group.Go(func() {
			pause(ctx, time.Duration(i)*delay)
			both[i] = w.run(ctx, dir, 0, w.arguments(command)...)
		})
	}
	group.Wait()
	told := ""
	for i, r := range both {
		switch {
		case r.code == 0:
		case command != "eval" && strings.Contains(r.stderr, "another process is writing it") && strings.Contains(r.stderr, "rcvae "+command) && both[1-i].code == 0:
			told = "one was told"
		default:
			return command, fmt.Errorf("%s beside another: exit code %d: %s", command, r.code, r.stderr)
		}
	}
	if leftOver(dir) != nil { // both closed the cache in one instant: the next run takes what SQLite left
		if r := w.run(ctx, dir, 0, w.arguments(command)...); r.code != 0 {
			return command, fmt.Errorf("%s after two at once: exit code %d: %s", command, r.code, r.stderr)
		}
	}
	return strings.TrimSpace(command + " " + told), errors.Join(w.same(dir, command), leftOver(dir))
}
