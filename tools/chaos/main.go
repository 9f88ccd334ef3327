// Command chaos looks for what rcvae loses or gets wrong without a word: it kills the
// program, fills its disk, flips bits in its files, and takes its server away, at random
// but by a seed, until its time is over. Every trial compares what is left with what an
// undisturbed run writes, byte for byte.
//
//	chaos -rcvae bin/rcvae -minutes 10 -seed 1
//
// It prints a line per trial that failed and a table at the end, and exits with 1 if a
// trial failed.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// trial disturbs the program once. It returns what it did, and an error when something was
// lost, wrong or not said.
type trial struct {
	name string
	run  func(w *world, rng *rand.Rand, dir string) (what string, err error)
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
	failed, err := chaos(*binary, time.Duration(*minutes*float64(time.Minute)), *seed)
	if err != nil {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
		os.Exit(2)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

// tally counts the trials of one kind.
type tally struct{ tried, disturbed, failed int }

func chaos(binary string, limit time.Duration, seed uint64) (failed int, err error) {
	binary, err = filepath.Abs(binary)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	start := time.Now()
	w, err := newWorld(binary, dir)
	if err != nil {
		return 0, fmt.Errorf("undisturbed run: %w", err)
	}
	defer w.close()
	fmt.Printf("chaos: seed %d, %v, undisturbed runs took %v\n", seed, limit, time.Since(start).Round(time.Millisecond))
	all := trials()
	tallies := make([]tally, len(all))
	for n := 0; time.Since(start) < limit; n++ {
		t, count := all[n%len(all)], &tallies[n%len(all)]
		home := filepath.Join(dir, fmt.Sprintf("trial-%d", n))
		if err := os.Mkdir(home, 0o755); err != nil {
			return failed, err
		}
		what, err := t.run(w, rand.New(rand.NewPCG(seed, uint64(n))), home)
		count.tried++
		if what != "" {
			count.disturbed++
		}
		if err != nil {
			count.failed++
			failed++
			fmt.Printf("FAILED trial %d (%s; %s): %v\n", n, t.name, what, err)
		}
		if err := os.RemoveAll(home); err != nil {
			return failed, err
		}
	}
	report(all, tallies, time.Since(start))
	return failed, nil
}

func report(all []trial, tallies []tally, took time.Duration) {
	fmt.Printf("\n| trial | tried | disturbed | lost or wrong |\n|---|---|---|---|\n")
	var sum tally
	for i, t := range tallies {
		fmt.Printf("| %s | %d | %d | %d |\n", all[i].name, t.tried, t.disturbed, t.failed)
		sum.tried, sum.disturbed, sum.failed = sum.tried+t.tried, sum.disturbed+t.disturbed, sum.failed+t.failed
	}
	fmt.Printf("| all, in %v | %d | %d | %d |\n", took.Round(time.Second), sum.tried, sum.disturbed, sum.failed)
}
