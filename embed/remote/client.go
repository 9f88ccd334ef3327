package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"rcvae/embed"
	"rcvae/internal/openaiapi"
	"rcvae/internal/redact"
	"rcvae/internal/retry"
)

const (
	maxAnswer = 256 << 20 // bytes
	maxError  = 64 << 10  // bytes of an error that are read
)

// KeyVariable is the environment variable that the command line reads a server's key
// from.
const KeyVariable = "RCVAE_EMBED_KEY"

// client makes calls to one server.
type client struct {
	base    string
	key     string
	timeout time.Duration
	retries int
	http    *http.Client
	slots   chan struct{} // one element per call under way
}

func newClient(base string, o Options) *client {
	c := &client{base: base, key: o.Key, timeout: o.Timeout, retries: o.Retries, http: o.Client, slots: make(chan struct{}, o.Concurrency)}
	if c.http == nil {
		c.http = &http.Client{}
	}
	own := *c.http
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the key is for this server
	c.http = &own
	return c
}

// statusError is an error that the server answered with.
type statusError struct {
	server  string
	status  int
	message string
	code    any // of OpenAI's errors
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answered %d %s: %s", e.server, e.status, http.StatusText(e.status), e.message)
}

// The ways in which servers say that a text, or a call, is too long: "`inputs` must have
// less than 512 tokens" (text-embeddings-inference), "maximum context length is 8192
// tokens" (vLLM, OpenAI), "maximum of 300000 tokens per request" (OpenAI), "input is too
// large to process", "larger than the max context size", "exceeds the available context
// size" (llama.cpp), "the input length exceeds the context length" (Ollama), "cannot exceed
// 8194 tokens" (Jina).
var complaintsAboutLength = regexp.MustCompile(`(?i)\b(text|input|prompt|sequence)s?\b.{0,40}too (long|large)|less than \d+ tokens|maximum (context|input|sequence)|` +
	`tokens per request|larger than the max|exceeds? (the |maximum |max )?(available )?(context|\w+ of \d+ tokens|\d+ tokens|model|max)|cannot exceed \d+ tokens`)

// tooLong reports whether the server refuses the length of what it was sent.
func (e *statusError) tooLong() bool {
	switch e.status {
	case http.StatusRequestEntityTooLarge:
		return true
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError:
		return complaintsAboutLength.MatchString(e.message)
	}
	return false
}

// rejects reports whether the server refuses a field of what it was sent.
func (e *statusError) rejects(field string) bool {
	return (e.status == http.StatusBadRequest || e.status == http.StatusUnprocessableEntity) && strings.Contains(e.message, field)
}

// errSlow is the error of a call that had no answer in time.
var errSlow = errors.New("no answer in time")

// post sends a body as JSON and gives the answer to read, with repetitions. A call that
// the caller can divide is not repeated after [errSlow]: the same would take as long again.
func (c *client) post(ctx context.Context, path string, body any, divisible bool, read func([]byte) error) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.repeat(ctx, http.MethodPost, path, data, divisible, read)
}

// get reads a JSON document into v.
func (c *client) get(ctx context.Context, path string, v any) error {
	return c.repeat(ctx, http.MethodGet, path, nil, false, func(data []byte) error {
		if err := json.Unmarshal(data, v); err != nil {
			return fmt.Errorf("%s%s: %w", c.base, path, err)
		}
		return nil
	})
}

func (c *client) repeat(ctx context.Context, method, path string, body []byte, divisible bool, read func([]byte) error) error {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.slots }()
	return retry.Do(ctx, c.retries, func() error {
		answer, err := c.attempt(ctx, method, path, body)
		if errors.Is(err, errSlow) && !divisible {
			err = retry.Passing(err, 0)
		}
		if err != nil {
			return err
		}
		return read(answer)
	})
}

// attempt makes one call. Errors that pass are marked.
func (c *client) attempt(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "rcvae")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, c.refused(response)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, c.broken(ctx, fmt.Errorf("read the answer: %w", err))
	}
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("%s: the answer has more than %d MiB", c.base, maxAnswer>>20)
	}
	return answer, nil
}

// broken returns the error of a call that did not come to an answer.
func (c *client) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w: it has %v", c.base, errSlow, c.timeout)
	}
	return retry.Passing(fmt.Errorf("%s: %w", c.base, err), 0)
}

// refused reads the error that a response carries.
func (c *client) refused(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxError)) // what came is enough
	detail := openaiapi.ParseError(response.StatusCode, []byte(redact.Key(string(body), c.key)))
	e := &statusError{c.base, response.StatusCode, detail.Message, detail.Code}
	switch location := response.Header.Get("Location"); {
	case response.StatusCode < http.StatusBadRequest && location != "":
		return fmt.Errorf("%s redirects to %s: name that URL", c.base, location)
	case e.tooLong():
		return fmt.Errorf("%w: %w", embed.ErrTooLong, e)
	case e.code == "insufficient_quota": // OpenAI's 429 that no wait mends
		return e
	case retry.PassingStatus(e.status):
		return retry.Passing(e, retry.After(response.Header, time.Now(), time.Minute))
	case e.status == http.StatusUnauthorized || e.status == http.StatusForbidden:
		return fmt.Errorf("%w; the key is read from %s", e, KeyVariable)
	}
	return e
}
