package llm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"rcvae/internal/openaiapi"
)

// Cause is the kind of reason why a call failed: a short word from a closed set, for
// logs and metrics.
type Cause string

// The causes.
const (
	CauseRefused Cause = "refused"    // nobody listens at the server's address
	CauseDial    Cause = "dial"       // no connection for another reason: DNS, TLS, no route
	CauseReset   Cause = "reset"      // the connection ended before an answer began
	CauseCut     Cause = "cut"        // the answer stopped in its middle
	CauseTimeout Cause = "timeout"    // no answer in time
	CauseStatus  Cause = "status"     // an error status
	CauseError   Cause = "error_body" // an error under status 200
	CauseFormat  Cause = "format"     // an answer that is no completion: not JSON, no choices, too large
	CauseLeft    Cause = "cancelled"  // the caller left
	CauseOther   Cause = "other"
)

// Causes returns all causes.
func Causes() []Cause {
	return []Cause{CauseRefused, CauseDial, CauseReset, CauseCut, CauseTimeout, CauseStatus, CauseError, CauseFormat, CauseLeft, CauseOther}
}

// CallError says that a call came to no answer that can be used. Its text holds
// neither a prompt nor a key.
type CallError struct {
	Server string // its base URL
	Cause  Cause
	Err    error
}

// Error implements error.
func (e *CallError) Error() string { return e.Server + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *CallError) Unwrap() error { return e.Err }

// StatusError is an error that the server answered with.
type StatusError struct {
	Server     string          // its base URL
	Status     int             // HTTP status, 300 or above; of an error under status 200 the one that it names, else 502
	RetryAfter time.Duration   // what the server asks to wait; 0 when it says nothing
	Detail     openaiapi.Error // what the server said
	Header     http.Header     // of the response
	Under200   bool            // the answer had status 200
}

// Error implements error.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d %s: %s", e.Server, e.Status, http.StatusText(e.Status), e.Detail.Message)
}

// CauseOf returns the kind of an error of this package, and "" for nil.
func CauseOf(err error) Cause {
	if err == nil {
		return ""
	}
	if status, ok := errors.AsType[*StatusError](err); ok {
		if status.Under200 {
			return CauseError
		}
		return CauseStatus
	}
	if call, ok := errors.AsType[*CallError](err); ok {
		return call.Cause
	}
	switch {
	case errors.Is(err, context.Canceled):
		return CauseLeft
	case isTimeout(err):
		return CauseTimeout
	}
	return CauseOther
}

// connectCause returns the kind of an error that came before the answer's header.
func connectCause(err error) Cause {
	operation, ok := errors.AsType[*net.OpError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return CauseLeft
	case errors.Is(err, syscall.ECONNREFUSED):
		return CauseRefused
	case ok && operation.Op == "dial":
		return CauseDial
	case isTimeout(err):
		return CauseTimeout
	case errors.As(err, new(*net.DNSError)), errors.As(err, new(*tls.CertificateVerificationError)), errors.As(err, new(tls.RecordHeaderError)):
		return CauseDial
	}
	return CauseReset
}

// timeoutError says that a call took longer than [Options.Timeout].
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("no answer within %v", e.after) }

// Timeout implements the interface of net.Error in part.
func (e *timeoutError) Timeout() bool { return true }

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
