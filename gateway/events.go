package gateway

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"rcvae/internal/openaiapi"
)

// eventWriter writes server-sent events. The response starts with the first event, so
// that what fails before still gets its own status.
type eventWriter struct {
	mu      sync.Mutex
	writer  http.ResponseWriter
	control *http.ResponseController
	started bool
	err     error // the first one: the client has gone
}

func newEventWriter(w http.ResponseWriter) *eventWriter {
	return &eventWriter{writer: w, control: http.NewResponseController(w)}
}

// send writes and flushes what is one event or more.
func (e *eventWriter) send(data []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return
	}
	if !e.started {
		e.started = true
		h := e.writer.Header()
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no") // proxies must not hold the stream back
		e.writer.WriteHeader(http.StatusOK)
	}
	if _, e.err = e.writer.Write(data); e.err == nil {
		e.err = e.control.Flush()
	}
}

func (e *eventWriter) sendJSON(name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	e.send(openaiapi.AppendEvent(nil, name, raw))
	return nil
}

// beat sends comments until stop is called, which waits for the last one.
func (e *eventWriter) beat(every time.Duration) (stop func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				e.send(openaiapi.AppendComment(nil, "drawing candidates"))
			case <-done:
				return
			}
		}
	})
	return sync.OnceFunc(func() { close(done); group.Wait() })
}
