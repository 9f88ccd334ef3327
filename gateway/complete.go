package gateway

import (
	"context"
	"net/http"
	"strconv"

	"rcvae/gateway/edge"
)

// chosenHeader tells which candidate was chosen.
const chosenHeader = "X-Rcvae-Chosen"

// record is what is known of a completion for the log, the metrics and the traces. It
// holds no text of a prompt or an answer.
type record struct {
	call  *call
	parts []part // empty: nothing was drawn
}

// complete answers a request for a completion.
func (s *Server) complete(path string) edge.Handler {
	return func(w http.ResponseWriter, r *http.Request, x *edge.Exchange) error {
		c, err := s.parse(path, r, x.Body)
		if err != nil {
			return err
		}
		rec := &record{call: c}
		defer func() { rec.log(x) }()
		ctx, end := s.traceRequest(r, rec)
		defer end()
		header := s.upHeader(ctx, r.Header, x, c.k == 1)
		switch {
		case c.k == 1:
			err = s.proxy(ctx, w, forwarded{http.MethodPost, path, c.query, header, c.body.Bytes(), c.stream}, x)
		case c.stream:
			err = s.stream(ctx, w, c, header, rec)
		default:
			err = s.answerWhole(ctx, w, c, header, rec)
		}
		return s.explain(x, header, err)
	}
}

// log adds to the request's line in the log.
func (r *record) log(x *edge.Exchange) {
	x.Log("model", r.call.model)
	x.Log("k", r.call.k)
	if len(r.parts) == 0 {
		return
	}
	drawn, returned := 0, 0
	for _, p := range r.parts {
		drawn, returned = drawn+p.Drawn, returned+len(p.Candidates)
		if p.Kind != "" {
			x.Log("fallback", p.Kind)
		}
		logCause(x, p.Err)
	}
	x.Log("selector", r.call.rule)
	x.Log("drawn", drawn)
	x.Log("returned", returned)
	x.Log("chosen", r.parts[0].Chosen)
	x.Log("tokens", usageOf(r.parts).TotalTokens)
}

// answerWhole draws, chooses and answers in one piece.
func (s *Server) answerWhole(ctx context.Context, w http.ResponseWriter, c *call, header http.Header, rec *record) error {
	parts, err := s.answerParts(ctx, c, header, rec, nil)
	if err != nil {
		return err
	}
	body, err := answer(parts)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set(chosenHeader, strconv.Itoa(parts[0].Chosen))
	if _, err := w.Write(body); err != nil {
		return edge.ErrClientGone
	}
	return nil
}
