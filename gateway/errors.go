package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
	"rcvae/llm"
)

// errUpstreamTimeout is the cause of contexts that end a call to the upstream.
var errUpstreamTimeout = errors.New("the upstream took too long")

// sayings are what a client may know of a call that came to nothing.
var sayings = map[llm.Cause]string{
	llm.CauseRefused: "the upstream refused the connection: it is not running, or not at its address",
	llm.CauseDial:    "the upstream cannot be reached",
	llm.CauseReset:   "the upstream closed the connection without an answer",
	llm.CauseCut:     "the upstream's answer stopped in its middle",
	llm.CauseFormat:  "the upstream's answer is not a completion",
}

// clientError maps an error to what a client may see of it. header is what the upstream
// got: a key in it is the client's own.
func clientError(err error, header http.Header) *edge.Error {
	if e, ok := errors.AsType[*edge.Error](err); ok {
		return e
	}
	var answer *edge.Error
	if status, ok := errors.AsType[*llm.StatusError](err); ok {
		answer = fromStatus(status, header.Get("Authorization") != "")
	} else if cause := causeOf(err); cause == llm.CauseTimeout {
		answer = edge.Errorf(http.StatusGatewayTimeout, "the upstream did not answer in time")
	} else if errors.Is(err, llm.ErrStream) {
		answer = edge.Errorf(http.StatusBadGateway, "the upstream answers with a stream of events, which was not asked for")
	} else if text, ok := sayings[cause]; ok {
		answer = edge.Errorf(http.StatusBadGateway, "%s", text)
	} else {
		answer = edge.Errorf(http.StatusBadGateway, "the upstream's answer cannot be used")
	}
	answer.Cause = err
	return answer
}

// causeOf is [llm.CauseOf] with the gateway's own limits.
func causeOf(err error) llm.Cause {
	if errors.Is(err, errUpstreamTimeout) || errors.Is(err, context.DeadlineExceeded) {
		return llm.CauseTimeout
	}
	return llm.CauseOf(err)
}

// fromStatus maps an error of the upstream. What it says about a request is passed on
// with all its fields; what it says about a key is the client's only if the key is.
func fromStatus(e *llm.StatusError, ownKey bool) *edge.Error {
	pass := func(status int) *edge.Error {
		return &edge.Error{Status: status, Message: e.Message, Envelope: e.Detail.Envelope(), RetryAfter: e.RetryAfter}
	}
	switch s := e.Status; {
	case e.AboutKey() && !ownKey:
		return edge.Errorf(http.StatusBadGateway, "the upstream refuses the gateway's key; its operator must set another")
	case s == http.StatusTooManyRequests, s == http.StatusServiceUnavailable:
		answer := pass(s)
		answer.RetryAfter = max(answer.RetryAfter, time.Second)
		return answer
	case s == 529: // overloaded
		answer := pass(http.StatusServiceUnavailable)
		answer.RetryAfter = max(answer.RetryAfter, time.Second)
		return answer
	case s == http.StatusGatewayTimeout, s == 524: // Cloudflare's
		return edge.Errorf(http.StatusGatewayTimeout, "the upstream did not answer in time")
	case s >= http.StatusBadRequest && s < http.StatusInternalServerError:
		return pass(s)
	}
	answer := pass(http.StatusBadGateway)
	detail := e.Detail
	detail.Message = openaiapi.NewError(e.Status, "the upstream answered %d: %s", e.Status, e.Message).Message
	answer.Message, answer.Envelope = detail.Message, detail.Envelope()
	return answer
}

// logCause adds to a request's line in the log why the upstream failed it. An
// upstream's message is left out: it may quote the prompt.
func logCause(x *edge.Exchange, err error) {
	if err == nil {
		return
	}
	x.Log("cause", string(causeOf(err)))
	if status, ok := errors.AsType[*llm.StatusError](err); ok {
		x.Log("upstream_status", status.Status)
		if id := status.Header.Get("X-Request-Id"); id != "" {
			x.Log("upstream_request_id", id)
		}
	} else if call, ok := errors.AsType[*llm.CallError](err); ok {
		x.Log("error", call.Error())
	}
}
