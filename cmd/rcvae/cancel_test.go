package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// TestCommandsEndWithTheirContext: each step that may be long looks at it.
func TestCommandsEndWithTheirContext(t *testing.T) {
	f := newFixture(t)
	model := f.train(t, "m.rcvae")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{
		{"train", "--pool", f.pool, "--out", f.path("n.rcvae"), "--cache", f.cache},
		{"eval", "--pool", f.pool, "--model", model, "--cache", f.cache},
		{"eval", "--pool", f.pool, "--selector", "majority", "--grader", "math"},
		{"pool", "grade", "--grader", "math", f.pool, "--out", f.path("graded.jsonl")},
		{"embed", "--cache", "none"},
		{"select", "--question", "q", "--selector", "consensus", "--model", "none", "--cache", "none"},
	} {
		var stderr bytes.Buffer
		code := run(ctx, args, strings.NewReader("a\nb\n"), &bytes.Buffer{}, &stderr)
		if code != exitFailure || !strings.Contains(stderr.String(), "cancel") && !strings.Contains(stderr.String(), "interrupted") {
			t.Errorf("%v: exit code %d, error %q, want it to end", args, code, stderr.String())
		}
	}
}
