package llm

import (
	"errors"
	"net/http"
	"time"

	"rcvae/internal/retry"
)

// maxRetryAfter is the longest time that a server can ask for.
const maxRetryAfter = time.Hour

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
	delay := retry.Backoff(r.failed)
	if status, ok := errors.AsType[*StatusError](err); ok && status.RetryAfter > 0 && passes(err) {
		delay = status.RetryAfter
		if r.waited += delay; r.waited > r.options.LongestWait {
			return 0, false
		}
	}
	switch {
	case Away(err) && time.Since(r.start)+delay <= r.options.RetryFor:
		return delay, true
	case CauseOf(err) == CauseCut && !r.options.RepeatCut:
		return 0, false
	}
	return delay, passes(err) && r.failed <= r.options.Retries
}

// Away reports whether the server, not the request, is the reason of an error, so that
// other requests fail too: it does not listen, restarts, or a proxy before it does not
// reach it.
func Away(err error) bool {
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

// passes reports whether the same call may succeed a little later.
func passes(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		switch status.Status {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway:
			return !status.aboutN()
		}
		return Away(err)
	}
	switch CauseOf(err) {
	case CauseFormat:
		return !errors.Is(err, errTooLarge) && !errors.Is(err, ErrStream)
	case CauseCut:
		return true
	}
	return Away(err)
}
