//go:build !noqueue

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"rcvae/queue"
)

// workersFlags are the flags that put workers behind a command. What a command writes does
// not depend on them.
func workersFlags() []string {
	return []string{"workers-listen", "queue", "workers-token-file", "workers-tls-cert", "workers-tls-key", "tls-ca", "workers-patience", "no-local"}
}

// addWorkersFlags adds the flags of commands whose work may be spread over workers.
func addWorkersFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("workers-listen", "", "let 'rcvae worker' processes join at `ADDR`, for example 127.0.0.1:4222; other machines need --workers-tls-cert")
	f.String("queue", "", "spread the work over the NATS server at `URL`, which workers connect to as well")
	f.String("workers-token-file", "", "`FILE` with the token that workers show; made if it is not there (default: workers.token in the user's configuration folder)")
	f.String("workers-tls-cert", "", "PEM `FILE` with the certificate for --workers-listen")
	f.String("workers-tls-key", "", "PEM `FILE` with its key")
	f.String("tls-ca", "", "PEM `FILE` with the authority of the certificate of --queue")
	f.Duration("workers-patience", queue.DefaultOptions().Patience, "give the work of a worker that is silent for as long to another one")
	f.Bool("no-local", false, "only coordinate the workers, and do no work here")
}

// workersAsked reports whether the work is to be spread.
func workersAsked(cmd *cobra.Command) bool {
	listen, _ := cmd.Flags().GetString("workers-listen")
	url, _ := cmd.Flags().GetString("queue")
	return listen != "" || url != ""
}

// tokenFile returns the file that a flag names, or the default one.
func tokenFile(cmd *cobra.Command, flag string) (string, error) {
	if path, _ := cmd.Flags().GetString(flag); path != "" {
		return path, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the user's configuration folder for the token: %w; name a file with --%s", err, flag)
	}
	return filepath.Join(dir, "rcvae", "workers.token"), nil
}

// crew is a coordinator with what it stands on: the server of this process, if it has one,
// and the worker of this process, if it works too.
type crew struct {
	cmd         *cobra.Command
	access      queue.Access
	server      *queue.Server // nil: elsewhere
	coordinator *queue.Coordinator
	release     func()       // gives the run back that no other process may have; nil: the server's folder does that
	show        func(string) // shows how far the workers are; nil: nobody looks
	unit        string

	stop  context.CancelFunc // of the local worker; nil: there is none
	local sync.WaitGroup
}

// openCrew starts a coordinator whose streams are kept at store.
func openCrew(cmd *cobra.Command, store string, paid bool, unit string, spec queue.Spec) (c *crew, err error) {
	c = &crew{cmd: cmd, unit: unit}
	if err := c.reach(store, paid); err != nil {
		return nil, err
	}
	options := queue.DefaultOptions()
	options.Patience, _ = cmd.Flags().GetDuration("workers-patience")
	options.Say = func(text string) { note(cmd, "%s", text) }
	options.OnProgress = c.progress
	if err := options.Validate(); err != nil {
		c.Close()
		return nil, usageError{err}
	}
	if c.coordinator, err = queue.NewCoordinator(cmd.Context(), c.server, c.access, spec, options); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// reach starts the server of --workers-listen, or says how the one of --queue is reached.
func (c *crew) reach(store string, paid bool) (err error) {
	f := c.cmd.Flags()
	listen, _ := f.GetString("workers-listen")
	url, _ := f.GetString("queue")
	if listen != "" && url != "" {
		return usagef("--workers-listen and --queue: give one of them")
	}
	if url != "" {
		c.access = queue.Access{URL: url, Name: "rcvae " + c.cmd.Name()}
		c.access.TokenFile, _ = f.GetString("workers-token-file")
		c.access.CA, _ = f.GetString("tls-ca")
		if err := c.access.Validate(); err != nil {
			return usageError{err}
		}
		c.release, err = lockOutputs(c.cmd, store) // two processes would take each other's results
		return err
	}
	o := queue.ListenOptions{Address: listen, Store: store, Sync: paid}
	o.Cert, _ = f.GetString("workers-tls-cert")
	o.Key, _ = f.GetString("workers-tls-key")
	if o.TokenFile, err = tokenFile(c.cmd, "workers-token-file"); err != nil {
		return err
	}
	if err := o.Validate(); err != nil {
		return usageError{err}
	}
	if c.server, err = queue.Listen(o); err != nil {
		return err
	}
	note(c.cmd, "workers join with: rcvae worker --connect %s --token-file %s", reachable(c.server.URL()), o.TokenFile)
	return nil
}

// reachable puts this machine's name in the place of an address that stands for all.
func reachable(url string) string {
	scheme, address, _ := strings.Cut(url, "://")
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsUnspecified() {
		return url
	}
	name, err := os.Hostname()
	if err != nil {
		name = "HOST"
	}
	return scheme + "://" + net.JoinHostPort(name, port)
}

// work starts a worker in this process.
func (c *crew) work(skill queue.Skill, parallel int) error {
	ctx, stop := context.WithCancel(c.cmd.Context())
	c.stop = stop
	o := queue.WorkerOptions{Build: commit, Parallel: parallel, Say: func(string) {}}
	var w *queue.Worker
	var err error
	if c.server != nil {
		w, err = queue.NewLocalWorker(c.server, skill, o)
	} else {
		w, err = queue.NewWorker(ctx, c.access, skill, o)
	}
	if err != nil {
		return err
	}
	c.local.Go(func() {
		if err := w.Run(ctx); err != nil {
			fmt.Fprintf(c.cmd.ErrOrStderr(), "%s: warning: this process does no work: %v\n", c.cmd.Name(), err)
		}
	})
	return nil
}

// progress tells of the workers in a few words.
func (c *crew) progress(p queue.Progress) {
	if c.show == nil {
		return
	}
	text := fmt.Sprintf("%d %s, %.1f %s/s together", len(p.Workers), plural(len(p.Workers), "worker"), p.Rate(), c.unit)
	if len(p.Workers) == 0 {
		text = "waiting for workers"
	}
	for _, part := range []struct {
		n    int
		what string
	}{{p.Waiting, "waiting"}, {p.InWork, "jobs in work"}, {p.Redelivered, "again"}, {p.Failed, "failed"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	c.show(text)
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// Close stops what openCrew started. The server's folder goes when nothing is left in it.
func (c *crew) Close() {
	if c.stop != nil {
		c.stop()
		c.local.Wait()
	}
	if c.release != nil {
		defer c.release()
	}
	empty := false
	if c.coordinator != nil {
		empty = c.coordinator.Empty(context.WithoutCancel(c.cmd.Context()))
		c.coordinator.Close()
	}
	switch {
	case c.server == nil:
	case empty:
		if err := c.server.Discard(); err != nil {
			note(c.cmd, "remove the queue's folder: %v", err)
		}
	default:
		c.server.Close()
	}
}

// place is the absolute form of a path with the name of this machine: what a run's id is
// made of.
func place(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		absolute = path
	}
	host, _ := os.Hostname() // without one the path tells enough
	return host + ":" + absolute
}
