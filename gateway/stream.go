package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"rcvae/bestof"
	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
)

// stream draws while it sends heartbeats, chooses, and sends the answer in chunks.
func (s *Server) stream(ctx context.Context, w http.ResponseWriter, c *call) ([]part, error) {
	out := newEventWriter(w)
	stop := out.beat(s.config.Heartbeat)
	defer stop() // a panic must not leave it writing to an answer that has ended
	parts, err := out.tell(c, func(arrivals chan<- bestof.Arrival) ([]part, error) {
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
func (e *eventWriter) tell(c *call, answer func(chan<- bestof.Arrival) ([]part, error)) ([]part, error) {
	if !c.Events {
		return answer(nil)
	}
	arrivals := make(chan bestof.Arrival, c.k) // a slow reader holds no candidate back
	var group sync.WaitGroup
	defer group.Wait()
	defer close(arrivals)
	group.Go(func() {
		for a := range arrivals {
			_ = e.sendJSON("candidate", struct { // these types always encode
				candidate
				Arrived int `json:"arrived"`
				K       int `json:"k"`
			}{candidateView(a.Candidate), a.Arrived, c.k})
		}
	})
	return answer(arrivals)
}
