package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/textproto"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rcvae/bestof"
	"rcvae/gateway/edge"
	"rcvae/llm"
)

// Server is the gateway. It is safe for concurrent use.
type Server struct {
	config    Config
	parts     Parts
	passed    []string // canonical names of [Config.PassHeaders]
	log       *slog.Logger
	edge      *edge.Edge
	engine    *bestof.Engine
	handler   http.Handler
	metrics   *metrics
	tracing   *tracing
	decisions *decisionLog
	readiness readiness
}

// New returns a server. The caller closes it.
func New(c Config, p Parts) (*Server, error) {
	if err := errors.Join(c.Validate(), p.check(c)); err != nil {
		return nil, err
	}
	s := &Server{config: c, parts: p, log: p.Logger}
	for _, name := range c.PassHeaders {
		s.passed = append(s.passed, textproto.CanonicalMIMEHeaderKey(name))
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if s.edge, err = edge.New(c.Config, s.log, func(x *edge.Exchange) { s.metrics.served(x) }); err != nil {
		return nil, err
	}
	s.metrics = newMetrics(s.edge, &s.readiness, p)
	s.engine = &bestof.Engine{Extract: p.Extract, SelectTimeout: c.SelectTimeout, MaxText: c.MaxSelectText, OnPanic: s.logPanic}
	if s.tracing, err = newTracing(c.Traces); err != nil {
		return nil, err
	}
	if c.Decisions != "" {
		s.decisions, err = openDecisions(c.Decisions, c.DecisionTexts, func(n int) { s.metrics.dropped.Add(float64(n)) })
		if err != nil {
			return nil, errors.Join(err, s.tracing.close(context.Background()))
		}
	}
	s.readiness.start(p.Upstream, readyEvery)
	s.handler = s.edge.Guard(s.routes())
	return s, nil
}

// Close ends what runs beside requests and writes what the decision log and the traces
// still hold. No request may be under way.
func (s *Server) Close() error {
	s.readiness.close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(s.decisions.close(), s.tracing.close(ctx))
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers on the listener until ctx ends, then drains: readyz turns 503 at once,
// after [edge.Config.DrainDelay] no connection is accepted any more, and running
// requests have [edge.Config.DrainTimeout] to finish. It closes the listener and
// returns nil after a complete drain.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	return s.edge.Serve(ctx, listener, s, func() { s.readiness.draining.Store(true) })
}

// Stop ends a drain at once. It may be called once.
func (s *Server) Stop() { s.edge.Stop() }

// routes have the names that metrics and logs call them by.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, route edge.Route, h edge.Handler) { mux.Handle(pattern, s.edge.Handle(route, h)) }
	models, other, open := edge.Route{Name: "models"}, edge.Route{Name: "other"}, edge.Route{Name: "other", Open: true}
	for _, root := range []string{"/v1", "/openai/deployments/{deployment}"} { // Azure's clients know the second
		post := func(name, path string, h edge.Handler) {
			handle("POST "+root+path, edge.Route{Name: name, Body: true}, h)
			handle(root+path, other, wrongMethod("POST"))
		}
		post("chat", llm.ChatPath, s.complete(llm.ChatPath))
		post("completions", llm.CompletionPath, s.complete(llm.CompletionPath))
		post("embeddings", llm.EmbeddingPath, s.embeddings)
	}
	handle("GET /v1/models", models, s.models)
	handle("GET /v1/models/{model...}", models, s.models)
	handle("/v1/models", other, wrongMethod("GET"))
	metrics := promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{})
	handle("GET /metrics", open, func(w http.ResponseWriter, r *http.Request, _ *edge.Exchange) error {
		metrics.ServeHTTP(w, r)
		return nil
	})
	handle("GET /healthz", open, func(w http.ResponseWriter, _ *http.Request, _ *edge.Exchange) error {
		writeText(w, http.StatusOK, "ok")
		return nil
	})
	handle("GET /readyz", open, s.ready)
	handle("GET /{$}", open, s.page)
	handle("/", other, notFound)
	return mux
}

func wrongMethod(allow string) edge.Handler {
	return func(_ http.ResponseWriter, r *http.Request, _ *edge.Exchange) error {
		e := edge.Errorf(http.StatusMethodNotAllowed, "%s is not allowed here; use %s", r.Method, allow)
		e.Allow = allow
		return e
	}
}

func notFound(http.ResponseWriter, *http.Request, *edge.Exchange) error {
	return edge.Errorf(http.StatusNotFound, "there is no such path; the gateway serves /v1/chat/completions, /v1/completions, /v1/embeddings and /v1/models")
}
