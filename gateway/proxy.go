package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rcvae/gateway/edge"
	"rcvae/llm"
)

// forwarded is one call that is passed on as it is.
type forwarded struct {
	method, path, query string
	header              http.Header
	body                []byte
	stream              bool // the client asked for one
}

// embeddings passes a request for embeddings on.
func (s *Server) embeddings(w http.ResponseWriter, r *http.Request, x *edge.Exchange) error {
	return s.passOn(w, r, x, http.MethodPost, llm.EmbeddingPath)
}

// models passes the upstream's list of models on, or what it says of one.
func (s *Server) models(w http.ResponseWriter, r *http.Request, x *edge.Exchange) error {
	path := llm.ModelsPath
	if name := r.PathValue("model"); name != "" {
		for segment := range strings.SplitSeq(name, "/") {
			path += "/" + url.PathEscape(segment)
		}
	}
	if !llm.AllowedPath(path) {
		return edge.Errorf(http.StatusNotFound, "there is no such model")
	}
	return s.passOn(w, r, x, http.MethodGet, path)
}

// passOn passes a client's call on.
func (s *Server) passOn(w http.ResponseWriter, r *http.Request, x *edge.Exchange, method, path string) error {
	header := s.upHeader(r.Context(), r.Header, x, true)
	f := forwarded{method: method, path: path, query: r.URL.RawQuery, header: header, body: x.Body}
	return s.report(x, header, s.proxy(r.Context(), w, f, x))
}

// proxy passes one call to the upstream and its answer back as it comes.
func (s *Server) proxy(ctx context.Context, w http.ResponseWriter, f forwarded, x *edge.Exchange) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(s.config.UpstreamTimeout, func() { cancel(errUpstreamTimeout) })
	defer silence.Stop()
	start := time.Now()
	response, err := s.parts.Upstream.Forward(ctx, f.method, f.path+"?"+f.query, f.header, f.body)
	if err != nil {
		if status, ok := errors.AsType[*llm.StatusError](err); ok {
			s.downHeader(w.Header(), status.Header)
		}
		return proxyError(ctx, err)
	}
	defer response.Body.Close()
	s.metrics.upstream.WithLabelValues(modeProxy).Observe(time.Since(start).Seconds())
	h := w.Header()
	s.downHeader(h, response.Header)
	if id := response.Header.Get("X-Request-Id"); id != "" {
		x.Log("upstream_request_id", id)
	}
	if f.method == http.MethodPost {
		h[chosenHeader] = []string{"0"}
	}
	events := f.stream || strings.HasPrefix(h.Get("Content-Type"), "text/event-stream")
	if events {
		h.Set("X-Accel-Buffering", "no")
		h.Del("Content-Length") // an error event may come behind
	}
	c := &copying{server: s, header: f.header, to: w, from: response.Body, silence: silence, events: events}
	return c.run(ctx, response.StatusCode)
}

// upHeader returns what of a client's header goes to the upstream. own says that the
// call is the client's, and not one of several that are made for it.
func (s *Server) upHeader(ctx context.Context, from http.Header, x *edge.Exchange, own bool) http.Header {
	header := http.Header{"X-Request-Id": {x.ID}}
	for name, values := range from {
		if matches(name, passedUp) || matches(name, s.passed) || own && matches(name, passedUpK1) {
			header[name] = values
		}
	}
	if s.config.ForwardKeys {
		if value, ok := from["Authorization"]; ok {
			header["Authorization"] = value
		} else if key := edge.ClientKey(from); key != "" {
			header["Authorization"] = []string{"Bearer " + key}
		}
	}
	s.injectTrace(ctx, header)
	return header
}

// downHeader copies what of the upstream's header a client gets when the answer is the
// upstream's own.
func (s *Server) downHeader(to, from http.Header) {
	for name, values := range from {
		if matches(name, passedDown) || matches(name, s.passed) && !matches(name, neverPassed) {
			to[name] = values
		}
	}
}
