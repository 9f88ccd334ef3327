package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnInterruptedTrainingSaysWhatIsLeft: the state is named when there is one, and the
// cache when it holds something.
func TestAnInterruptedTrainingSaysWhatIsLeft(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m.rcvae")
	cmd := newTrain()
	for cache, want := range map[string]string{noCache: "nothing is kept", "c.sqlite": "are in the cache"} {
		if err := cmd.Flags().Set("cache", cache); err != nil {
			t.Fatal(err)
		}
		if got := whatIsLeft(cmd, out).Error(); !strings.Contains(got, want) || strings.Contains(got, "--resume") {
			t.Errorf("cache %s: %q, want %q and no state", cache, got, want)
		}
	}
	if err := os.WriteFile(checkpointOf(out), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := whatIsLeft(cmd, out).Error(); !strings.Contains(got, checkpointOf(out)) || !strings.Contains(got, "--resume") {
		t.Errorf("%q, want the state and how it goes on", got)
	}
}
