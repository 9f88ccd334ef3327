package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"rcvae"
	"rcvae/llm"
	"rcvae/selector"
)

// Config holds the settings of a [Server]. [DefaultConfig] has good values for all
// but the names.
type Config struct {
	K        int     // candidates of a request that names no number
	MaxK     int     // largest number that a request may name
	KMin     int     // adaptive k: candidates of the first round; 0: every request draws all its candidates
	KMax     int     // adaptive k: candidates at most
	Margin   float64 // adaptive k: share of the votes' weight, in (0.5, 1], at which the leading answer is good enough
	Selector string  // rule of a request that names none

	MaxBody       int64 // bytes of a request
	MaxSelectText int   // bytes of the question and all candidates; beyond, nothing is selected
	MaxConcurrent int   // requests under way
	MaxQueue      int   // requests that wait for their turn

	QueueTimeout    time.Duration // longest wait in the queue
	HeaderTimeout   time.Duration // for a request's header
	BodyTimeout     time.Duration // for a request's body
	UpstreamTimeout time.Duration // for one round of candidates, and for silence of a forwarded stream
	SelectTimeout   time.Duration // for a selection
	WriteTimeout    time.Duration // for one write to a client that reads slowly
	IdleTimeout     time.Duration // for a connection without a request
	Heartbeat       time.Duration // between comments on a stream that waits for candidates
	DrainDelay      time.Duration // from the signal, when readyz turns 503, until new connections are refused
	DrainTimeout    time.Duration // for running requests to finish

	Keys        []Key    // of clients; none: everybody may ask
	Rate        float64  // requests a second of one key; 0: no limit
	Burst       int      // requests of one key at once
	ForwardKeys bool     // a client's key replaces the upstream's
	Origins     []string // that browsers may ask from; none: CORS is off, "*": all

	TLSCert, TLSKey string // PEM files; both or none
	Decisions       string // SQLite file of the decision log; empty: none
	DecisionTexts   bool   // the log holds questions and answers too
	Traces          string // URL of an OTLP/HTTP collector, for example "http://127.0.0.1:4318/v1/traces"; empty: none
}

// DefaultConfig returns the settings for a service on a trusted network.
func DefaultConfig() Config {
	return Config{
		K: 8, MaxK: 64, Margin: 0.9, Selector: "consensus",
		MaxBody: 32 << 20, MaxSelectText: 4 << 20, MaxConcurrent: 256, MaxQueue: 1024,
		QueueTimeout: 30 * time.Second, HeaderTimeout: 10 * time.Second, BodyTimeout: time.Minute,
		UpstreamTimeout: 10 * time.Minute, SelectTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		Heartbeat: 5 * time.Second, DrainDelay: 0, DrainTimeout: 5 * time.Minute,
		Burst: 1,
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
	bad(c.MaxK < 1, "max-k is %d, want at least 1", c.MaxK)
	bad(c.K < 1 || c.K > c.MaxK, "k is %d, want 1 to max-k, which is %d", c.K, c.MaxK)
	bad((c.KMin == 0) != (c.KMax == 0), "k-min is %d and k-max %d: adaptive k needs both", c.KMin, c.KMax)
	bad(c.KMin != 0 && (c.KMin < 2 || c.KMax < c.KMin || c.KMax > c.MaxK), "k-min is %d and k-max %d, want 2 ≤ k-min ≤ k-max ≤ max-k, which is %d", c.KMin, c.KMax, c.MaxK)
	bad(!(c.Margin > 0.5 && c.Margin <= 1), "margin is %v, want more than 0.5 and at most 1", c.Margin)
	bad(c.MaxBody < 1 || c.MaxSelectText < 1, "max-body is %d and max-select-text %d, want at least 1 byte", c.MaxBody, c.MaxSelectText)
	bad(c.MaxConcurrent < 1, "max-concurrent is %d, want at least 1", c.MaxConcurrent)
	bad(c.MaxQueue < 0, "max-queue is %d, want at least 0", c.MaxQueue)
	for name, d := range map[string]time.Duration{
		"queue-timeout": c.QueueTimeout, "header-timeout": c.HeaderTimeout, "body-timeout": c.BodyTimeout, "upstream-timeout": c.UpstreamTimeout,
		"select-timeout": c.SelectTimeout, "write-timeout": c.WriteTimeout, "idle-timeout": c.IdleTimeout, "heartbeat": c.Heartbeat, "drain-timeout": c.DrainTimeout,
	} {
		bad(d <= 0, "%s is %v, want more than 0", name, d)
	}
	bad(c.DrainDelay < 0, "drain-delay is %v, want at least 0", c.DrainDelay)
	bad(!(c.Rate >= 0 && c.Rate <= 1e9) || c.Burst < 1, "rate is %v and burst %d, want at least 0 and 1", c.Rate, c.Burst)
	bad((c.TLSCert == "") != (c.TLSKey == ""), "TLS needs a certificate and a key")
	bad(c.DecisionTexts && c.Decisions == "", "texts of decisions need the file of the decision log")
	return errors.Join(errs...)
}

// Upstream is the language model's server; [llm.Upstream] is one.
type Upstream interface {
	Draw(ctx context.Context, r llm.Request) (llm.Draw, error)
	Forward(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error)
	Ready(ctx context.Context) error
}

var _ Upstream = (*llm.Upstream)(nil)

// Rule is a selection rule that requests can name, bound to its sources.
type Rule struct {
	Selector rcvae.Selector
	Rule     selector.Rule // that the selector applies: whether its votes are decided, and what it asks from the upstream
}

// Parts are the objects that a [Server] works with.
type Parts struct {
	Upstream Upstream
	Rules    map[string]Rule // by name; the configured one must be among them
	Grader   rcvae.Grader    // finds the candidates' answers and tells which are the same; nil: none has an answer
	// Extract finds an answer like Grader.Answer and says how ("boxed", "number", …),
	// for [rcvae.Candidate.Votes]; nil: Grader.Answer is asked.
	Extract func(solution string) (answer, from string)
	Logger  *slog.Logger // nil: nothing is logged
}

func (p Parts) check(c Config) error {
	if p.Upstream == nil {
		return errors.New("gateway: an upstream is needed")
	}
	if rule, ok := p.Rules[c.Selector]; !ok || rule.Selector == nil {
		return fmt.Errorf("gateway: the configured selector %q is not among the rules", c.Selector)
	}
	return nil
}
