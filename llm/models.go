package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Models returns the names of the server's models.
func (u *Upstream) Models(ctx context.Context) ([]string, error) {
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	err := u.call(ctx, http.MethodGet, "/models", nil, nil, func(answer []byte) error {
		if err := json.Unmarshal(answer, &list); err != nil {
			return fmt.Errorf("the answer is not a list of models: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	names := make([]string, 0, len(list.Data))
	for _, model := range list.Data {
		names = append(names, model.ID)
	}
	return names, nil
}

// Ready returns nil when the server answers and takes the upstream's key. It asks
// once, for the list of models; a server that has no such list is ready too.
func (u *Upstream) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, u.options.Timeout, &timeoutError{u.base, u.options.Timeout})
	defer cancel()
	response, err := u.Forward(ctx, http.MethodGet, "/models", nil, nil)
	if err != nil {
		return causeOf(ctx, err)
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode >= http.StatusInternalServerError,
		response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return u.statusError(response)
	}
	// What is left of the answer is read so that the connection can be used again.
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxErrorBody)); err != nil && !errors.Is(err, io.EOF) {
		return causeOf(ctx, fmt.Errorf("%s: %w", u.base, err))
	}
	return nil
}
