package llm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"rcvae/internal/openaiapi"
)

const (
	maxResponse   = 256 << 20              // bytes of a response
	maxErrorBody  = 64 << 10               // bytes kept of an error response
	firstDelay    = 250 * time.Millisecond // before the first retry; doubles from there
	maxDelay      = 20 * time.Second       // between retries
	maxRetryAfter = time.Minute            // that a server can ask for
	breakFailures = 10                     // failures in a row that open the circuit
	breakDelay    = 5 * time.Second        // until an open circuit lets a call through again
)

// errTooLarge is not worth a retry.
var errTooLarge = fmt.Errorf("the answer has more than %d MiB", maxResponse>>20)

// timeoutError says that a call took longer than [Options.Timeout].
type timeoutError struct {
	server string
	after  time.Duration
}

func (e *timeoutError) Error() string {
	return fmt.Sprintf("%s did not answer within %v", e.server, e.after)
}

// Timeout implements the interface of net.Error in part.
func (e *timeoutError) Timeout() bool { return true }

// newExecutor returns the policies around every call: retries outside, the circuit
// breaker inside, so that each attempt counts and an open circuit ends the retries. Calls
// that are under way at once can fail together: that alone does not open the circuit.
func newExecutor(retries, concurrency int) failsafe.Executor[any] {
	retry := retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return transient(err) }).
		WithMaxRetries(retries).
		WithDelayFunc(func(attempt failsafe.ExecutionAttempt[any]) time.Duration {
			return retryDelay(attempt.LastError(), attempt.Attempts())
		}).
		ReturnLastFailure().
		Build()
	breaker := circuitbreaker.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return brokenServer(err) }).
		WithFailureThreshold(uint(max(breakFailures, concurrency))).
		WithDelay(breakDelay).
		Build()
	return failsafe.With(retry, breaker)
}

// retryDelay returns how long to wait after so many attempts: what the server asks
// for, else a time that doubles, ±20 %. Note: the library's own jitter would shorten
// what the server asks for, too.
func retryDelay(err error, attempts int) time.Duration {
	if status, ok := errors.AsType[*StatusError](err); ok && status.RetryAfter > 0 {
		return status.RetryAfter
	}
	delay := float64(firstDelay) * math.Exp2(float64(attempts-1))
	return time.Duration(min(delay, float64(maxDelay)) * (0.8 + 0.4*rand.Float64()))
}

// transient reports whether the same call may succeed a little later.
func transient(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		switch status.Status {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return !status.aboutN()
		}
		return false
	}
	return brokenServer(err) && !isTimeout(err)
}

// brokenServer reports whether the error shows a server in trouble, other than one
// that refuses a request for a reason.
func brokenServer(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Status >= http.StatusInternalServerError && !status.aboutN()
	}
	return err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, errTooLarge)
}

func isTimeout(err error) bool {
	_, ok := errors.AsType[*timeoutError](err)
	return ok
}

// call makes a call, with retries, and gives the body of the answer to read. What read
// finds wrong with it counts as a failure of the server.
func (u *Upstream) call(ctx context.Context, method, path string, header http.Header, body []byte, read func([]byte) error) error {
	err := u.executor.WithContext(ctx).Run(func() error {
		answer, err := u.attempt(ctx, method, path, header, body)
		if err != nil {
			return err
		}
		if err := read(answer); err != nil {
			return fmt.Errorf("%s: %w", u.base, err)
		}
		return nil
	})
	if errors.Is(err, circuitbreaker.ErrOpen) {
		err = fmt.Errorf("%s: %w", u.base, ErrUnavailable)
	}
	return err
}

// attempt makes one call within the limits on time and concurrency.
func (u *Upstream) attempt(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error) {
	select {
	case u.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-u.slots }()
	limit := &timeoutError{u.base, u.options.Timeout}
	ctx, cancel := context.WithTimeoutCause(ctx, u.options.Timeout, limit)
	defer cancel()
	response, err := u.Forward(ctx, method, path, header, body)
	if err != nil {
		return nil, causeOf(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return nil, causeOf(ctx, u.statusError(response))
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	if err == nil && len(answer) > maxResponse {
		err = errTooLarge
	}
	if err != nil {
		return nil, causeOf(ctx, fmt.Errorf("%s: read the answer: %w", u.base, err))
	}
	return answer, nil
}

// causeOf returns why ctx ended, if it did: errors of a cancelled call vary.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if cause := context.Cause(ctx); isTimeout(cause) {
		return cause
	}
	return ctx.Err()
}

// Forward makes one call as it is, without retries, limits or a timeout, and returns
// the response, whatever its status. The path is relative to the base URL. The caller
// closes the response's body. The header is not changed; the upstream's key is added
// unless it has an Authorization.
func (u *Upstream) Forward(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, u.base+path, reader)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.base, err)
	}
	maps.Copy(request.Header, header)
	setDefault := func(key, value string) {
		if _, ok := request.Header[key]; !ok && value != "" {
			request.Header[key] = []string{value}
		}
	}
	if body != nil {
		setDefault("Content-Type", "application/json")
	}
	setDefault("User-Agent", "rcvae")
	if u.options.Key != "" {
		setDefault("Authorization", "Bearer "+u.options.Key)
	}
	return u.client.Do(request)
}

// statusError reads the error that a response carries.
func (u *Upstream) statusError(response *http.Response) *StatusError {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody)) // what came is enough
	detail := openaiapi.ParseError(response.StatusCode, body)
	return &StatusError{
		Server: u.base, Status: response.StatusCode, Message: detail.Message, Detail: detail, Body: body,
		RetryAfter: retryAfter(response.Header.Get("Retry-After"), time.Now()),
	}
}

// retryAfter reads the header Retry-After, which is in seconds or a date, and 0 if
// there is none.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(date.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
