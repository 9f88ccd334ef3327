package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"rcvae/bestof"
	"rcvae/gateway/edge"
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
func (e *eventWriter) beat(every time.Duration, text func() string) (stop func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				e.send(openaiapi.AppendComment(nil, text()))
			case <-done:
				return
			}
		}
	})
	return func() { close(done); group.Wait() }
}

// stream draws while it sends heartbeats, chooses, and sends the answer in chunks.
func (s *Server) stream(ctx context.Context, w http.ResponseWriter, c *call) ([]part, error) {
	out := newEventWriter(w)
	stop := sync.OnceFunc(out.beat(s.config.Heartbeat, func() string { return "drawing candidates" }))
	defer stop() // a panic must not leave it writing to an answer that has ended
	parts, err := s.tell(out, c, func(arrivals chan<- bestof.Arrival) ([]part, error) {
		return s.answerParts(ctx, c, arrivals)
	})
	stop()
	if err == nil {
		err = sendAnswer(out, c, parts)
	}
	if out.started && err != nil && !errors.Is(err, edge.ErrClientGone) {
		out.send(openaiapi.AppendEvent(nil, "", clientError(err, c.header).Detail.Envelope()))
	}
	return parts, err
}

// sendAnswer sends which candidate was chosen, and the answer in chunks.
func sendAnswer(out *eventWriter, c *call, parts []part) error {
	chosen := strconv.Itoa(parts[0].Chosen)
	if out.started { // the header has gone
		out.writer.Header().Set(http.TrailerPrefix+chosenHeader, chosen)
	} else {
		out.writer.Header().Set(chosenHeader, chosen)
	}
	if c.Events {
		if err := out.sendJSON("selection", parts[0].block()); err != nil {
			return err
		}
	}
	if err := sendChunks(out, parts); err != nil {
		return err
	}
	if out.err != nil {
		return edge.ErrClientGone
	}
	return nil
}

// tell sends an event for each candidate, where the client asked for them, while
// answer works. It returns when the last is sent.
func (s *Server) tell(out *eventWriter, c *call, answer func(chan<- bestof.Arrival) ([]part, error)) ([]part, error) {
	if !c.Events {
		return answer(nil)
	}
	arrivals := make(chan bestof.Arrival, c.k) // a slow reader holds no candidate back
	var group sync.WaitGroup
	defer group.Wait()
	defer close(arrivals)
	group.Go(func() {
		for a := range arrivals {
			_ = out.sendJSON("candidate", struct { // these types always encode
				candidate
				Arrived int `json:"arrived"`
				K       int `json:"k"`
			}{candidateView(a.Candidate), a.Arrived, c.k})
		}
	})
	return answer(arrivals)
}
