// Command chaos looks for what rcvae loses or gets wrong without a word: it kills the
// program, fills its disk, flips bits in its files, and takes its server away, at random
// but by a seed, until its time is over. Every trial compares what is left with what an
// undisturbed run writes, byte for byte.
//
//	chaos -rcvae bin/rcvae -minutes 10 -seed 1
//
// It prints a line per trial that failed and a table at the end, and exits with 1 if a
// trial failed, whose folder it keeps. Interrupted it stops what it started, prints the
// table of what was done until then, and exits with 130 if no trial had failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Exit codes, of which the last is a shell's of a program that was interrupted.
const (
	exitFailed      = 1
	exitUnusable    = 2
	exitInterrupted = 130
)

// trial disturbs the program once. It returns what it did, and an error when something was
// lost, wrong or not said. When its context ends it ends too, and what it returns means
// nothing.
type trial struct {
	name string
	run  func(ctx context.Context, w *world, rng *rand.Rand, dir string) (what string, err error)
}

func trials() []trial {
	return []trial{
		{"train, killed and resumed", killTraining},
		{"embed, killed", killEmbedding},
		{"eval, killed", killEvaluation},
		{"sample, killed, server failing", killSampling},
		{"two writers at once", twoWriters},
		{"full disk", fullDisk},
		{"flipped bits", flippedBits},
		{"serve: lost servers, impolite clients", serveUnderFire},
	}
}

func main() {
	binary := flag.String("rcvae", "bin/rcvae", "the program")
	minutes := flag.Float64("minutes", 10, "how long to go on")
	seed := flag.Uint64("seed", 1, "seed of all that is random but for the scheduler")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	c := &campaign{seed: *seed, limit: time.Duration(*minutes * float64(time.Minute)), all: trials(), out: os.Stdout}
	code, err := c.chaos(ctx, *binary)
	if err != nil {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
	}
	os.Exit(code)
}

// campaign runs its trials in turn until its time is over.
type campaign struct {
	seed  uint64
	limit time.Duration
	all   []trial
	out   io.Writer

	tallies []tally // by kind of trial
}

// tally counts the trials of one kind.
type tally struct{ tried, disturbed, failed int }

// mostKept is how many folders of failed trials are kept.
const mostKept = 8

// chaos does everything in a new temporary folder, of which failed trials stay, and
// returns the exit code.
func (c *campaign) chaos(ctx context.Context, binary string) (code int, err error) {
	binary, err = filepath.Abs(binary)
	if err != nil {
		return exitUnusable, err
	}
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return exitUnusable, err
	}
	start := time.Now()
	w, err := newWorld(ctx, binary, dir)
	if err == nil {
		defer w.close()
		fmt.Fprintf(c.out, "chaos: seed %d, %v, undisturbed runs took %v\n", c.seed, c.limit, time.Since(start).Round(time.Millisecond))
		err = c.run(ctx, w, dir, start)
	}
	c.report(ctx, time.Since(start))
	failed := c.sum().failed
	if failed > 0 {
		fmt.Fprintf(c.out, "folders of failed trials are in %s\n", dir)
	} else if removed := os.RemoveAll(dir); err == nil {
		err = removed
	}
	switch {
	case failed > 0:
		return exitFailed, err
	case ctx.Err() != nil:
		return exitInterrupted, nil // what failed, failed of that
	case err != nil:
		return exitUnusable, err
	}
	return 0, nil
}

// run tries until the limit has passed since start.
func (c *campaign) run(ctx context.Context, w *world, dir string, start time.Time) error {
	c.tallies = make([]tally, len(c.all))
	for n := 0; ctx.Err() == nil && time.Since(start) < c.limit; n++ {
		home := filepath.Join(dir, fmt.Sprintf("trial-%d", n))
		if err := os.Mkdir(home, 0o755); err != nil {
			return err
		}
		failed := c.try(ctx, w, n, home)
		if failed && c.sum().failed <= mostKept {
			continue
		}
		if err := os.RemoveAll(home); err != nil {
			return err
		}
	}
	return nil
}

// try counts one trial, unless it is interrupted.
func (c *campaign) try(ctx context.Context, w *world, n int, home string) (failed bool) {
	t, count := c.all[n%len(c.all)], &c.tallies[n%len(c.all)]
	what, err := t.run(ctx, w, rand.New(rand.NewPCG(c.seed, uint64(n))), home)
	if ctx.Err() != nil {
		return false
	}
	count.tried++
	if what != "" {
		count.disturbed++
	}
	if err != nil {
		count.failed++
		fmt.Fprintf(c.out, "FAILED trial %d (%s; %s): %v\n", n, t.name, what, err)
	}
	return err != nil
}

func (c *campaign) sum() (sum tally) {
	for _, t := range c.tallies {
		sum.tried, sum.disturbed, sum.failed = sum.tried+t.tried, sum.disturbed+t.disturbed, sum.failed+t.failed
	}
	return sum
}

func (c *campaign) report(ctx context.Context, took time.Duration) {
	if ctx.Err() != nil {
		fmt.Fprintf(c.out, "interrupted; the trial that was running is not counted\n")
	}
	fmt.Fprintf(c.out, "\n| trial, seed %d | tried | disturbed | lost or wrong |\n|---|---|---|---|\n", c.seed)
	for i, t := range c.tallies {
		fmt.Fprintf(c.out, "| %s | %d | %d | %d |\n", c.all[i].name, t.tried, t.disturbed, t.failed)
	}
	sum := c.sum()
	fmt.Fprintf(c.out, "| all, in %v | %d | %d | %d |\n", took.Round(time.Second), sum.tried, sum.disturbed, sum.failed)
}
