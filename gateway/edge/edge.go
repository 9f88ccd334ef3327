package edge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Edge guards the handlers of a service. It is safe for concurrent use.
type Edge struct {
	config  Config
	log     *slog.Logger
	observe func(*Exchange)
	machine string // this machine's name
	queue   *queue
	memory  budget
	guard   *guard
	stop    chan struct{} // closed by Stop
}

// New returns an Edge. Each request is told to observe when it has ended.
func New(c Config, log *slog.Logger, observe func(*Exchange)) (*Edge, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	machine, _ := os.Hostname() // a machine without a name is called by its address
	e := &Edge{
		config: c, log: log, observe: observe, machine: strings.ToLower(machine), stop: make(chan struct{}),
		queue: newQueue(c.MaxConcurrent, c.MaxQueue, c.QueueTimeout), guard: newGuard(c),
	}
	e.memory.left.Store(c.MaxMemory)
	return e, nil
}

// Waiting returns how many requests wait for their turn.
func (e *Edge) Waiting() int { return int(e.queue.waiting.Load()) }

// Active returns how many requests are under way.
func (e *Edge) Active() int { return len(e.queue.slots) }

// HeldBytes returns the size of the bodies of all requests under way or waiting.
func (e *Edge) HeldBytes() int64 { return e.config.MaxMemory - e.memory.left.Load() }

// Exchange is what is known of a request and its answer. It holds no text of either.
type Exchange struct {
	ID        string // of the request: the client's own, or a new one
	Route     string
	Client    string // name of the client's key
	Body      []byte // of a [Route] with a body
	Status    int    // when it has ended
	Took      time.Duration
	Rejection string      // why it was refused before any work; empty when it was not
	Fields    []slog.Attr // more for its line in the log
}

// Log adds a field to the request's line in the log.
func (x *Exchange) Log(key string, value any) { x.Fields = append(x.Fields, slog.Any(key, value)) }

// Handler answers a request, or returns an error, which is then written if nothing was. One
// that is not an [Error] is a 500.
type Handler func(w http.ResponseWriter, r *http.Request, x *Exchange) error

// Route says how requests of one kind are treated.
type Route struct {
	Name string // in the log and the metrics
	Body bool   // they carry JSON, and wait for their turn
	Open bool   // they need no key, may come from any page, and are neither counted nor logged
}

// Guard wraps the whole service: deadlines, the Host, CORS, and the request's id.
func (e *Edge) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := newResponse(w, e.config.WriteTimeout)
		var deadline time.Time
		if r.Body != nil && r.Body != http.NoBody {
			deadline = time.Now().Add(e.config.BodyTimeout)
		}
		_ = out.control.SetReadDeadline(deadline) // a writer without deadlines is a test's
		if err := e.checkHost(r); err != nil {
			e.end(out, r, &Exchange{Route: "other", ID: requestID(r)}, time.Now(), Route{}, err)
			return
		}
		if !e.cors(out, r) {
			next.ServeHTTP(out, r)
		}
	})
}

// Handle wraps the handler of a route.
func (e *Edge) Handle(route Route, h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &Exchange{ID: requestID(r), Route: route.Name}
		out, ok := w.(*response)
		if !ok {
			out = newResponse(w, e.config.WriteTimeout)
		}
		out.Header().Set("X-Rcvae-Request-Id", x.ID)
		out.Header().Set("X-Request-Id", x.ID)
		start := time.Now()
		e.end(out, r, x, start, route, e.run(out, r, x, route, h))
	})
}

// run admits a request and calls its handler; a panic becomes an error.
func (e *Edge) run(w http.ResponseWriter, r *http.Request, x *Exchange, route Route, h Handler) (err error) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // it is never wrapped
			e.log.Error("a handler panicked", "request_id", x.ID, "route", route.Name, "panic", describePanic(p), "stack", string(debug.Stack()))
			err = Errorf(http.StatusInternalServerError, "the gateway has a bug; its log has more under the request id %s", x.ID)
		} else if p != nil {
			panic(p)
		}
	}()
	if route.Open {
		return h(w, r, x)
	}
	if err := e.checkOrigin(r); err != nil {
		return err
	}
	if x.Client, err = e.guard.admit(r); err != nil {
		return err
	}
	if !route.Body {
		return h(w, r, x)
	}
	if err := checkBody(r); err != nil {
		return err
	}
	data, free, err := e.readBody(w, r)
	defer free()
	if err != nil {
		return err
	}
	if err := e.queue.enter(r.Context()); err != nil {
		return err
	}
	defer e.queue.leave()
	x.Body = data
	return h(w, r, x)
}

// describePanic returns what a panic was about. Only the runtime's own texts are sure
// to quote no prompt.
func describePanic(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a %T", p)
}

// end writes the error unless the answer has begun, tells of the request, and cuts off
// an answer that cannot be finished.
func (e *Edge) end(out *response, r *http.Request, x *Exchange, start time.Time, route Route, err error) {
	x.Status = max(out.status, http.StatusOK)
	begun := out.status != 0
	if err != nil {
		failure := failureOf(r, err)
		x.Status, x.Rejection = failure.Status, failure.Rejection
		if !begun {
			e.refuse(out, r, failure)
		}
	}
	x.Took = time.Since(start)
	if !route.Open { // probes and scrapes would hide the requests among them
		e.observe(x)
		e.logLine(r.Context(), x)
	}
	if err != nil && begun {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
}

// failureOf returns what the client gets for an error.
func failureOf(r *http.Request, err error) *Error {
	ours, ok := errors.AsType[*Error](err)
	switch {
	case ok:
		return ours
	case errors.Is(err, ErrClientGone), r.Context().Err() != nil:
		return Errorf(StatusClientGone, "the connection was closed before the answer was there")
	}
	return Errorf(http.StatusInternalServerError, "the gateway has a bug; its log has more")
}

// linger is how long the rest of a refused body may still arrive, so that its sender
// can read the answer.
const linger = 500 * time.Millisecond

// refuse writes an error at once, without waiting for a body that nobody will read.
func (e *Edge) refuse(out *response, r *http.Request, failure *Error) {
	if r.Body != nil && r.Body != http.NoBody {
		_ = out.control.EnableFullDuplex() // a protocol without it does not wait either
		_ = out.control.SetReadDeadline(time.Now().Add(min(linger, e.config.BodyTimeout)))
		out.Header().Set("Connection", "close")
	}
	failure.write(out)
}

// logLine writes one line per request.
func (e *Edge) logLine(ctx context.Context, x *Exchange) {
	level := slog.LevelInfo
	if x.Status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	if !e.log.Enabled(ctx, level) {
		return
	}
	fields := []slog.Attr{slog.String("request_id", x.ID), slog.String("route", x.Route), slog.Int("status", x.Status), slog.Float64("duration_seconds", x.Took.Seconds())}
	if x.Client != "" {
		fields = append(fields, slog.String("client", x.Client))
	}
	if x.Rejection != "" {
		fields = append(fields, slog.String("rejection", x.Rejection))
	}
	e.log.LogAttrs(ctx, level, "request", append(fields, x.Fields...)...)
}

// requestID returns the client's id of the request if it is a plain word, else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	plain := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.:", c)
	}
	if id != "" && len(id) <= 128 && !strings.ContainsFunc(id, func(c rune) bool { return !plain(c) }) {
		return id
	}
	return "req_" + strings.ToLower(rand.Text())
}
