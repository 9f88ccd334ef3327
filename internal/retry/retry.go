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
	maxAfter   = time.Minute            // that a server can ask for
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
		timer := time.NewTimer(p.delay(attempt))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// delay returns how long to wait after so many attempts: what the server asks for, else a
// time that doubles, ±20 %.
func (p *passing) delay(attempts int) time.Duration {
	if p.after > 0 {
		return p.after
	}
	d := float64(firstDelay) * math.Exp2(float64(attempts-1))
	return time.Duration(min(d, float64(maxDelay)) * (0.8 + 0.4*rand.Float64()))
}

// After reads the header Retry-After, which is in seconds or a date, and 0 if there is
// none.
func After(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
		return time.Duration(min(seconds, maxAfter.Seconds()) * float64(time.Second))
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(date.Sub(now), 0), maxAfter)
	}
	return 0
}
