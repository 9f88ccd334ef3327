package edge

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"rcvae/internal/openaiapi"
)

// StatusClientGone is the status of a request whose client left. Who closed only its
// sending side can still read it.
const StatusClientGone = 499

// The reasons for which requests are refused before any work.
const (
	rejectedKey    = "key"
	rejectedRate   = "rate"
	rejectedQueue  = "queue"
	rejectedMemory = "memory"
	rejectedBody   = "body"
	rejectedHost   = "host"
	rejectedOrigin = "origin"
)

// Rejections returns all reasons.
func Rejections() []string {
	return []string{rejectedKey, rejectedRate, rejectedQueue, rejectedMemory, rejectedBody, rejectedHost, rejectedOrigin}
}

// Error is an answer with an error status.
type Error struct {
	Status     int
	Detail     openaiapi.Error
	RetryAfter time.Duration // 0: the header is left out
	Allow      string        // methods, of status 405
	Rejection  string        // why the request was refused before any work; empty when it was not
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%d: %s", e.Status, e.Detail.Message) }

// Errorf returns an error with a message for the client.
func Errorf(status int, format string, args ...any) *Error {
	return &Error{Status: status, Detail: openaiapi.NewError(status, format, args...)}
}

// BadField is a 400 that names the field.
func BadField(field, format string, args ...any) *Error {
	e := Errorf(http.StatusBadRequest, format, args...)
	e.Detail.Param = &field
	return e
}

func rejected(reason string, status int, format string, args ...any) *Error {
	e := Errorf(status, format, args...)
	e.Rejection = reason
	return e
}

// ErrClientGone ends a request that nobody waits for.
var ErrClientGone = errors.New("the client has gone")

// write is the one place that answers with an error.
func (e *Error) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Del("Content-Length")
	if e.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
		header.Set("Retry-After-Ms", strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))
	}
	if e.Allow != "" {
		header.Set("Allow", e.Allow)
	}
	if e.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(e.Status)
	_, _ = w.Write(e.Detail.Envelope()) // a client that has gone cannot be told
}
