package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"rcvae"
	"rcvae/gateway/edge"
	"rcvae/llm"
	"rcvae/selector"
)

// Config holds the settings of a [Server]. [DefaultConfig] has good values for all
// but the names.
type Config struct {
	edge.Config

	K        int     // candidates of a request that names no number
	MaxK     int     // largest number that a request may name
	KMin     int     // adaptive k: candidates of the first round; 0: every request draws all its candidates
	KMax     int     // adaptive k: candidates at most
	Margin   float64 // adaptive k: share of the votes' weight, in (0.5, 1], at which the leading answer is good enough
	Selector string  // rule of a request that names none

	MaxSelectText   int           // bytes of the question and all candidates; beyond, nothing is selected
	UpstreamTimeout time.Duration // for one round of candidates, and for silence of a forwarded stream
	SelectTimeout   time.Duration // for a selection
	Heartbeat       time.Duration // between comments on a stream that waits for candidates

	ForwardKeys bool     // a client's key replaces the upstream's
	PassHeaders []string // more header fields that pass to the upstream, and back where the answer is its own; a name that ends in * is a beginning

	Decisions     string // SQLite file of the decision log; empty: none
	DecisionTexts bool   // the log holds questions and answers too
	Traces        string // URL of an OTLP/HTTP collector, for example "http://127.0.0.1:4318/v1/traces"; empty: none
}

// DefaultConfig returns the settings for a service on a trusted network.
func DefaultConfig() Config {
	return Config{
		Config: edge.DefaultConfig(),
		K:      8, MaxK: 64, Margin: 0.9, Selector: "consensus", MaxSelectText: 4 << 20,
		UpstreamTimeout: 10 * time.Minute, SelectTimeout: time.Minute, Heartbeat: 5 * time.Second,
	}
}

// Validate reports every bad field at once.
func (c Config) Validate() error {
	errs := []error{c.Config.Validate()}
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(c.MaxK < 1, "max-k is %d, want at least 1", c.MaxK)
	bad(c.K < 1 || c.K > c.MaxK, "k is %d, want 1 to max-k, which is %d", c.K, c.MaxK)
	half := (c.KMin == 0) != (c.KMax == 0)
	bad(half, "k-min is %d and k-max %d: adaptive k needs both", c.KMin, c.KMax)
	bad(!half && c.KMin != 0 && (c.KMin < 2 || c.KMax < c.KMin || c.KMax > c.MaxK), "k-min is %d and k-max %d, want 2 ≤ k-min ≤ k-max ≤ max-k, which is %d", c.KMin, c.KMax, c.MaxK)
	bad(!(c.Margin > 0.5 && c.Margin <= 1), "margin is %v, want more than 0.5 and at most 1", c.Margin)
	bad(c.MaxSelectText < 1, "max-select-text is %d, want at least 1 byte", c.MaxSelectText)
	bad(c.UpstreamTimeout <= 0, "upstream-timeout is %v, want more than 0", c.UpstreamTimeout)
	bad(c.SelectTimeout <= 0, "select-timeout is %v, want more than 0", c.SelectTimeout)
	bad(c.Heartbeat <= 0, "heartbeat is %v, want more than 0", c.Heartbeat)
	forbidden := checkPassed(c.PassHeaders)
	bad(len(forbidden) > 0, "pass-header names %s, which is no name of a header field or must not pass", strings.Join(forbidden, ", "))
	bad(c.DecisionTexts && c.Decisions == "", "texts of decisions need the file of the decision log")
	return errors.Join(errs...)
}

// Upstream is the language model's server; [llm.Upstream] is one.
type Upstream interface {
	// Draw also tells the request's OnChoice of each choice.
	Draw(ctx context.Context, r llm.Request) (llm.Draw, error)
	Forward(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error)
	Ready(ctx context.Context) error
}

var _ Upstream = (*llm.Upstream)(nil)

// Parts are the objects that a [Server] works with.
type Parts struct {
	Upstream Upstream
	Rules    map[string]Rule // by name; the configured one must be among them
	// Extract finds the answer in a text, behind what the model thought, and says how
	// ("boxed", "number", …), for [rcvae.Candidate.Votes]; nil: none has an answer.
	Extract func(solution string) (answer, from string)
	Logger  *slog.Logger // nil: nothing is logged
	Cache   Cache        // of embeddings, for readyz and the metrics; nil: there is none
	// Embedder is one that may be refused while the server runs, for readyz and the metrics;
	// nil: there is none.
	Embedder Embedder
}

// Embedder tells whether an embedder may be used; [rcvae/embed.Guard] is one.
type Embedder interface {
	Trouble() string // why it is refused at present, "" while it is not
}

// Rule is a selection rule that requests can name, bound to its sources.
type Rule struct {
	Selector rcvae.Selector
	Rule     selector.Rule // that the selector applies: when its votes are decided
	// Prepare embeds candidates while others are being sampled, see [bestof.Rule]; nil: there
	// is nothing to do before.
	Prepare  func(ctx context.Context, question string, candidates []rcvae.Candidate) error
	LogProbs bool // the choice looks at log-probabilities: they are asked from the upstream
}

// Cache tells how a store fares that answers do without; the cache of package embed is one.
type Cache interface {
	Faults() int64   // so far
	Trouble() string // why it cannot be used at present, "" while it can
}

func (p Parts) check(c Config) error {
	if p.Upstream == nil {
		return errors.New("gateway: an upstream is needed")
	}
	if rule, ok := p.Rules[c.Selector]; !ok || rule.Selector == nil {
		return fmt.Errorf("gateway: the configured selector %q is not among the rules that can be served", c.Selector)
	}
	return nil
}

func (p Parts) ruleNames() []string { return slices.Sorted(maps.Keys(p.Rules)) }
