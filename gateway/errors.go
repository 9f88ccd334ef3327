package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"rcvae/gateway/edge"
	"rcvae/llm"
)

// errUpstreamTimeout is the cause of contexts that end a call to the upstream.
var errUpstreamTimeout = fmt.Errorf("the upstream took too long: %w", context.DeadlineExceeded)

// statusOverloaded is what some servers answer instead of 503.
const statusOverloaded = 529

// sayings are what a client may know of a call that came to nothing.
var sayings = map[llm.Cause]string{
	llm.CauseRefused: "the upstream refused the connection: it is not running, or not at its address",
	llm.CauseDial:    "the upstream cannot be reached",
	llm.CauseReset:   "the upstream closed the connection without an answer",
	llm.CauseCut:     "the upstream's answer stopped in its middle",
	llm.CauseFormat:  "the upstream's answer is not a completion",
	llm.CauseTimeout: "the upstream did not answer in time",
}

// clientError maps an error to what a client may see of it. header is what the upstream
// got: a key in it is the client's own.
func clientError(err error, header http.Header) *edge.Error {
	if e, ok := errors.AsType[*edge.Error](err); ok {
		return e
	}
	cause := llm.CauseOf(err)
	answer := edge.Errorf(http.StatusBadGateway, "%s", cmp.Or(sayings[cause], "the upstream's answer cannot be used"))
	if status, ok := errors.AsType[*llm.StatusError](err); ok {
		answer = fromStatus(status, header.Get("Authorization") != "")
	} else if cause == llm.CauseTimeout {
		answer = edge.Errorf(http.StatusGatewayTimeout, "%s", sayings[cause])
	} else if errors.Is(err, llm.ErrStream) {
		answer = edge.Errorf(http.StatusBadGateway, "the upstream answers with a stream of events, which was not asked for")
	}
	return answer
}

// fromStatus maps an error of the upstream. What it says about a request is passed on
// with all its fields; what it says about a key is the client's only if the key is.
func fromStatus(e *llm.StatusError, ownKey bool) *edge.Error {
	answer := &edge.Error{Status: e.Status, Detail: e.Detail, RetryAfter: e.RetryAfter}
	switch s := e.Status; {
	case e.AboutKey() && !ownKey:
		return edge.Errorf(http.StatusBadGateway, "the upstream refuses the gateway's key; its operator must set another")
	case s == http.StatusTooManyRequests, s == http.StatusServiceUnavailable, s == statusOverloaded:
		answer.RetryAfter = max(e.RetryAfter, time.Second)
		if s == statusOverloaded {
			answer.Status = http.StatusServiceUnavailable
		}
	case s == http.StatusGatewayTimeout, s == 524: // Cloudflare's
		return edge.Errorf(http.StatusGatewayTimeout, "%s", sayings[llm.CauseTimeout])
	case s < http.StatusBadRequest, s >= http.StatusInternalServerError:
		answer.Status = http.StatusBadGateway
		answer.Detail.Message = fmt.Sprintf("the upstream answered %d: %s", s, e.Detail.Message)
	}
	return answer
}

// logCause adds to a request's line in the log why the upstream failed it. An
// upstream's message is left out: it may quote the prompt.
func logCause(x *edge.Exchange, err error) {
	if err == nil {
		return
	}
	x.Log("cause", string(llm.CauseOf(err)))
	if status, ok := errors.AsType[*llm.StatusError](err); ok {
		x.Log("upstream_status", status.Status)
		if id := status.Header.Get("X-Request-Id"); id != "" {
			x.Log("upstream_request_id", id)
		}
	} else if call, ok := errors.AsType[*llm.CallError](err); ok {
		x.Log("error", call.Error())
	}
}

// report tells the log and the metrics why a request failed, and returns what the client
// may see of it.
func (s *Server) report(x *edge.Exchange, header http.Header, err error) error {
	if _, ours := errors.AsType[*edge.Error](err); err == nil || ours || errors.Is(err, edge.ErrClientGone) {
		return err
	}
	s.metrics.failed(llm.CauseOf(err), 1)
	logCause(x, err)
	return clientError(err, header)
}

// logPanic tells the log of a panic that was caught. The panic's value may quote a
// text, so only its type is told.
func (s *Server) logPanic(value any, stack []byte) {
	s.log.Error("a selector or grader panicked", "panic", fmt.Sprintf("%T", value), "stack", string(stack))
}
