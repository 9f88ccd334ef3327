package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagGroup is a part of a command's help.
type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

func addServeFlags(cmd *cobra.Command, o *serveOptions) {
	var groups []flagGroup
	group := func(title string) *pflag.FlagSet {
		f := pflag.NewFlagSet(title, pflag.ContinueOnError)
		f.SortFlags = false
		groups = append(groups, flagGroup{title, f})
		return f
	}
	serveBasics(group("First of all"), o)
	serveAdaptive(group("Adaptive k"), o)
	serveUpstream(group("The upstream"), o)
	serveClients(group("Who may ask"), o)
	serveLimits(group("Limits"), o)
	serveOperation(group("Operation"), o)
	for _, g := range groups {
		cmd.Flags().AddFlagSet(g.flags)
	}
	known := map[string]bool{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	addModelFlag(cmd)
	addModelEmbedderFlags(cmd)
	model := group("The model")
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !known[f.Name] {
			model.AddFlag(f)
		}
	})
	cmd.SetUsageFunc(func(c *cobra.Command) error { return groupedUsage(c, groups) })
}

// groupedUsage prints the flags of a command in groups.
func groupedUsage(cmd *cobra.Command, groups []flagGroup) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s\n\nExamples:\n%s\n", cmd.UseLine(), cmd.Example)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n%s:\n%s", g.title, g.flags.FlagUsages())
	}
	fmt.Fprintf(&b, "\nFlags of every command:\n%s", cmd.InheritedFlags().FlagUsages())
	_, err := fmt.Fprint(cmd.OutOrStdout(), b.String())
	return err
}

func serveBasics(f *pflag.FlagSet, o *serveOptions) {
	f.String("upstream", "", "Base `URL` of the OpenAI-compatible server that samples the answers, for example http://127.0.0.1:8080/v1 (required)")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8090", "`ADDRESS` to listen on")
	f.IntVarP(&o.K, "k", "k", o.K, "Sample this many candidates for a request that names no number; 1 is a plain proxy")
	addSelectorFlag(f, "Selection `RULE` for a request that names none")
	addAnswerGrader(f)
	addTauFlag(f)
	f.Uint64("seed", 1, "Seed of the rule named random")
}

func serveAdaptive(f *pflag.FlagSet, o *serveOptions) {
	f.IntVar(&o.KMin, "k-min", 0, "Sample this many candidates in each round (0: all k at once)")
	f.IntVar(&o.KMax, "k-max", 0, "Sample at most this many candidates in all rounds")
	f.Float64Var(&o.Margin, "margin", o.Margin, "Stop sampling once one answer holds this share of the vote weight (0.5 to 1)")
}

func serveUpstream(f *pflag.FlagSet, o *serveOptions) {
	f.Int("concurrency", 256, "Make at most this many calls to the upstream at once, for all requests together")
	f.Int("retries", 2, "Repeat a failed call to the upstream at most this often")
	f.Duration("retry-for", 30*time.Second, "Ask an upstream that is away or restarts again for this long")
	f.Duration("longest-wait", 2*time.Second, "Wait at most this long, in all, when the upstream asks for it (Retry-After); beyond, the client is told to wait")
	f.Bool("retry-cut", false, "Repeat a call whose answer stopped in its middle; the upstream may bill both")
	f.DurationVar(&o.UpstreamTimeout, "upstream-timeout", o.UpstreamTimeout, "Wait at most this long for one round of candidates, and for the next piece of a forwarded stream")
	f.DurationVar(&o.SelectTimeout, "select-timeout", o.SelectTimeout, "Wait at most this long for a selection; after it the first finished candidate is the answer")
	f.StringArrayVar(&o.PassHeaders, "pass-header", nil, "Pass header field `NAME` to the upstream too, and back at k = 1; a name may end in * (repeatable)")
}

func serveClients(f *pflag.FlagSet, o *serveOptions) {
	f.StringVar(&o.keysFile, "keys-file", "", "`FILE` with the SHA-256 of a client's key on each line")
	f.BoolVar(&o.ForwardKeys, "forward-keys", false, "Send a client's key to the upstream instead of RCVAE_UPSTREAM_KEY")
	f.Float64Var(&o.Rate, "rate", 0, "Accept at most this many requests per second from each client key (0: no limit)")
	f.IntVar(&o.Burst, "burst", o.Burst, "Accept this many requests of one client key at once, with --rate")
	f.StringArrayVar(&o.AllowHosts, "allow-host", nil, "Answer to this host `NAME` too; .example.com is a suffix, * all names (repeatable)")
	f.StringArrayVar(&o.Origins, "cors", nil, "Let browsers ask from pages of this `ORIGIN`, * for all (repeatable)")
	f.StringVar(&o.TLSCert, "tls-cert", "", "PEM `FILE` with the certificate chain; switches TLS on")
	f.StringVar(&o.TLSKey, "tls-key", "", "PEM `FILE` with the certificate's key")
}

func serveLimits(f *pflag.FlagSet, o *serveOptions) {
	f.IntVar(&o.MaxK, "max-k", o.MaxK, "Refuse requests for more candidates than this")
	f.Int64Var(&o.MaxBody, "max-body", o.MaxBody, "Refuse requests with more bytes than this")
	f.Int64Var(&o.MaxMemory, "max-memory", o.MaxMemory, "Hold at most this many bytes of request bodies, of all requests together")
	f.IntVar(&o.MaxConcurrent, "max-concurrent", o.MaxConcurrent, "Work on at most this many requests at once")
	f.IntVar(&o.MaxQueue, "max-queue", o.MaxQueue, "Let at most this many requests wait for their turn; more get status 429")
	f.DurationVar(&o.QueueTimeout, "queue-timeout", o.QueueTimeout, "Let a request wait at most this long for its turn")
	f.DurationVar(&o.HeaderTimeout, "header-timeout", o.HeaderTimeout, "Wait at most this long for a client's request header")
	f.DurationVar(&o.BodyTimeout, "body-timeout", o.BodyTimeout, "Wait at most this long for a client's request body")
	f.DurationVar(&o.WriteTimeout, "write-timeout", o.WriteTimeout, "Wait at most this long for a client to take a piece of its answer")
	f.DurationVar(&o.IdleTimeout, "idle-timeout", o.IdleTimeout, "Keep a connection without a request open for this long")
}

func serveOperation(f *pflag.FlagSet, o *serveOptions) {
	f.StringVar(&o.logLevel, "log-level", "info", "Log messages of this level and above: debug, info, warn or error")
	f.DurationVar(&o.Heartbeat, "heartbeat", o.Heartbeat, "Send a comment this often on a stream that waits for candidates")
	f.DurationVar(&o.DrainDelay, "drain-delay", o.DrainDelay, "On SIGTERM, wait this long between readyz turning 503 and refusing connections")
	f.DurationVar(&o.DrainTimeout, "drain-timeout", o.DrainTimeout, "On SIGTERM, let running requests finish for this long; a second signal ends them at once")
	f.StringVar(&o.Decisions, "decisions", "", "Log every decision to this SQLite `FILE`, without texts")
	f.BoolVar(&o.DecisionTexts, "decisions-texts", false, "Log the questions and answers there too")
	f.StringVar(&o.Traces, "traces", "", "Send traces to the OTLP/HTTP collector at this `URL`, for example http://127.0.0.1:4318/v1/traces")
	f.BoolVar(&o.check, "check", false, "Ask the gateway that runs at --listen whether it is alive, and exit with 0 or 1")
}

// checkClient asks the gateway on this machine. Its certificate is made for another
// name, and nothing secret is sent.
func checkClient() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
}
