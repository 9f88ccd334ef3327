package gateway

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"rcvae/internal/openaiapi"
)

// passedUp are the header fields of a client that the upstream gets; names that start
// with "Openai-" are passed too. A client's key is not among them.
var passedUp = []string{"Accept", "Content-Type", "User-Agent", "X-Request-Id", "Traceparent", "Tracestate"}

// passedDown are the header fields of the upstream that a client gets.
var passedDown = []string{"Content-Type", "Content-Length", "Cache-Control", "X-Request-Id"}

// upstreamHeader returns what of a client's header goes to the upstream.
func (s *Server) upstreamHeader(ctx context.Context, from http.Header) http.Header {
	header := make(http.Header, 4)
	for _, name := range passedUp {
		if value, ok := from[name]; ok {
			header[name] = value
		}
	}
	for name, value := range from {
		if strings.HasPrefix(name, "Openai-") {
			header[name] = value
		}
	}
	if value, ok := from["Authorization"]; ok && s.config.ForwardKeys {
		header["Authorization"] = value
	}
	s.injectTrace(ctx, header)
	return header
}

var copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// proxy passes one call to the upstream and its answer back as it comes.
func (s *Server) proxy(ctx context.Context, w http.ResponseWriter, method, path string, header http.Header, body []byte, x *exchange) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(s.config.UpstreamTimeout, func() { cancel(errUpstreamTimeout) })
	defer silence.Stop()
	start := time.Now()
	response, err := s.parts.Upstream.Forward(ctx, method, path, header, body)
	if err != nil {
		return s.proxyError(ctx, err)
	}
	defer response.Body.Close()
	s.metrics.forwarded(time.Since(start))
	if response.StatusCode >= http.StatusBadRequest {
		return fromResponse(response)
	}
	x.mode = modeProxy
	h := w.Header()
	for _, name := range passedDown {
		if value, ok := response.Header[name]; ok {
			h[name] = value
		}
	}
	if method == http.MethodPost {
		h[chosenHeader] = []string{"0"}
	}
	events := strings.HasPrefix(h.Get("Content-Type"), "text/event-stream")
	if events {
		h.Set("X-Accel-Buffering", "no")
	}
	w.WriteHeader(response.StatusCode)
	return s.copyAnswer(ctx, w, response.Body, events, silence)
}

// copyAnswer copies an answer, an event stream piece by piece.
func (s *Server) copyAnswer(ctx context.Context, w http.ResponseWriter, from io.Reader, events bool, silence *time.Timer) error {
	control := http.NewResponseController(w)
	buffer := copyBuffers.Get().(*[32 << 10]byte)
	defer copyBuffers.Put(buffer)
	for {
		n, err := from.Read(buffer[:])
		if n > 0 {
			silence.Reset(s.config.UpstreamTimeout)
			_ = control.SetWriteDeadline(time.Now().Add(s.config.WriteTimeout)) // a writer without deadlines is a test's
			if _, err := w.Write(buffer[:n]); err != nil {
				return errClientGone
			}
			if events && control.Flush() != nil {
				return errClientGone
			}
		}
		switch {
		case err == io.EOF: //nolint:errorlint // readers return it bare
			return nil
		case err != nil:
			cause := s.proxyError(ctx, err)
			if events && cause != errClientGone { //nolint:errorlint // it is never wrapped
				_, _ = w.Write(openaiapi.AppendEvent(nil, "", asAPIError(cause).detail.Envelope())) // a client that has gone cannot be told
				_ = control.Flush()
			}
			return cause
		}
	}
}

// proxyError returns the reason why a forwarded call ended.
func (s *Server) proxyError(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); cause { //nolint:errorlint // causes are never wrapped
	case nil:
		return err
	case errUpstreamTimeout:
		return errUpstreamTimeout
	}
	return errClientGone
}

// models passes the upstream's list of models on.
func (s *Server) models(w http.ResponseWriter, r *http.Request, x *exchange) error {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/v1")
	return s.proxy(r.Context(), w, http.MethodGet, path, s.upstreamHeader(r.Context(), r.Header), nil, x)
}
