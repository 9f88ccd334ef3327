package rcvaetest

import (
	"fmt"
	"net/http"
)

// Fault is one thing that goes wrong with a call. At most one field is set, besides
// RetryAfter and Message, which belong to Status.
type Fault struct {
	Status     int             // an error response
	RetryAfter string          // its header
	Message    string          // its text; empty: the status text
	Half       bool            // the response stops in its middle and the connection closes
	Silent     bool            // no response until the client goes away
	Garbage    bool            // status 200 and no JSON
	Reset      bool            // the connection closes without a response
	Wait       <-chan struct{} // the response waits for this channel to be closed, then it is a good one
}

// play plays the fault and reports whether the call is over.
func (f *Fault) play(w http.ResponseWriter, r *http.Request) (over bool) {
	switch {
	case f.Status != 0:
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		message := f.Message
		if message == "" {
			message = http.StatusText(f.Status)
		}
		refuse(w, f.Status, "%s", message)
	case f.Half:
		const text = `{"id": "half", "object": "chat.completion", "choices": [{"index": 0, "message": {"role"`
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(2*len(text)))
		_, _ = w.Write([]byte(text))              // what follows is the fault
		_ = http.NewResponseController(w).Flush() // a writer without it keeps nothing back
		panic(http.ErrAbortHandler)
	case f.Silent:
		<-r.Context().Done()
	case f.Garbage:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("<html>bad gateway</html>")) // the client may be gone
	case f.Reset:
		panic(http.ErrAbortHandler)
	case f.Wait != nil:
		select {
		case <-f.Wait:
			return false
		case <-r.Context().Done():
		}
	default:
		return false
	}
	return true
}
