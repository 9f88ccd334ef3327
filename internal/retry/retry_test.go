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
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "0.5": 500 * time.Millisecond, "-1": 0, "soon": 0, "86400": time.Minute,
		now.Add(9 * time.Second).Format(http.TimeFormat): 9 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		if got := retry.After(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("After(%q) = %v, want %v", value, got, want)
		}
	}
}
