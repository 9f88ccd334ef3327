package signal_test

import (
	"os"
	"path/filepath"
	"testing"

	"rcvae"
	"rcvae/dataset"
)

// pool reads a pool of the shared data, or skips the test.
func pool(t testing.TB, name string) []rcvae.Question {
	t.Helper()
	root := os.Getenv("RCVAE_SHARED")
	if root == "" {
		t.Skip("the shared data folder is absent; set RCVAE_SHARED to it")
	}
	items, err := dataset.LoadPool(filepath.Join(root, "data", name+".jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	return items
}
