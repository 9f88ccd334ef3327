package gateway

import (
	"context"
	"errors"
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
	a := &copying{server: s, to: w, from: response.Body, silence: silence, events: events}
	return a.run(ctx, response.StatusCode)
}

// copying passes an answer on.
type copying struct {
	server  *Server
	to      http.ResponseWriter
	from    io.Reader
	silence *time.Timer // ends the call when the upstream says nothing
	events  bool        // an event stream, which is passed on piece by piece
}

// run copies. An answer that is no stream starts when its first 32 KiB are there, so
// that an upstream that breaks off before still gets a status of its own.
func (c *copying) run(ctx context.Context, status int) error {
	buffer := copyBuffers.Get().(*[32 << 10]byte)
	defer copyBuffers.Put(buffer)
	if c.events {
		c.to.WriteHeader(status)
	}
	for started := c.events; ; {
		n, err := c.read(buffer[:])
		if err != nil && err != io.EOF { //nolint:errorlint // readers return it bare
			return c.fail(ctx, err)
		}
		if !started {
			started = true
			c.to.WriteHeader(status)
		}
		if werr := c.write(buffer[:n]); werr != nil {
			return errClientGone
		}
		if err != nil {
			return nil
		}
	}
}

// read reads what there is of a stream, and as much as fits of another answer.
func (c *copying) read(buffer []byte) (n int, err error) {
	for n < len(buffer) && err == nil {
		var got int
		got, err = c.from.Read(buffer[n:])
		n += got
		if got > 0 {
			c.silence.Reset(c.server.config.UpstreamTimeout)
			if c.events {
				break
			}
		}
	}
	return n, err
}

func (c *copying) write(piece []byte) error {
	if len(piece) == 0 {
		return nil
	}
	control := http.NewResponseController(c.to)
	_ = control.SetWriteDeadline(time.Now().Add(c.server.config.WriteTimeout)) // a writer without deadlines is a test's
	if _, err := c.to.Write(piece); err != nil || !c.events {
		return err
	}
	return control.Flush()
}

// fail returns why the upstream broke off, and tells a stream's client.
func (c *copying) fail(ctx context.Context, err error) error {
	cause := c.server.proxyError(ctx, err)
	if c.events && cause != errClientGone { //nolint:errorlint // it is never wrapped
		_ = c.write(openaiapi.AppendEvent(nil, "", asAPIError(cause).detail.Envelope())) // a client that has gone cannot be told
	}
	return cause
}

// proxyError returns the reason why a forwarded call ended.
func (s *Server) proxyError(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return err
	case errors.Is(cause, errUpstreamTimeout):
		return errUpstreamTimeout
	}
	return errClientGone
}

// models passes the upstream's list of models on.
func (s *Server) models(w http.ResponseWriter, r *http.Request, x *exchange) error {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/v1")
	return s.proxy(r.Context(), w, http.MethodGet, path, s.upstreamHeader(r.Context(), r.Header), nil, x)
}
