package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"rcvae/llm"
)

// The routes, as metrics and logs name them.
const (
	routeChat        = "chat"
	routeCompletions = "completions"
	routeModels      = "models"
	routeOther       = "other"
)

// Server is the gateway. It is safe for concurrent use.
type Server struct {
	config    Config
	parts     Parts
	log       *slog.Logger
	handler   http.Handler
	queue     *queue
	guard     *guard
	metrics   *metrics
	tracing   *tracing
	decisions *decisionLog
	draining  atomic.Bool
}

// New returns a server. The caller closes it.
func New(c Config, p Parts) (*Server, error) {
	if err := errors.Join(c.Validate(), p.check(c)); err != nil {
		return nil, err
	}
	s := &Server{config: c, parts: p, log: p.Logger, queue: newQueue(c.MaxConcurrent, c.MaxQueue, c.QueueTimeout), guard: newGuard(c)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.metrics = newMetrics(p.Rules, s.queue)
	var err error
	if s.tracing, err = newTracing(c.Traces); err != nil {
		return nil, err
	}
	if c.Decisions != "" {
		s.decisions, err = openDecisions(c.Decisions, c.DecisionTexts, func(n int) { s.metrics.dropped.Add(float64(n)) })
		if err != nil {
			return nil, err
		}
	}
	s.handler = s.routes()
	return s, nil
}

// Close writes what the decision log and the traces still hold. No request may be
// under way.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(s.decisions.close(), s.tracing.close(ctx))
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/chat/completions", s.api(routeChat, s.complete(llm.ChatPath)))
	mux.Handle("POST /v1/completions", s.api(routeCompletions, s.complete(llm.CompletionPath)))
	mux.Handle("GET /v1/models", s.api(routeModels, s.models))
	mux.Handle("GET /v1/models/{model...}", s.api(routeModels, s.models))
	for _, path := range []string{"/v1/chat/completions", "/v1/completions"} {
		mux.Handle(path, s.api(routeOther, wrongMethod("POST")))
	}
	mux.Handle("/v1/models", s.api(routeOther, wrongMethod("GET")))
	mux.Handle("GET /metrics", s.metrics.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /{$}", s.page)
	mux.Handle("/", s.api(routeOther, notFound))
	return mux
}

func wrongMethod(allow string) handler {
	return func(_ http.ResponseWriter, r *http.Request, _ *exchange) error {
		e := errorf(http.StatusMethodNotAllowed, "%s is not allowed here; use %s", r.Method, allow)
		e.allow = allow
		return e
	}
}

func notFound(http.ResponseWriter, *http.Request, *exchange) error {
	return errorf(http.StatusNotFound, "there is no such path; the gateway serves /v1/chat/completions, /v1/completions and /v1/models")
}

// ready says whether requests should be sent here.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		writeText(w, http.StatusServiceUnavailable, "draining")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := s.parts.Upstream.Ready(ctx); err != nil {
		writeText(w, http.StatusServiceUnavailable, "the upstream is not ready")
		return
	}
	writeText(w, http.StatusOK, "ready")
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

func (s *Server) ruleNames() []string {
	var names []string
	for name := range s.parts.Rules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Serve answers on the listener until ctx ends, then drains: readyz turns 503 at once,
// after [Config.DrainDelay] no connection is accepted any more, and running requests
// have [Config.DrainTimeout] to finish. It closes the listener and returns nil after a
// complete drain.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: s.config.HeaderTimeout, IdleTimeout: s.config.IdleTimeout,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() {
		if s.config.TLSCert != "" {
			failed <- server.ServeTLS(listener, s.config.TLSCert, s.config.TLSKey)
			return
		}
		failed <- server.Serve(listener)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	s.draining.Store(true)
	s.log.Info("draining", "active", s.queue.active(), "waiting", s.queue.waiting.Load())
	time.Sleep(s.config.DrainDelay)
	limit, cancel := context.WithTimeout(context.Background(), s.config.DrainTimeout)
	defer cancel()
	err := server.Shutdown(limit)
	if err != nil {
		err = errors.Join(fmt.Errorf("drain: requests were still running after %v", s.config.DrainTimeout), server.Close())
	}
	<-failed //nolint:errcheck // it is http.ErrServerClosed now
	return err
}
