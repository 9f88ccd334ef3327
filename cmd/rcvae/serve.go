package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/gateway"
	"rcvae/gateway/edge"
	"rcvae/grade"
	"rcvae/selector"
)

func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the best of k answers in front of a model's server",
		Long: `Serve the best of k answers in front of a model's server. Clients of the OpenAI API
point their base URL here; each request is drawn k times from the upstream and a rule
chooses the answer. GET / is a page to try it.

The upstream's key comes from the environment variable RCVAE_UPSTREAM_KEY. Clients
need a key when --keys names a file (the SHA-256 of a key on each line, and a name if
you like) or RCVAE_KEYS holds keys, separated by commas.

Rules (--selector, and "rcvae": {"selector": …} in a request):
` + ruleHelp(),
		Example: `  rcvae serve --model model.rcvae --upstream http://127.0.0.1:8080/v1
  rcvae serve --selector majority --upstream http://127.0.0.1:11434/v1 --k-min 4 --k-max 16`,
		Args: noArgs,
		RunE: runServe,
	}
	d := gateway.DefaultConfig()
	f := cmd.Flags()
	addModelFlag(cmd)
	f.String("upstream", "", "base `URL` of an OpenAI-compatible server, for example http://127.0.0.1:8080/v1")
	f.String("listen", "127.0.0.1:8090", "`ADDRESS` to listen on")
	f.IntP("k", "k", d.K, "candidates of a request that names no number; 1 is a plain proxy")
	f.Int("max-k", d.MaxK, "largest number that a request may name")
	f.Int("k-min", 0, "adaptive k: candidates of the first round (0: draw all k)")
	f.Int("k-max", 0, "adaptive k: candidates at most")
	f.Float64("margin", d.Margin, "adaptive k: share of the votes' weight at which the leading answer is good enough")
	f.String("selector", selector.Default, "selection `RULE` of a request that names none")
	f.String("kind", "gsm8k", "how answers are extracted and compared: "+strings.Join(grade.Kinds(), ", "))
	f.Float64("tau", 0, "temperature of weighted votes (0: the model's own)")
	f.Uint64("seed", 1, "seed of the rule random")
	f.Int("concurrency", 256, "calls to the upstream at once, all requests together")
	f.Int("retries", 2, "repetitions of a failed call to the upstream")
	f.Int64("max-body", d.MaxBody, "bytes of a request")
	f.Int("max-concurrent", d.MaxConcurrent, "requests under way")
	f.Int("max-queue", d.MaxQueue, "requests that wait for their turn; more get status 429")
	f.Duration("queue-timeout", d.QueueTimeout, "longest wait in the queue")
	f.Duration("header-timeout", d.HeaderTimeout, "for a request's header")
	f.Duration("body-timeout", d.BodyTimeout, "for a request's body")
	f.Duration("upstream-timeout", d.UpstreamTimeout, "for one round of candidates, and for silence of a forwarded stream")
	f.Duration("select-timeout", d.SelectTimeout, "for a selection; after it the first finished candidate is the answer")
	f.Duration("write-timeout", d.WriteTimeout, "for one write to a client that reads slowly")
	f.Duration("idle-timeout", d.IdleTimeout, "for a connection without a request")
	f.Duration("heartbeat", d.Heartbeat, "between comments on a stream that waits for candidates")
	f.Duration("drain-delay", d.DrainDelay, "on SIGTERM, between readyz turning 503 and refusing connections")
	f.Duration("drain-timeout", d.DrainTimeout, "on SIGTERM, for running requests to finish")
	f.String("keys", "", "`FILE` with the SHA-256 of a client key on each line")
	f.Float64("rate", 0, "requests a second of one client key (0: no limit)")
	f.Int("burst", 16, "requests of one client key at once, with --rate")
	f.Bool("forward-keys", false, "send a client's key to the upstream instead of RCVAE_UPSTREAM_KEY")
	f.StringArray("cors", nil, "`ORIGIN` that browsers may ask from, * for all (default: none)")
	f.String("tls-cert", "", "PEM `FILE` with the certificate chain")
	f.String("tls-key", "", "PEM `FILE` with its key")
	f.String("decisions", "", "SQLite `FILE` that logs every decision, without texts")
	f.Bool("decisions-texts", false, "log the questions and answers too")
	f.String("traces", "", "`URL` of an OTLP/HTTP collector, for example http://127.0.0.1:4318/v1/traces")
	f.String("log-level", "info", "least level that is logged: debug, info, warn or error")
	addModelEmbedderFlags(cmd)
	return cmd
}

func runServe(cmd *cobra.Command, _ []string) error {
	config, err := serveConfig(cmd)
	if err != nil {
		return err
	}
	logger, err := serveLogger(cmd)
	if err != nil {
		return err
	}
	upstream, err := openUpstream(cmd, "upstream-timeout")
	if err != nil {
		return err
	}
	parts, closeParts, err := serveParts(cmd, config)
	if err != nil {
		return err
	}
	defer closeParts()
	parts.Upstream, parts.Logger = upstream, logger
	server, err := gateway.New(config, parts)
	if err != nil {
		return err
	}
	address, _ := cmd.Flags().GetString("listen")
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w; choose another address with --listen", err), server.Close())
	}
	logger.Info("serving", "listen", listener.Addr().String(), "upstream", upstream.URL(), "k", config.K, "selector", config.Selector)
	return errors.Join(server.Serve(cmd.Context(), listener), server.Close())
}

// serveConfig reads the gateway's settings from the flags and the keys.
func serveConfig(cmd *cobra.Command) (gateway.Config, error) {
	f, c := cmd.Flags(), gateway.DefaultConfig()
	c.K, _ = f.GetInt("k")
	c.MaxK, _ = f.GetInt("max-k")
	c.KMin, _ = f.GetInt("k-min")
	c.KMax, _ = f.GetInt("k-max")
	c.Margin, _ = f.GetFloat64("margin")
	c.Selector, _ = f.GetString("selector")
	c.MaxBody, _ = f.GetInt64("max-body")
	c.MaxConcurrent, _ = f.GetInt("max-concurrent")
	c.MaxQueue, _ = f.GetInt("max-queue")
	c.QueueTimeout, _ = f.GetDuration("queue-timeout")
	c.HeaderTimeout, _ = f.GetDuration("header-timeout")
	c.BodyTimeout, _ = f.GetDuration("body-timeout")
	c.UpstreamTimeout, _ = f.GetDuration("upstream-timeout")
	c.SelectTimeout, _ = f.GetDuration("select-timeout")
	c.WriteTimeout, _ = f.GetDuration("write-timeout")
	c.IdleTimeout, _ = f.GetDuration("idle-timeout")
	c.Heartbeat, _ = f.GetDuration("heartbeat")
	c.DrainDelay, _ = f.GetDuration("drain-delay")
	c.DrainTimeout, _ = f.GetDuration("drain-timeout")
	c.Rate, _ = f.GetFloat64("rate")
	c.Burst, _ = f.GetInt("burst")
	c.ForwardKeys, _ = f.GetBool("forward-keys")
	c.Origins, _ = f.GetStringArray("cors")
	c.TLSCert, _ = f.GetString("tls-cert")
	c.TLSKey, _ = f.GetString("tls-key")
	c.Decisions, _ = f.GetString("decisions")
	c.DecisionTexts, _ = f.GetBool("decisions-texts")
	c.Traces, _ = f.GetString("traces")
	if err := c.Validate(); err != nil {
		return c, usageError{err}
	}
	path, _ := f.GetString("keys")
	plain := os.Getenv("RCVAE_KEYS")
	if path == plain { // the settings filled the flag from the same variable, which is no path
		path = ""
	}
	var err error
	c.Keys, err = serveKeys(path, plain)
	return c, err
}

// serveKeys reads the hashes of the file, and hashes the keys of the environment.
func serveKeys(path, plain string) ([]edge.Key, error) {
	var keys []edge.Key
	if path != "" {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read client keys: %w", err)
		}
		defer file.Close()
		if keys, err = edge.ParseKeys(file); err != nil {
			return nil, fmt.Errorf("read client keys: %s: %w", path, err)
		}
		if len(keys) == 0 {
			return nil, fmt.Errorf("read client keys: %s has none; without --keys everybody may ask", path)
		}
	}
	for key := range strings.SplitSeq(plain, ",") {
		if key = strings.TrimSpace(key); key != "" {
			keys = append(keys, edge.NewKey(key, ""))
		}
	}
	return keys, nil
}

func serveLogger(cmd *cobra.Command) (*slog.Logger, error) {
	name, _ := cmd.Flags().GetString("log-level")
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return nil, usagef("--log-level is %q, want debug, info, warn or error", name)
	}
	return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level})), nil
}

// serveParts opens the embedder and the models and builds every rule that they serve.
func serveParts(cmd *cobra.Command, c gateway.Config) (gateway.Parts, func(), error) {
	var parts gateway.Parts
	rule, err := selector.Parse(c.Selector)
	if err != nil {
		return parts, nil, usageError{err}
	}
	kind, _ := cmd.Flags().GetString("kind")
	if parts.Grader, err = grade.New(kind); err != nil {
		return parts, nil, usageError{err}
	}
	parts.Extract = func(solution string) (string, string) {
		e, err := grade.Extract(kind, solution)
		if err != nil { // the text is too large: there is no answer
			return "", ""
		}
		return e.Answer, e.Rule
	}
	sources, closeSources, err := openSources(cmd, rule.Needs)
	if err != nil {
		return parts, nil, err
	}
	sources.Grader = parts.Grader
	if e, ok := sources.Embedder.(rcvae.FingerprintedEmbedder); ok {
		sources.Embedder = gateway.Timed(e)
	}
	if parts.Rules, err = serveRules(cmd, c.Selector, sources); err != nil {
		closeSources()
		return parts, nil, err
	}
	return parts, closeSources, nil
}

// serveRules returns every rule that the sources can serve. The configured one must
// be among them.
func serveRules(cmd *cobra.Command, configured string, sources selector.Sources) (map[string]gateway.Rule, error) {
	var options selector.Options
	options.Tau, _ = cmd.Flags().GetFloat64("tau")
	options.Seed, _ = cmd.Flags().GetUint64("seed")
	rules := map[string]gateway.Rule{}
	for _, r := range selector.Rules() {
		if r.EvaluationOnly() || r.Name != configured && sources.Check(r.Needs) != nil {
			continue
		}
		s, err := selector.New(r.Name, sources, options)
		if err != nil {
			return nil, err
		}
		rules[r.Name] = serveRule(r, s, sources)
	}
	return rules, nil
}

// serveRule tells the gateway what it must know of a rule: how its votes weigh, and how
// its score relates to the entropy.
func serveRule(r selector.Rule, s *selector.Named, sources selector.Sources) gateway.Rule {
	score := r.Name[strings.Index(r.Name, ":")+1:]
	g := gateway.Rule{Selector: s, LogProbs: r.Needs.Has(selector.NeedLogProbs), Picks: !strings.Contains(r.Name, ":") && r.Name != "majority"}
	if strings.HasPrefix(r.Name, "vote:") {
		g.Tau = s.Tau()
	}
	if score == "entropy" && len(sources.Models) > 0 {
		for _, m := range sources.Models {
			if m, ok := m.(selector.Calibrated); ok {
				g.EntropyScale += m.Calibration().Scale / float64(len(sources.Models))
			}
		}
	}
	return g
}
