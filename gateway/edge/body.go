package edge

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// budget bounds the bytes of all bodies together.
type budget struct{ left atomic.Int64 }

func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

// checkBody refuses bodies that are not plain JSON. Note: this also keeps web pages
// out, which can send other types to any address without being asked for their origin.
func checkBody(r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return rejected(rejectedBody, http.StatusUnsupportedMediaType, "the request's Content-Type is %q; send 'Content-Type: application/json'", r.Header.Get("Content-Type"))
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return rejected(rejectedBody, http.StatusUnsupportedMediaType, "the request's Content-Encoding is %q; send the body without compression", encoding)
	}
	return nil
}

// chunk is how many bytes of a body are charged at a time.
const chunk = 64 << 10

// readBody reads a request's body within the limits on its size, its time and the
// bytes of all. Bytes are charged as they arrive, so that a promise of many costs
// nothing; free gives them back and is never nil.
func (e *Edge) readBody(w http.ResponseWriter, r *http.Request) (data []byte, free func(), err error) {
	charged := int64(0)
	free = func() { e.memory.left.Add(charged) }
	if r.ContentLength > e.config.MaxBody {
		return nil, free, e.bodyTooLarge()
	}
	var buffer bytes.Buffer
	for err == nil {
		if !e.memory.take(chunk) {
			full := rejected(rejectedMemory, http.StatusTooManyRequests, "the requests under way hold as many bytes as this gateway may; try again later")
			full.RetryAfter = time.Second
			return nil, free, full
		}
		charged += chunk
		_, err = io.CopyN(&buffer, r.Body, chunk)
		if int64(buffer.Len()) > e.config.MaxBody {
			return nil, free, e.bodyTooLarge()
		}
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, free, rejected(rejectedBody, http.StatusRequestTimeout, "the request's body did not arrive within %v", e.config.BodyTimeout)
	case !errors.Is(err, io.EOF) || r.ContentLength >= 0 && int64(buffer.Len()) != r.ContentLength:
		return nil, free, rejected(rejectedBody, http.StatusBadRequest, "the request's body ends early or is damaged")
	}
	// The deadline must not stay, or its end would cancel the running request.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return buffer.Bytes(), free, nil
}

func (e *Edge) bodyTooLarge() error {
	return rejected(rejectedBody, http.StatusRequestEntityTooLarge, "the request has more than %d bytes, which is the limit here", e.config.MaxBody)
}
