package spelling_test

import (
	"slices"
	"testing"

	"rcvae/internal/spelling"
)

func TestNearest(t *testing.T) {
	names := []string{"model", "modes", "selector", "k"}
	for _, c := range []struct {
		word, want string
		distance   int
	}{{"mdel", "model", 1}, {"model", "model", 0}, {"slector", "selector", 1}, {"", "k", 1}} {
		if got, d := spelling.Nearest(c.word, slices.Values(names)); got != c.want || d != c.distance {
			t.Errorf("Nearest(%q) = %q, %d, want %q, %d", c.word, got, d, c.want, c.distance)
		}
	}
	if got, _ := spelling.Nearest("x", slices.Values([]string{})); got != "" {
		t.Errorf("of no names the nearest is %q", got)
	}
}
