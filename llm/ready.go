package llm

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// Ready returns nil when the server answers and takes the upstream's key. It asks
// once, for the list of models; a server that has no such list is ready too.
func (u *Upstream) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, u.options.Timeout, &timeoutError{u.options.Timeout})
	defer cancel()
	response, err := u.Forward(ctx, http.MethodGet, ModelsPath, nil, nil)
	if status, ok := errors.AsType[*StatusError](err); ok && status.Status < http.StatusInternalServerError && !status.AboutKey() {
		return nil
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	// What is left of the answer is read so that the connection can be used again.
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxErrorBody)); err != nil && !errors.Is(err, io.EOF) {
		return &CallError{u.base, CauseCut, err}
	}
	return nil
}
