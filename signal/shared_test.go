package signal_test

import (
	"os"
	"path/filepath"
	"testing"

	"rcvae"
	"rcvae/dataset"
	"rcvae/signal"
)

// pool reads a pool of the shared data, or skips the test.
func pool(t testing.TB, name string) []rcvae.Question {
	t.Helper()
	items, err := dataset.LoadPool(shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// problems reads problems of the shared data, or skips the test.
func problems(t testing.TB, name string) []rcvae.Problem {
	t.Helper()
	items, err := dataset.LoadProblems(shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// shared returns the path of a file of the shared data, or skips the test.
func shared(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(sharedData(t), name+".jsonl.gz")
}

// sharedData returns the folder of the shared data, or skips the test.
func sharedData(t testing.TB) string {
	t.Helper()
	root := os.Getenv("RCVAE_SHARED")
	if root == "" {
		t.Skip("the shared data folder is absent; set RCVAE_SHARED to it")
	}
	if signal.RaceEnabled {
		t.Skip("one goroutine reads for minutes under the race detector; 'make test-data' runs this without it")
	}
	return filepath.Join(root, "data")
}
