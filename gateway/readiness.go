package gateway

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"rcvae/gateway/edge"
)

// readyEvery is how often the upstream is asked whether it is there, and readyWithin how
// long it may take to say so.
const (
	readyEvery  = 5 * time.Second
	readyWithin = 4 * time.Second
)

// readiness knows whether requests should be sent here. One goroutine asks the upstream
// from time to time; whoever asks readyz costs nothing.
type readiness struct {
	draining atomic.Bool
	known    atomic.Bool
	ready    atomic.Bool
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

// start asks the upstream until close.
func (r *readiness) start(upstream Upstream, every time.Duration) {
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	r.done.Go(func() {
		for ctx.Err() == nil {
			r.ask(ctx, upstream)
			select {
			case <-time.After(every):
			case <-ctx.Done():
			}
		}
	})
}

func (r *readiness) ask(ctx context.Context, upstream Upstream) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	err := upstream.Ready(ctx)
	r.ready.Store(err == nil)
	r.known.Store(true)
}

func (r *readiness) close() {
	r.cancel()
	r.done.Wait()
}

// state returns 1 when requests should be sent here, for the metrics.
func (r *readiness) state() float64 {
	if r.ready.Load() && !r.draining.Load() {
		return 1
	}
	return 0
}

// ready answers readyz.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request, _ *edge.Exchange) error {
	status, text := http.StatusOK, "ready"
	switch r := &s.readiness; {
	case r.draining.Load():
		status, text = http.StatusServiceUnavailable, "draining"
	case !r.known.Load():
		status, text = http.StatusServiceUnavailable, "the upstream has not been asked yet"
	case !r.ready.Load():
		status, text = http.StatusServiceUnavailable, "the upstream is not ready"
	case s.parts.Embedder != nil && s.parts.Embedder.Trouble() != "": // why is for the log: it names files and servers
		text = "ready, but the embedder computes something else than the models were trained on; where it is needed the first finished candidate is the answer"
	case s.parts.Cache != nil && s.parts.Cache.Trouble() != "": // why is for the log: it names files
		text = "ready, but the cache of embeddings cannot be used; answers are right and take longer"
	}
	writeText(w, status, text)
	return nil
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
