package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rcvae/gateway"
	"rcvae/gateway/edge"
)

// serveOptions are the settings of serve that are not those of its model.
type serveOptions struct {
	gateway.Config
	listen   string
	keysFile string
	logLevel string
	check    bool
}

func newServe() *cobra.Command {
	o := &serveOptions{Config: gateway.DefaultConfig()}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the best of k answers in front of a model's server",
		Long: `Serve the best of k answers in front of a model's server. Clients of the OpenAI API
point their base URL here; each request is sampled k times from the upstream and a rule
chooses the answer. GET / is a page to try it.

The upstream's key comes from the environment variable RCVAE_UPSTREAM_KEY. Clients
need a key when --keys-file names a file (the SHA-256 of a key on each line, and a name
if you like) or the environment variable RCVAE_KEYS holds keys, separated by commas.
Without client keys the gateway answers to addresses and local names only; see
--allow-host.

Rules (--selector, and "rcvae": {"selector": …} in a request):
` + ruleHelp(),
		Example: `  rcvae serve --model model.rcvae --upstream http://127.0.0.1:8080/v1
  rcvae serve --selector majority --upstream http://127.0.0.1:11434/v1 --k-min 4 --k-max 16`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd, o) },
	}
	addServeFlags(cmd, o)
	return cmd
}

func runServe(cmd *cobra.Command, o *serveOptions) error {
	if o.check {
		return checkServing(cmd.Context(), o)
	}
	rule, err := chosenRule(cmd)
	if err != nil {
		return err
	}
	o.Selector = rule.Name()
	if err := o.complete(); err != nil {
		return err
	}
	logger, err := o.logger(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	cmd.SetErr(&recordWriter{logger: logger, command: cmd.Name()})
	upstream, err := openUpstream(cmd, "upstream-timeout")
	if err != nil {
		return err
	}
	parts, closeParts, err := serveParts(cmd, o.Config, logger)
	if err != nil {
		return err
	}
	defer closeParts()
	parts.Upstream, parts.Logger = upstream, logger
	server, err := gateway.New(o.Config, parts)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w; choose another address with --listen", err), server.Close())
	}
	scheme := "http"
	if o.TLSCert != "" {
		scheme = "https"
	}
	logger.Info("serving", "listen", listener.Addr().String(), "page", scheme+"://"+listener.Addr().String()+"/", "upstream", upstream.URL(), "k", o.K, "selector", o.Selector)
	signals := make(chan os.Signal, 1)
	served := make(chan struct{})
	defer close(served)
	go stopOnSecond(cmd.Context(), signals, served, server.Stop)
	if err := errors.Join(server.Serve(cmd.Context(), listener), server.Close()); err != nil {
		logger.Error("the server ended", "error", err.Error())
		return errLogged
	}
	return nil
}

// stopOnSecond ends a drain at once when a second signal comes.
func stopOnSecond(ctx context.Context, signals chan os.Signal, served <-chan struct{}, stop func()) {
	select {
	case <-ctx.Done(): // the first signal
	case <-served:
		return
	}
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	select {
	case <-signals:
		stop()
	case <-served:
	}
}

// complete checks the settings and reads the keys.
func (o *serveOptions) complete() (err error) {
	if err := o.Validate(); err != nil {
		return usageError{err}
	}
	o.Keys, err = serveKeys(o.keysFile, os.Getenv("RCVAE_KEYS"))
	return err
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
			return nil, fmt.Errorf("read client keys: %s has none; without --keys-file everybody may ask", path)
		}
	}
	for key := range strings.SplitSeq(plain, ",") {
		if key = strings.TrimSpace(key); key != "" {
			keys = append(keys, edge.NewKey(key, ""))
		}
	}
	return keys, nil
}

func (o *serveOptions) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, usagef("--log-level is %q, want debug, info, warn or error", o.logLevel)
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})), nil
}

// checkServing asks the gateway at the address whether it is alive: for the health check
// of a container, which has no other program in it.
func checkServing(ctx context.Context, o *serveOptions) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	scheme := "http"
	if o.TLSCert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(o.listen)
	if err != nil {
		return usagef("--listen %s: %v", o.listen, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return err
	}
	response, err := checkClient().Do(request)
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("check: %s answered %s", request.URL, response.Status)
	}
	return nil
}
