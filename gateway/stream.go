package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"rcvae"
	"rcvae/internal/openaiapi"
	"rcvae/llm"
)

// eventWriter writes server-sent events. The response starts with the first event, so
// that what fails before still gets its own status.
type eventWriter struct {
	mu      sync.Mutex
	writer  http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration // of one write
	started bool
	err     error // the first one: the client has gone
}

func newEventWriter(w http.ResponseWriter, timeout time.Duration) *eventWriter {
	return &eventWriter{writer: w, control: http.NewResponseController(w), timeout: timeout}
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
	_ = e.control.SetWriteDeadline(time.Now().Add(e.timeout)) // a writer without deadlines is a test's
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
func (s *Server) stream(ctx context.Context, w http.ResponseWriter, c *call, header http.Header, x *exchange) error {
	out := newEventWriter(w, s.config.WriteTimeout)
	stop := out.beat(s.config.Heartbeat, func() string { return "drawing candidates" })
	var notify onChoice
	if c.Events {
		notify = func(place int, choice llm.Choice, cand rcvae.Candidate, arrived int) {
			_ = out.sendJSON("candidate", struct { // these types always encode
				candidate
				Arrived int `json:"arrived"`
				K       int `json:"k"`
			}{candidate{place, choice.Text, cand.Answer, choice.Finish, choice.Tokens, choice.ToolCalls}, arrived, c.k})
		}
	}
	p, err := s.draw(ctx, c, header, notify)
	if err != nil {
		stop()
		return out.fail(err)
	}
	d := s.decide(ctx, c, p, x)
	stop()
	if ctx.Err() != nil {
		return errClientGone
	}
	chosen := strconv.Itoa(d.chosen)
	if out.started { // the header has gone
		w.Header().Set(http.TrailerPrefix+chosenHeader, chosen)
	} else {
		w.Header().Set(chosenHeader, chosen)
	}
	if c.Events {
		if err := out.sendJSON("selection", blockOf(c, p, d)); err != nil {
			return out.fail(err)
		}
	}
	if err := sendChunks(out, c, p, d); err != nil {
		return out.fail(err)
	}
	if out.err != nil {
		return errClientGone
	}
	return nil
}

// fail ends a stream with an error event, or returns the error when nothing was sent.
func (e *eventWriter) fail(err error) error {
	if e.started && err != errClientGone { //nolint:errorlint // it is never wrapped
		e.send(openaiapi.AppendEvent(nil, "", asAPIError(err).detail.Envelope()))
	}
	return err
}

// sendChunks sends the best choices as chunks: the role first, the text in pieces, the
// tool calls, the finish reason, at last the usage and the end.
func sendChunks(out *eventWriter, c *call, p *pool, d decision) error {
	best := d.best(c.n)
	for place, i := range best {
		choice, err := choiceBody(c, p.choices[i].Raw, place)
		if err != nil {
			return err
		}
		pieces, err := piecesOf(c, choice)
		if err != nil {
			return err
		}
		for a, piece := range pieces {
			chunk, err := chunkOf(c, p, piece)
			if err != nil {
				return err
			}
			if a == len(pieces)-1 && place == len(best)-1 {
				if err := chunk.Set(blockField, blockOf(c, p, d)); err != nil {
					return err
				}
			}
			out.send(openaiapi.AppendEvent(nil, "", chunk.Bytes()))
		}
	}
	if c.includeUsage {
		chunk, err := chunkOf(c, p, nil)
		if err != nil {
			return err
		}
		if err := chunk.Set("usage", p.usage); err != nil {
			return err
		}
		out.send(openaiapi.AppendEvent(nil, "", chunk.Bytes()))
	}
	out.send(openaiapi.AppendEvent(nil, "", []byte(openaiapi.Done)))
	return nil
}

// chunkOf puts a piece of a choice into the envelope; nil is a chunk without choices.
func chunkOf(c *call, p *pool, piece json.RawMessage) (openaiapi.Body, error) {
	chunk := p.envelope.Clone()
	if c.chat() {
		if err := chunk.Set("object", "chat.completion.chunk"); err != nil {
			return chunk, err
		}
	}
	choices := []json.RawMessage{piece}
	if piece == nil {
		choices = nil
	}
	chunk.SetRaw("choices", joinRaw(choices))
	return chunk, nil
}

// pieceSize is about how many bytes of text a chunk holds.
const pieceSize = 80

// piecesOf cuts a choice into the choices of its chunks.
func piecesOf(c *call, choice openaiapi.Body) ([]json.RawMessage, error) {
	finish, _ := choice.Get("finish_reason")
	logProbs := json.RawMessage("null")
	if raw, ok := choice.Get("logprobs"); ok {
		logProbs = raw
	}
	if !c.chat() {
		return piecesOfText(choice, logProbs, finish)
	}
	raw, _ := choice.Get("message")
	message, err := openaiapi.ParseBody(raw)
	if err != nil {
		return nil, errorf(http.StatusBadGateway, "the upstream's message: %v", err)
	}
	message = message.Clone()
	content, calls := message.Text("content"), json.RawMessage(nil)
	if message.Has("tool_calls") {
		if calls, err = indexedCalls(message); err != nil {
			return nil, err
		}
	}
	message.Delete("tool_calls")
	if content != "" {
		message.SetRaw("content", []byte(`""`))
	}
	// The first delta has all other fields, such as the role and reasoning_content.
	pieces := []json.RawMessage{deltaPiece(choice, message.Bytes(), []byte("null"), nil)}
	for i, text := range cut(content, string(logProbs) == "null") {
		delta, err := json.Marshal(map[string]string{"content": text})
		if err != nil {
			return nil, err
		}
		probs := json.RawMessage("null")
		if i == 0 {
			probs = logProbs
		}
		pieces = append(pieces, deltaPiece(choice, delta, probs, nil))
	}
	if calls != nil {
		pieces = append(pieces, deltaPiece(choice, fmt.Appendf(nil, `{"tool_calls":%s}`, calls), []byte("null"), nil))
	}
	return append(pieces, deltaPiece(choice, []byte("{}"), []byte("null"), finish)), nil
}

// deltaPiece returns the choice with a delta in place of its message.
func deltaPiece(choice openaiapi.Body, delta, logProbs, finish json.RawMessage) json.RawMessage {
	index, _ := choice.Get("index")
	var piece openaiapi.Body
	piece.SetRaw("index", index)
	piece.SetRaw("delta", delta)
	piece.SetRaw("logprobs", logProbs)
	if finish == nil {
		piece.SetRaw("finish_reason", []byte("null"))
		return piece.Bytes()
	}
	// The last piece has the fields of the choice that are no chunk's.
	for key, value := range choice.All() {
		if key != "message" && key != "index" && key != "logprobs" {
			piece.SetRaw(key, value)
		}
	}
	return piece.Bytes()
}

// indexedCalls returns the tool calls with the index that chunks need.
func indexedCalls(message openaiapi.Body) (json.RawMessage, error) {
	var raws []json.RawMessage
	if _, err := message.Decode("tool_calls", &raws); err != nil {
		return nil, errorf(http.StatusBadGateway, "the upstream's tool calls: %v", err)
	}
	for i, raw := range raws {
		call, err := openaiapi.ParseBody(raw)
		if err != nil {
			return nil, errorf(http.StatusBadGateway, "the upstream's tool call: %v", err)
		}
		call = call.Clone()
		call.SetRaw("index", []byte(strconv.Itoa(i)))
		raws[i] = call.Bytes()
	}
	return joinRaw(raws), nil
}

// piecesOfText cuts a choice of a raw completion.
func piecesOfText(choice openaiapi.Body, logProbs, finish json.RawMessage) ([]json.RawMessage, error) {
	texts := append(cut(choice.Text("text"), string(logProbs) == "null"), "")
	pieces := make([]json.RawMessage, len(texts))
	for i, text := range texts {
		piece := choice.Clone()
		if err := piece.Set("text", text); err != nil {
			return nil, err
		}
		piece.SetRaw("logprobs", []byte("null"))
		piece.SetRaw("finish_reason", []byte("null"))
		if i == 0 {
			piece.SetRaw("logprobs", logProbs)
		}
		if i == len(texts)-1 && finish != nil {
			piece.SetRaw("finish_reason", finish)
		}
		pieces[i] = piece.Bytes()
	}
	return pieces, nil
}

// cut cuts a text into pieces of about pieceSize bytes, between characters, or leaves
// it whole: log-probabilities belong to all of it.
func cut(text string, may bool) []string {
	if text == "" {
		return nil
	}
	if !may {
		return []string{text}
	}
	var pieces []string
	start := 0
	for i := range text {
		if i-start >= pieceSize {
			pieces, start = append(pieces, text[start:i]), i
		}
	}
	return append(pieces, text[start:])
}
