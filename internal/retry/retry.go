// Package retry repeats calls to servers that fail in passing.
package retry

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstDelay = 250 * time.Millisecond // before the first repetition; doubles from there
	maxDelay   = 20 * time.Second       // between repetitions
)

// passing is an error after which the same call may succeed.
type passing struct {
	error
	after time.Duration // what the server asks to wait; 0: it says nothing
}

func (p *passing) Unwrap() error { return p.error }

// Passing marks an error as one that passes, after the time that the server asks for.
func Passing(err error, after time.Duration) error { return &passing{err, after} }

// PassingStatus reports whether a call that was answered with the HTTP status may succeed
// a little later.
func PassingStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusFailedDependency, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Do makes a call, and up to retries times again after errors that [Passing] marked. It
// returns the last error without the mark, or the context's.
func Do(ctx context.Context, retries int, call func() error) error {
	for attempt := 1; ; attempt++ {
		err := call()
		p, ok := errors.AsType[*passing](err)
		if !ok {
			return err
		}
		if attempt > retries {
			return p.error
		}
		delay := p.after
		if delay == 0 {
			delay = Backoff(attempt)
		}
		if err := Pause(ctx, delay); err != nil {
			return err
		}
	}
}

// Backoff returns how long to wait after so many attempts: a time that doubles, ±20 %.
func Backoff(attempts int) time.Duration {
	d := float64(firstDelay) * math.Exp2(float64(attempts-1))
	return time.Duration(min(d, float64(maxDelay)) * (0.8 + 0.4*rand.Float64()))
}

// Pause waits, or returns the context's error.
func Pause(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// After returns how long a response's header asks to wait: Retry-After-Ms, or Retry-After
// in seconds or as a date; 0 if it does not, and most if it asks for more.
func After(header http.Header, now time.Time, most time.Duration) time.Duration {
	bounded := func(amount float64, unit time.Duration) time.Duration {
		return time.Duration(min(amount*float64(unit), float64(most)))
	}
	if ms, err := strconv.ParseFloat(header.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return bounded(ms, time.Millisecond)
	}
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
		return bounded(seconds, time.Second)
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(date.Sub(now), 0), most)
	}
	return 0
}
