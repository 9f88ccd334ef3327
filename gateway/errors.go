package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"rcvae/internal/openaiapi"
	"rcvae/llm"
)

// statusClientGone is what the log and the metrics call a request whose client left;
// nobody reads its answer.
const statusClientGone = 499

// apiError is an error with the status and the envelope that a client gets.
type apiError struct {
	status     int
	detail     openaiapi.Error
	retryAfter time.Duration // 0: the header is left out
	allow      string        // of status 405
	rejection  string        // reason, for the metrics, of a request refused before any work
}

// Error implements error.
func (e *apiError) Error() string { return fmt.Sprintf("%d: %s", e.status, e.detail.Message) }

func errorf(status int, format string, args ...any) *apiError {
	return &apiError{status: status, detail: openaiapi.NewError(status, format, args...)}
}

// badField is a 400 that names the field.
func badField(field, format string, args ...any) *apiError {
	e := errorf(http.StatusBadRequest, format, args...)
	e.detail.Param = &field
	return e
}

// errClientGone ends a request that nobody waits for.
var errClientGone = errors.New("the client has gone")

// errUpstreamTimeout is the cause of contexts that end a call to the upstream.
var errUpstreamTimeout = errors.New("the upstream took too long")

// asAPIError maps every error to what a client may see of it. The upstream's own
// message is passed on, but not when it is about the upstream's key.
func asAPIError(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	if status, ok := errors.AsType[*llm.StatusError](err); ok {
		return fromStatus(status.Status, status.Detail, status.RetryAfter)
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, llm.ErrUnavailable):
		e := errorf(http.StatusServiceUnavailable, "the upstream failed several times in a row and is left alone for some seconds")
		e.retryAfter = 5 * time.Second
		return e
	case errors.Is(err, errUpstreamTimeout), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return errorf(http.StatusGatewayTimeout, "the upstream did not answer in time")
	}
	return errorf(http.StatusBadGateway, "the upstream cannot be reached or its answer cannot be understood")
}

// fromStatus maps an error of the upstream.
func fromStatus(status int, detail openaiapi.Error, retryAfter time.Duration) *apiError {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		return errorf(http.StatusBadGateway, "the upstream refuses the gateway's key")
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return &apiError{status: status, detail: detail, retryAfter: max(retryAfter, time.Second)}
	case status == http.StatusGatewayTimeout:
		return errorf(http.StatusGatewayTimeout, "the upstream did not answer in time")
	case status >= http.StatusInternalServerError:
		e := errorf(http.StatusBadGateway, "the upstream answered %d: %s", status, detail.Message)
		return e
	}
	return &apiError{status: status, detail: detail}
}

// fromResponse reads the error that a forwarded response carries.
func fromResponse(response *http.Response) *apiError {
	body, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // what came is enough
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return fromStatus(response.StatusCode, openaiapi.ParseError(response.StatusCode, body), time.Duration(min(max(seconds, 0), 3600))*time.Second)
}

// writeError is the one place that answers with an error.
func writeError(w http.ResponseWriter, e *apiError) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Del("Content-Length")
	if e.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int((e.retryAfter+time.Second-1)/time.Second)))
	}
	if e.allow != "" {
		header.Set("Allow", e.allow)
	}
	if e.status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(e.status)
	_, _ = w.Write(e.detail.Envelope()) // a client that has gone cannot be told
}
