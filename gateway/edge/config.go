package edge

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Config holds the settings of an [Edge]. [DefaultConfig] has good values.
type Config struct {
	MaxBody       int64 // bytes of a request
	MaxMemory     int64 // bytes of the bodies of all requests under way or waiting
	MaxConcurrent int   // requests under way
	MaxQueue      int   // requests that wait for their turn

	QueueTimeout  time.Duration // longest wait in the queue
	HeaderTimeout time.Duration // for a request's header
	BodyTimeout   time.Duration // for a request's body, on every path
	WriteTimeout  time.Duration // for one write to a client that reads slowly
	IdleTimeout   time.Duration // for a connection without a request
	DrainDelay    time.Duration // from the signal, when readiness ends, until new connections are refused
	DrainTimeout  time.Duration // for running requests to finish

	Keys       []Key    // of clients; none: everybody may ask
	Rate       float64  // requests per second of one key, or of all clients where there are no keys; 0: no limit
	Burst      int      // requests of one key at once
	AllowHosts []string // names that clients may use for this service besides addresses and local names; ".example.com" is a suffix, "*" all names
	Origins    []string // that browsers may ask from; none: only the service's own pages, "*": all

	TLSCert, TLSKey string // PEM files; both or none
}

// DefaultConfig returns the settings for a service on a trusted network.
func DefaultConfig() Config {
	return Config{
		MaxBody: 32 << 20, MaxMemory: 1 << 30, MaxConcurrent: 256, MaxQueue: 1024,
		QueueTimeout: 30 * time.Second, HeaderTimeout: 10 * time.Second, BodyTimeout: time.Minute,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, DrainDelay: 0, DrainTimeout: 5 * time.Minute,
		Burst: 16,
	}
}

// Validate reports every bad field at once.
func (c Config) Validate() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(c.MaxBody < 1, "max-body is %d, want at least 1 byte", c.MaxBody)
	bad(c.MaxMemory < c.MaxBody, "max-memory is %d, want at least max-body, which is %d", c.MaxMemory, c.MaxBody)
	bad(c.MaxConcurrent < 1, "max-concurrent is %d, want at least 1", c.MaxConcurrent)
	bad(c.MaxQueue < 0, "max-queue is %d, want at least 0", c.MaxQueue)
	positive := func(d time.Duration, name string) { bad(d <= 0, "%s is %v, want more than 0", name, d) }
	positive(c.QueueTimeout, "queue-timeout")
	positive(c.HeaderTimeout, "header-timeout")
	positive(c.BodyTimeout, "body-timeout")
	positive(c.WriteTimeout, "write-timeout")
	positive(c.IdleTimeout, "idle-timeout")
	positive(c.DrainTimeout, "drain-timeout")
	bad(c.DrainDelay < 0, "drain-delay is %v, want at least 0", c.DrainDelay)
	bad(!(c.Rate >= 0 && c.Rate <= 1e9) || c.Burst < 1, "rate is %v and burst %d, want at least 0 and 1", c.Rate, c.Burst)
	bad(slices.Contains(c.AllowHosts, "") || slices.Contains(c.Origins, ""), "an allowed host or origin is empty")
	bad((c.TLSCert == "") != (c.TLSKey == ""), "TLS needs a certificate and a key: give tls-cert and tls-key")
	return errors.Join(errs...)
}
