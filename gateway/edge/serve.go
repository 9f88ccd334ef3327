package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// maxHeader bounds a request's header, in bytes.
const maxHeader = 64 << 10

// Serve answers on the listener with h, which [Edge.Guard] has wrapped, until ctx ends;
// then it drains. At once it calls draining, after [Config.DrainDelay] no connection is
// accepted any more, and running requests have [Config.DrainTimeout] to finish, or
// until [Edge.Stop]. It closes the listener and returns nil after a complete drain.
func (e *Edge) Serve(ctx context.Context, listener net.Listener, h http.Handler, draining func()) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: e.config.HeaderTimeout, ReadTimeout: e.config.HeaderTimeout + e.config.BodyTimeout, IdleTimeout: e.config.IdleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() {
		if e.config.TLSCert != "" {
			failed <- server.ServeTLS(listener, e.config.TLSCert, e.config.TLSKey)
			return
		}
		failed <- server.Serve(listener)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	draining()
	e.log.Info("draining", "active", e.Active(), "waiting", e.Waiting())
	err := e.drain(server)
	<-failed //nolint:errcheck // it is http.ErrServerClosed now
	return err
}

// drain lets running requests finish.
func (e *Edge) drain(server *http.Server) error {
	limit, cancel := context.WithTimeout(context.Background(), e.config.DrainDelay+e.config.DrainTimeout)
	defer cancel()
	go func() {
		select {
		case <-e.stop:
			cancel()
		case <-limit.Done():
		}
	}()
	select {
	case <-time.After(e.config.DrainDelay):
	case <-limit.Done():
	}
	err := server.Shutdown(limit)
	if err == nil {
		return nil
	}
	why := fmt.Errorf("drain: requests were still running after %v", e.config.DrainTimeout)
	if errors.Is(err, context.Canceled) {
		why = fmt.Errorf("drain: stopped while %d requests were running", e.Active())
	}
	return errors.Join(why, server.Close())
}

// Stop ends a drain at once. It may be called once.
func (e *Edge) Stop() { close(e.stop) }
