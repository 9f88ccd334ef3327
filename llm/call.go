package llm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"rcvae/internal/openaiapi"
	"rcvae/internal/redact"
	"rcvae/internal/retry"
)

const (
	maxResponse  = 256 << 20 // bytes of a response
	maxErrorBody = 64 << 10  // bytes kept of an error response
	smallBody    = 64 << 10  // bytes of a request that are copied into one piece
)

// errTooLarge is not worth a retry.
var errTooLarge = fmt.Errorf("the answer has more than %d MiB", maxResponse>>20)

// call asks for a completion with a body in pieces, and again as [retries] says. An answer
// that is no completion counts as a failure of the server.
func (u *Upstream) call(ctx context.Context, path string, header http.Header, body [][]byte) (completion, error) {
	r := retries{options: u.options, start: time.Now()}
	for {
		c, err := u.attempt(ctx, path, header, body)
		if err == nil || ctx.Err() != nil {
			return c, err
		}
		delay, again := r.next(err)
		if !again {
			return c, err
		}
		if err := retry.Pause(ctx, delay); err != nil {
			return c, err
		}
	}
}

// attempt makes one call within the limits on time and concurrency.
func (u *Upstream) attempt(ctx context.Context, path string, header http.Header, body [][]byte) (c completion, err error) {
	select {
	case u.slots <- struct{}{}:
	case <-ctx.Done():
		return c, ctx.Err()
	}
	defer func() { <-u.slots }()
	ctx, cancel := context.WithTimeoutCause(ctx, u.options.Timeout, &timeoutError{u.options.Timeout})
	defer cancel()
	response, err := u.send(ctx, http.MethodPost, path, header, body)
	if err != nil {
		return c, err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		return c, u.statusError(response, response.Body)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return c, u.ended(ctx)
	case err != nil:
		return c, &CallError{u.base, CauseCut, fmt.Errorf("the answer stopped in its middle: %w", err)}
	case len(answer) > maxResponse:
		return c, &CallError{u.base, CauseFormat, errTooLarge}
	}
	c, err = parseCompletion(answer)
	switch {
	case errors.Is(err, errInAnswer):
		return c, u.statusError(response, bytes.NewReader(answer))
	case err != nil:
		return c, &CallError{u.base, CauseFormat, err}
	}
	return c, nil
}

// ended returns why ctx ended: errors of a cancelled call vary.
func (u *Upstream) ended(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.As(cause, new(*timeoutError)) {
		return &CallError{u.base, CauseTimeout, cause}
	}
	return ctx.Err()
}

// Forward makes one call as it is, without retries, limits or a timeout. It returns a
// response with a good status; any other, a redirect too, is a [StatusError]. The path is
// one of those of the API, relative to the base URL, with a query behind it or without.
// The caller closes the response's body. The header is not changed; the upstream's key is
// added unless it has an Authorization.
func (u *Upstream) Forward(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	var pieces [][]byte
	if len(body) > 0 {
		pieces = [][]byte{body}
	}
	response, err := u.send(ctx, method, path, header, pieces)
	if err != nil || response.StatusCode < http.StatusMultipleChoices {
		return response, err
	}
	defer response.Body.Close()
	return nil, u.statusError(response, response.Body)
}

// send makes one call, with a body in pieces or nil. Note: a client would follow
// redirects and take the key along; a transport does not.
func (u *Upstream) send(ctx context.Context, method, path string, header http.Header, pieces [][]byte) (*http.Response, error) {
	path, query, _ := strings.Cut(path, "?")
	if !AllowedPath(path) {
		return nil, fmt.Errorf("%s: the path %q is not one of the API's", u.base, path)
	}
	request, err := http.NewRequestWithContext(ctx, method, u.base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.base, err)
	}
	if request.URL.RawQuery = query; len(u.query) > 0 {
		all := request.URL.Query()
		maps.Copy(all, u.query)
		request.URL.RawQuery = all.Encode()
	}
	maps.Copy(request.Header, header)
	setDefault := func(key, value string) {
		if _, ok := request.Header[key]; !ok && value != "" {
			request.Header[key] = []string{value}
		}
	}
	if pieces != nil {
		setDefault("Content-Type", "application/json")
		setBody(request, pieces)
	}
	setDefault("User-Agent", "rcvae")
	if u.options.Key != "" {
		setDefault("Authorization", "Bearer "+u.options.Key)
	}
	response, err := u.transport.RoundTrip(request)
	switch {
	case err == nil:
		return response, nil
	case ctx.Err() != nil:
		return nil, u.ended(ctx)
	}
	return nil, &CallError{u.base, connectCause(err), err}
}

// setBody gives a request a body that the transport can read again, for a connection that
// it finds closed. One in one piece leaves together with the header; small ones are made so.
func setBody(request *http.Request, pieces [][]byte) {
	size := 0
	for _, piece := range pieces {
		size += len(piece)
	}
	if len(pieces) > 1 && size <= smallBody {
		pieces = [][]byte{bytes.Join(pieces, nil)}
	}
	request.ContentLength = int64(size)
	request.GetBody = func() (io.ReadCloser, error) {
		if len(pieces) == 1 {
			return io.NopCloser(bytes.NewReader(pieces[0])), nil
		}
		buffers := net.Buffers(slices.Clone(pieces)) // reading takes pieces away
		return io.NopCloser(&buffers), nil
	}
	request.Body, _ = request.GetBody() // it cannot fail
}

// statusError reads the error that a response carries, some under status 200: then the
// status is the one that its code names.
func (u *Upstream) statusError(response *http.Response, body io.Reader) *StatusError {
	text, _ := io.ReadAll(io.LimitReader(body, maxErrorBody)) // what came is enough
	e := &StatusError{
		Server: u.base, Status: response.StatusCode, Header: response.Header, Under200: response.StatusCode < http.StatusMultipleChoices,
		RetryAfter: retry.After(response.Header, time.Now(), maxRetryAfter),
	}
	if e.Under200 {
		e.Status = http.StatusBadGateway
	}
	e.Detail = openaiapi.ParseError(e.Status, []byte(redact.Key(string(text), u.options.Key)))
	if code, ok := e.Detail.Code.(float64); e.Under200 && ok && code >= 400 && code < 600 {
		e.Status = int(code)
	}
	if e.Status < http.StatusBadRequest {
		e.Detail = openaiapi.NewError(http.StatusBadGateway, "it redirects to another address, which is not followed; name that address as the upstream")
	}
	return e
}
