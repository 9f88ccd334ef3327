package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
	"rcvae/llm"
)

var copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// copying passes an answer on.
type copying struct {
	server  *Server
	header  http.Header // that the upstream got
	to      http.ResponseWriter
	from    io.Reader
	silence *time.Timer // ends the call when the upstream says nothing
	events  bool        // an event stream, which is passed on piece by piece
	half    []byte      // of an event that is not complete
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
		piece := buffer[:n]
		if c.events {
			piece = c.whole(piece, err == io.EOF) //nolint:errorlint // readers return it bare
		}
		if werr := c.write(piece); werr != nil {
			return edge.ErrClientGone
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

// maxHalf bounds what is held back of one event, in bytes.
const maxHalf = 1 << 20

// whole returns the complete events of what was held back and a new piece, and holds
// back the rest: if the stream breaks off, a client must get a whole event that says
// so. At the end, and of an event that is too long, everything is passed on.
func (c *copying) whole(piece []byte, end bool) []byte {
	data := append(c.half, piece...)
	cut := len(data)
	if !end && len(data) < maxHalf {
		cut = 0
		for _, blank := range []string{"\n\n", "\r\n\r\n", "\r\r"} {
			if i := bytes.LastIndex(data, []byte(blank)); i >= 0 {
				cut = max(cut, i+len(blank))
			}
		}
	}
	c.half = bytes.Clone(data[cut:])
	return data[:cut]
}

func (c *copying) write(piece []byte) error {
	if len(piece) == 0 {
		return nil
	}
	if _, err := c.to.Write(piece); err != nil || !c.events {
		return err
	}
	return http.NewResponseController(c.to).Flush()
}

// fail returns why the upstream broke off, and tells a stream's client.
func (c *copying) fail(ctx context.Context, err error) error {
	cause := proxyError(ctx, &llm.CallError{Server: "the upstream", Cause: llm.CauseCut, Err: err})
	if c.events && !errors.Is(cause, edge.ErrClientGone) {
		_ = c.write(openaiapi.AppendEvent(nil, "", clientError(cause, c.header).Detail.Envelope())) // a client that has gone cannot be told
	}
	return cause
}

// proxyError returns the reason why a forwarded call ended.
func proxyError(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return err
	case errors.Is(cause, errUpstreamTimeout):
		return errUpstreamTimeout
	}
	return edge.ErrClientGone
}
