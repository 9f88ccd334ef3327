package retry_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"rcvae/internal/retry"
)

var errBusy = errors.New("busy")

func TestDoRepeatsWhatPasses(t *testing.T) {
	for _, tt := range []struct {
		name            string
		failures        int
		passing         bool
		after           time.Duration
		calls           int
		fails           bool
		atLeast, atMost time.Duration
	}{
		{name: "no failure", calls: 1},
		{name: "two failures", failures: 2, passing: true, calls: 3, atLeast: 600 * time.Millisecond, atMost: 900 * time.Millisecond},
		{name: "the server says when", failures: 2, passing: true, after: 7 * time.Second, calls: 3, atLeast: 14 * time.Second, atMost: 14 * time.Second},
		{name: "too many", failures: 9, passing: true, calls: 4, fails: true, atLeast: time.Second, atMost: 3 * time.Second},
		{name: "final", failures: 9, calls: 1, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, calls := time.Now(), 0
				err := retry.Do(t.Context(), 3, func() error {
					calls++
					switch {
					case calls > tt.failures:
						return nil
					case tt.passing:
						return retry.Passing(errBusy, tt.after)
					}
					return errBusy
				})
				if took := time.Since(start); took < tt.atLeast || took > tt.atMost {
					t.Errorf("took %v, want %v to %v", took, tt.atLeast, tt.atMost)
				}
				if calls != tt.calls || (err != nil) != tt.fails || tt.fails && !errors.Is(err, errBusy) {
					t.Errorf("%d calls, error %v, want %d calls, failure %v", calls, err, tt.calls, tt.fails)
				}
			})
		})
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := retry.Do(ctx, 9, func() error { return retry.Passing(errBusy, time.Minute) })
		if err == nil || time.Since(start) > time.Second {
			t.Errorf("error %v after %v, want an error after a second", err, time.Since(start))
		}
	})
}

func TestAfter(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "7", 7 * time.Second},
		{"Retry-After", "0.5", 500 * time.Millisecond},
		{"Retry-After", now.Add(7 * time.Second).Format(http.TimeFormat), 7 * time.Second},
		{"Retry-After", now.Add(-time.Second).Format(http.TimeFormat), 0},
		{"Retry-After", "soon", 0},
		{"Retry-After", "-3", 0},
		{"Retry-After", "1e99", time.Hour},
		{"Retry-After-Ms", "250", 250 * time.Millisecond},
		{"Retry-After-Ms", "1e99", time.Hour},
		{"X-Other", "7", 0},
	} {
		if got := retry.After(http.Header{tt.name: {tt.value}}, now, time.Hour); got != tt.want {
			t.Errorf("%s: %s is %v, want %v", tt.name, tt.value, got, tt.want)
		}
	}
}

func TestBackoffDoublesUpToItsBound(t *testing.T) {
	for attempt := 1; attempt < 40; attempt++ {
		want := min(20*time.Second, 250*time.Millisecond<<min(attempt-1, 20))
		got := retry.Backoff(attempt)
		if got < want*4/5-time.Millisecond || got > want*6/5+time.Millisecond {
			t.Errorf("after %d attempts: %v, want %v ± 20 %%", attempt, got, want)
		}
	}
}
