package gateway

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// chosenHeader tells which candidate was chosen.
const chosenHeader = "X-Rcvae-Chosen"

// complete answers a request for a completion.
func (s *Server) complete(path string) handler {
	return func(w http.ResponseWriter, r *http.Request, x *exchange) error {
		if err := s.queue.enter(r.Context()); err != nil {
			return err
		}
		defer s.queue.leave()
		data, err := s.readBody(w, r)
		if err != nil {
			return err
		}
		c, err := s.parse(path, r.Header, data)
		if err != nil {
			return err
		}
		x.model, x.k, x.rule, x.stream = c.model, c.k, c.rule, c.stream
		ctx, end := s.traceRequest(r, x)
		defer end()
		header := s.upstreamHeader(ctx, r.Header)
		switch {
		case c.k == 1:
			return s.proxy(ctx, w, http.MethodPost, path, header, c.body.Bytes(), x)
		case c.stream:
			return s.stream(ctx, w, c, header, x)
		}
		return s.answerWhole(ctx, w, c, header, x)
	}
}

// answerWhole draws, chooses and answers in one piece.
func (s *Server) answerWhole(ctx context.Context, w http.ResponseWriter, c *call, header http.Header, x *exchange) error {
	p, err := s.draw(ctx, c, header, nil)
	if err != nil {
		return err
	}
	d := s.decide(ctx, c, p, x)
	if ctx.Err() != nil {
		return errClientGone
	}
	body, err := answer(c, p, d)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set(chosenHeader, strconv.Itoa(d.chosen))
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.config.WriteTimeout))
	if _, err := w.Write(body); err != nil {
		return errClientGone
	}
	return nil
}

// decide chooses and tells metrics, traces and the decision log.
func (s *Server) decide(ctx context.Context, c *call, p *pool, x *exchange) decision {
	ctx, end := s.traceSelection(ctx, c)
	d := s.choose(ctx, c, p)
	end(d)
	x.drawn, x.returned, x.chosen, x.fallback = p.drawn, len(p.choices), d.chosen, d.kind
	x.usage, x.finish = p.usage, p.choices[d.chosen].Finish
	s.metrics.decided(c.rule, p, d)
	s.record(c, p, d)
	return d
}
