package rcvaetest

import (
	"context"
	"errors"
	"testing"

	"rcvae"
)

// TestSampler checks that s draws the number of candidates that is asked for, each
// with a text, refuses to draw none, and stops when its context is cancelled.
func TestSampler(t *testing.T, s rcvae.Sampler, question string) {
	t.Helper()
	for _, k := range []int{1, 2, 5} {
		candidates, err := s.Sample(t.Context(), question, k)
		if err != nil || len(candidates) != k {
			t.Errorf("Sample(k = %d) = %d candidates, %v", k, len(candidates), err)
		}
		for i, c := range candidates {
			if c.Text == "" {
				t.Errorf("candidate %d of %d has no text", i, k)
			}
		}
	}
	if _, err := s.Sample(t.Context(), question, 0); err == nil {
		t.Error("Sample(k = 0) gives no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Sample(ctx, question, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("Sample with a cancelled context = %v, want context.Canceled", err)
	}
}
