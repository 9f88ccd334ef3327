package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"rcvae/internal/retry"
)

const (
	retries     = 5        // of one request, after errors that pass
	maxDocument = 16 << 20 // bytes of a list of files
)

// document reads a JSON document into v.
func (c Cache) document(ctx context.Context, address string, v any) (header http.Header, err error) {
	err = retry.Do(ctx, retries, func() error {
		response, err := c.request(ctx, address, 0)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		data, err := io.ReadAll(io.LimitReader(response.Body, maxDocument))
		if err != nil {
			return passing(ctx, fmt.Errorf("%s: %w", address, err))
		}
		if err := json.Unmarshal(data, v); err != nil {
			return fmt.Errorf("%s: %w", address, err)
		}
		header = response.Header
		return nil
	})
	return header, err
}

// request makes a GET from an offset on. A status that is not one of success is an error.
func (c Cache) request(ctx context.Context, address string, from int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "rcvae")
	request.Header.Set("Accept-Encoding", "identity") // the hash is that of the bytes as they are
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if from > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	response, err := c.client().Do(request)
	if err != nil {
		return nil, passing(ctx, err)
	}
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusPartialContent {
		return response, nil
	}
	defer response.Body.Close()
	return nil, c.refused(response)
}

// client returns an HTTP client that keeps the token from other hosts than the hub.
func (c Cache) client() *http.Client {
	client := http.Client{}
	if c.Client != nil {
		client = *c.Client
	}
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		if r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme {
			r.Header.Del("Authorization")
		}
		return nil
	}
	return &client
}

// refused explains a response without what was asked for.
func (c Cache) refused(response *http.Response) error {
	code := response.Header.Get("X-Error-Code")
	message := cmp.Or(response.Header.Get("X-Error-Message"), http.StatusText(response.StatusCode))
	err := fmt.Errorf("status %d: %s", response.StatusCode, message)
	switch {
	case code == "GatedRepo":
		return fmt.Errorf("%w; the model is gated: ask for access on its page, then set HF_TOKEN", err)
	case code == "RevisionNotFound":
		return fmt.Errorf("%w; there is no such revision", err)
	case code == "RepoNotFound", response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w; there is no such model, or it is private: check the name, and set HF_TOKEN", err)
	case retry.PassingStatus(response.StatusCode):
		return retry.Passing(err, retry.After(response.Header, time.Now(), time.Minute))
	}
	return err
}

// passing marks an error of the connection, unless the context ended it.
func passing(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return retry.Passing(err, 0)
}
