package llm

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"rcvae/internal/openaiapi"
)

// ErrUnavailable is returned at once, without a call, while the server has failed
// too often in a row.
var ErrUnavailable = errors.New("the server failed several times in a row and is left alone for some seconds")

// StatusError is an error that the server answered with.
type StatusError struct {
	Server     string          // its base URL
	Status     int             // HTTP status, 400 or above
	Message    string          // what the server said
	RetryAfter time.Duration   // what the server asks to wait; 0 when it says nothing
	Detail     openaiapi.Error // the error as the server wrote it
	Body       []byte          // the response, at most 64 KiB
}

// Error implements error.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d %s: %s", e.Server, e.Status, http.StatusText(e.Status), e.Message)
}
