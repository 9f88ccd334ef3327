package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"rcvae/internal/openaiapi"
)

// handler answers a request of the API or returns an error, which is then written if
// nothing was.
type handler func(w http.ResponseWriter, r *http.Request, x *exchange) error

// exchange is what is known of a request for the log, the metrics and the traces. It
// holds no text of a prompt or an answer.
type exchange struct {
	route    string
	client   string // name of the key
	model    string
	mode     string
	rule     string
	k        int
	stream   bool
	drawn    int
	returned int
	chosen   int
	fallback string
	finish   string
	usage    openaiapi.Usage
}

// recorder remembers the status and whether the response has started.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (r *recorder) Write(data []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(data)
}

// Unwrap lets [http.ResponseController] find the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// api wraps a handler of the API: CORS, key, rate, errors, metrics, log.
func (s *Server) api(route string, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		x := &exchange{route: route, k: 1}
		out := &recorder{ResponseWriter: w}
		if s.cors(out, r) {
			return
		}
		err := s.run(out, r, x, h)
		status := s.finish(out, r, err)
		took := time.Since(start)
		s.metrics.served(route, status, took)
		s.logRequest(r.Context(), x, status, took, err)
		if status != out.status && out.status != 0 {
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
	})
}

// run admits the request and calls the handler; a panic becomes an error.
func (s *Server) run(w http.ResponseWriter, r *http.Request, x *exchange, h handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a handler panicked", "route", x.route)
			err = errorf(http.StatusInternalServerError, "the gateway has a bug; it has been logged")
		}
	}()
	if x.client, err = s.guard.admit(r); err != nil {
		return err
	}
	return h(w, r, x)
}

// finish writes the error unless the response has started, and returns the status
// that the request is counted under.
func (s *Server) finish(out *recorder, r *http.Request, err error) int {
	if err == nil {
		return max(out.status, http.StatusOK)
	}
	// Note: a body that comes too slowly ends the context too, and is still answered.
	_, ours := errors.AsType[*apiError](err)
	if errors.Is(err, errClientGone) || !ours && r.Context().Err() != nil {
		return statusClientGone
	}
	e := asAPIError(err)
	if e.rejection != "" {
		s.metrics.rejected.WithLabelValues(e.rejection).Inc()
	}
	if out.status == 0 {
		writeError(out, e)
	}
	return e.status
}

// cors answers a browser's questions when origins are allowed, and reports whether the
// request is done with.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || len(s.config.Origins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !slices.Contains(s.config.Origins, origin) && !slices.Contains(s.config.Origins, "*") {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", chosenHeader+", Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-RCVAE-K")
	h.Set("Access-Control-Max-Age", strconv.Itoa(600))
	w.WriteHeader(http.StatusNoContent)
	return true
}

// logRequest writes one line a request. An upstream's message is left out: it may
// quote the prompt.
func (s *Server) logRequest(ctx context.Context, x *exchange, status int, took time.Duration, err error) {
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	if !s.log.Enabled(ctx, level) {
		return
	}
	fields := []slog.Attr{slog.String("route", x.route), slog.Int("status", status), slog.Float64("duration_seconds", took.Seconds()), slog.Int("k", x.k)}
	if x.client != "" {
		fields = append(fields, slog.String("client", x.client))
	}
	if x.drawn > 0 {
		fields = append(fields, slog.String("selector", x.rule), slog.Int("drawn", x.drawn), slog.Int("returned", x.returned),
			slog.Int("chosen", x.chosen), slog.Int("tokens", x.usage.TotalTokens))
	}
	if x.fallback != "" {
		fields = append(fields, slog.String("fallback", x.fallback))
	}
	if err != nil && status >= http.StatusInternalServerError {
		fields = append(fields, slog.String("error", http.StatusText(status)))
	}
	s.log.LogAttrs(ctx, level, "request", fields...)
}
