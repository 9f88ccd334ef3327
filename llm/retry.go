package llm

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
	firstDelay    = 250 * time.Millisecond // before the first retry; doubles from there
	maxDelay      = 20 * time.Second       // between retries
	maxRetryAfter = time.Hour              // that a server can ask for
)

// retries decides, for one call with its repetitions, whether it is worth another try.
type retries struct {
	options Options
	start   time.Time
	failed  int           // attempts
	waited  time.Duration // because servers asked for it
}

// next returns how long to wait before the call is repeated, and false when the error
// stays.
//
// What passes soon is repeated [Options.Retries] times. A server that is away is asked
// for as long as [Options.RetryFor], a restart's length. What a server asks to wait is
// waited for, up to [Options.LongestWait] in all. An answer that began is repeated
// only with [Options.RepeatCut]: the server may have billed it.
func (r *retries) next(err error) (time.Duration, bool) {
	r.failed++
	delay := backoff(r.failed)
	if status, ok := errors.AsType[*StatusError](err); ok && status.RetryAfter > 0 && passes(err) {
		delay = status.RetryAfter
		if r.waited += delay; r.waited > r.options.LongestWait {
			return 0, false
		}
	}
	switch {
	case away(err) && time.Since(r.start)+delay <= r.options.RetryFor:
		return delay, true
	case CauseOf(err) == CauseCut && !r.options.RepeatCut:
		return 0, false
	}
	return delay, passes(err) && r.failed <= r.options.Retries
}

// backoff returns a time that doubles with the attempts, ±20 %.
func backoff(attempts int) time.Duration {
	delay := float64(firstDelay) * math.Exp2(float64(attempts-1))
	return time.Duration(min(delay, float64(maxDelay)) * (0.8 + 0.4*rand.Float64()))
}

// away reports whether the server, not the request, is the reason: it does not listen,
// restarts, or a proxy before it does not reach it.
func away(err error) bool {
	switch CauseOf(err) {
	case CauseRefused, CauseDial, CauseReset:
		return true
	}
	status, ok := errors.AsType[*StatusError](err)
	if !ok {
		return false
	}
	switch s := status.Status; s {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return !status.Under200
	default:
		return s >= 520 && s <= 529 // Cloudflare's; 529: overloaded
	}
}

// Away reports whether an error says that the server cannot be reached or restarts, so
// that other requests fail too.
func Away(err error) bool { return away(err) }

// passes reports whether the same call may succeed a little later.
func passes(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		switch status.Status {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway:
			return !status.aboutN()
		}
		return away(err)
	}
	switch CauseOf(err) {
	case CauseFormat:
		return !errors.Is(err, errTooLarge) && !errors.Is(err, ErrStream)
	case CauseCut:
		return true
	}
	return away(err)
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// RetryAfter returns how long a response's header asks to wait: Retry-After-Ms, or
// Retry-After in seconds or as a date; 0 if it does not, an hour at most.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(header.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return time.Duration(min(ms, float64(maxRetryAfter.Milliseconds())) * float64(time.Millisecond))
	}
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(date.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
