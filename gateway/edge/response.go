package edge

import (
	"net/http"
	"time"
)

// response remembers whether the answer has begun, and gives each write its time.
type response struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	status  int
}

func newResponse(w http.ResponseWriter, timeout time.Duration) *response {
	return &response{ResponseWriter: w, control: http.NewResponseController(w), timeout: timeout}
}

// WriteHeader implements [http.ResponseWriter].
func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.deadline()
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (r *response) Write(data []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.deadline()
	return r.ResponseWriter.Write(data)
}

// FlushError is what [http.ResponseController.Flush] calls.
func (r *response) FlushError() error {
	r.deadline()
	err := r.control.Flush()
	// What was flushed is sent: HTTP/2 would end a stream that is silent for longer.
	_ = r.control.SetWriteDeadline(time.Time{})
	return err
}

// Unwrap lets [http.ResponseController] find the connection.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *response) deadline() {
	_ = r.control.SetWriteDeadline(time.Now().Add(r.timeout)) // a writer without deadlines is a test's
}
