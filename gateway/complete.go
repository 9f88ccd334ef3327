package gateway

import (
	"context"
	"net/http"
	"regexp"
	"strconv"

	"rcvae/gateway/edge"
)

// complete answers a request for a completion.
func (s *Server) complete(path string) edge.Handler {
	return func(w http.ResponseWriter, r *http.Request, x *edge.Exchange) error {
		c, err := s.parse(path, r, x.Body)
		if err != nil {
			return err
		}
		var parts []part // none: nothing was drawn
		ctx, end := s.traceRequest(r, c)
		defer func() { logCall(x, c, parts); end(parts) }()
		c.header = s.upHeader(ctx, r.Header, x, c.k == 1)
		switch {
		case c.k == 1:
			err = s.proxy(ctx, w, forwarded{http.MethodPost, path, c.query, c.header, c.body.Bytes(), c.stream}, x)
		case c.stream:
			parts, err = s.stream(ctx, w, c)
		default:
			parts, err = s.answerWhole(ctx, w, c)
		}
		return s.report(x, c.header, err)
	}
}

// quoted is what an error quotes, which may be a text of the request.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// logCall adds to the request's line in the log, but no text of a prompt or an answer.
func logCall(x *edge.Exchange, c *call, parts []part) {
	x.Log("model", c.model)
	x.Log("k", c.k)
	if len(parts) == 0 {
		return
	}
	drawn, returned := 0, 0
	for _, p := range parts {
		drawn, returned = drawn+p.Drawn, returned+len(p.Candidates)
		if p.Kind != "" {
			x.Log("fallback", p.Kind)
			x.Log("fallback_cause", quoted.ReplaceAllString(p.Fallback, "…"))
		}
		logCause(x, p.Err)
	}
	x.Log("selector", c.rule)
	x.Log("drawn", drawn)
	x.Log("returned", returned)
	x.Log("chosen", parts[0].Chosen)
	x.Log("tokens", usageOf(parts).TotalTokens)
}

// answerWhole draws, chooses and answers in one piece.
func (s *Server) answerWhole(ctx context.Context, w http.ResponseWriter, c *call) ([]part, error) {
	parts, err := s.answerParts(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	body, err := answer(parts)
	if err != nil {
		return parts, err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set(chosenHeader, strconv.Itoa(parts[0].Chosen))
	if _, err := w.Write(body); err != nil {
		return parts, edge.ErrClientGone
	}
	return parts, nil
}
