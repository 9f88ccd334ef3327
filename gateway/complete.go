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
	route  string
	call   *call
	pool   *pool    // nil: nothing was drawn
	choice decision // of the pool
}

// complete answers a request for a completion.
func (s *Server) complete(path string) edge.Handler {
	return func(w http.ResponseWriter, r *http.Request, x *edge.Exchange) error {
		c, err := s.parse(path, r.Header, x.Body)
		if err != nil {
			return err
		}
		rec := &record{route: x.Route, call: c}
		defer func() { rec.log(x) }()
		ctx, end := s.traceRequest(r, rec)
		defer end()
		header := s.upHeader(ctx, r.Header, x, c.k == 1)
		switch {
		case c.k == 1:
			err = s.proxy(ctx, w, forwarded{http.MethodPost, path, header, c.body.Bytes(), c.stream}, x)
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
	if r.pool == nil {
		return
	}
	x.Log("selector", r.call.rule)
	x.Log("drawn", r.pool.drawn)
	x.Log("returned", len(r.pool.choices))
	x.Log("chosen", r.choice.chosen)
	x.Log("tokens", r.pool.usage.TotalTokens)
	if r.choice.kind != "" {
		x.Log("fallback", r.choice.kind)
	}
	logCause(x, r.pool.err)
}

// answerWhole draws, chooses and answers in one piece.
func (s *Server) answerWhole(ctx context.Context, w http.ResponseWriter, c *call, header http.Header, rec *record) error {
	p, err := s.draw(ctx, c, header, nil)
	if err != nil {
		return err
	}
	d := s.decide(ctx, c, p, rec)
	if ctx.Err() != nil {
		return edge.ErrClientGone
	}
	body, err := answer(c, p, d)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set(chosenHeader, strconv.Itoa(d.chosen))
	if _, err := w.Write(body); err != nil {
		return edge.ErrClientGone
	}
	return nil
}

// decide chooses and tells metrics, traces and the decision log.
func (s *Server) decide(ctx context.Context, c *call, p *pool, rec *record) decision {
	ctx, end := s.traceSelection(ctx, c)
	d := s.choose(ctx, c, p)
	end(d)
	rec.pool, rec.choice = p, d
	s.metrics.decided(s.parts.Rules[c.rule], c.rule, p, d)
	s.record(c, p, d)
	return d
}
