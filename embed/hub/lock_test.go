//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package hub_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rcvae/rcvaetest"
)

// A file that another process gets is left to it.
func TestAnotherProcessIsLeftAlone(t *testing.T) {
	c := cacheOf(t, rcvaetest.StartHub(t, script()))
	get(t, c, "org/model")
	locks, err := filepath.Glob(filepath.Join(c.Dir, ".locks", "models--org--model", "*.lock"))
	if err != nil || len(locks) == 0 {
		t.Fatalf("locks %q, %v, want one for each file", locks, err)
	}
	held, err := os.Open(locks[0])
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := unix.Flock(int(held.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), "org/model"); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("error %v, want one about another process", err)
	}
}
