//go:build !noqueue

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"rcvae/llm"
	"rcvae/queue"
)

// queueCommands are the commands that speak to a queue.
func queueCommands() []*cobra.Command { return []*cobra.Command{newWorker()} }

func newWorker() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Work for a train, eval, embed or sample command elsewhere",
		Long: `Work for a command that was started with --workers-listen or --queue: embed its texts, or,
with --upstream, draw its candidates from a language model's server.

A worker opens the coordinator's embedder, shows by probe texts that it computes the same,
and then pulls work. It waits for a coordinator that is not there yet or restarts, gives
work back that it cannot do, and finishes what it has in hand on Ctrl-C; a second Ctrl-C
ends it at once, and another worker does that work again. Any number may run on a machine:
an embedder uses all cores, so that one is enough, and --parallel is for embedders and
language models that are servers.`,
		Example: `  rcvae worker --connect nats://127.0.0.1:4222
  rcvae worker --connect tls://coordinator:4222 --tls-ca ca.pem --token-file workers.token
  rcvae worker --connect tls://coordinator:4222 --token-file workers.token --upstream http://127.0.0.1:8080/v1 --llm qwen2.5-0.5b`,
		Args: noArgs,
		RunE: runWorker,
	}
	f := cmd.Flags()
	f.String("connect", "nats://127.0.0.1:4222", "`URL` of the coordinator, or of the NATS server that it uses")
	f.String("token-file", "", "`FILE` with the coordinator's token, or NATS credentials (default: workers.token in the user's configuration folder)")
	f.String("tls-ca", "", "PEM `FILE` with the authority of the server's certificate (default: the system's)")
	f.Int("parallel", 0, "pieces of work at once (0: one, or as many as --concurrency for candidates)")
	f.String("embedder", "", "`EMBEDDER` to work with, which must be the coordinator's (default: the coordinator's, whose files are copied if need be)")
	f.String("adapter", "", "`FILE` or folder of a low-rank adapter that is merged into the embedder")
	addEmbedderSettings(cmd)
	o := llm.DefaultOptions("")
	f.String("upstream", "", "base `URL` of an OpenAI-compatible server to draw candidates from; its key comes from "+upstreamKey)
	f.String("llm", "", "the server's `NAME` of the language model")
	f.Int("concurrency", o.Concurrency, "calls to the server at once")
	f.Duration("timeout", o.Timeout, "longest time of one call")
	f.Int("retries", o.Retries, "repetitions of a call that failed")
	addPatienceFlags(cmd, o.RetryFor, o.LongestWait, true)
	return cmd
}

func runWorker(cmd *cobra.Command, _ []string) error {
	f := cmd.Flags()
	access := queue.Access{}
	access.URL, _ = f.GetString("connect")
	access.CA, _ = f.GetString("tls-ca")
	var err error
	if access.TokenFile, err = tokenFile(cmd, "token-file"); err != nil {
		return err
	}
	if err := access.Validate(); err != nil {
		return usageError{err}
	}
	skill, parallel, err := workerSkill(cmd)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(text string) { // from several goroutines
		mu.Lock()
		defer mu.Unlock()
		note(cmd, "%s", text)
	}
	o := queue.WorkerOptions{Build: commit, Parallel: parallel, Say: say}
	w, err := queue.NewWorker(cmd.Context(), access, skill, o)
	if errors.Is(err, context.Canceled) {
		return errors.New("worker: interrupted before a coordinator was there")
	}
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	told := make(chan struct{})
	stop := context.AfterFunc(cmd.Context(), func() {
		defer close(told)
		say("finishing what is in work; interrupt again to leave it to others")
	})
	defer func() {
		if !stop() {
			<-told
		}
	}()
	if err := w.Run(cmd.Context()); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d %s done\n", w.Done(), plural(w.Done(), "piece"))
	return nil
}

// workerSkill returns what the worker does, and how much at once.
func workerSkill(cmd *cobra.Command) (queue.Skill, int, error) {
	f := cmd.Flags()
	parallel, _ := f.GetInt("parallel")
	if parallel < 0 {
		return nil, 0, usagef("--parallel is %d, want at least 0", parallel)
	}
	if upstream, _ := f.GetString("upstream"); upstream != "" {
		return samplingSkill(cmd, parallel)
	}
	if name, _ := f.GetString("llm"); name != "" {
		return nil, 0, usagef("--llm %s: give the server's address too, with --upstream", name)
	}
	skill := &queue.EmbedSkill{Open: openPlanned}
	name, _ := f.GetString("embedder")
	if name == noEmbedder {
		return nil, 0, usagef("--embedder %s embeds nothing", noEmbedder)
	}
	if name != "" {
		e, err := newEmbedder(cmd.Context(), name, embedderSettings{}.withFlags(cmd))
		if err != nil {
			return nil, 0, err
		}
		skill.Own = e
	}
	return skill, max(parallel, 1), nil
}

func samplingSkill(cmd *cobra.Command, parallel int) (queue.Skill, int, error) {
	upstream, err := openUpstream(cmd, "timeout")
	if err != nil {
		return nil, 0, err
	}
	name, _ := cmd.Flags().GetString("llm")
	if name == "" {
		return nil, 0, usagef("--llm is missing: give the server's name of the model")
	}
	sampler, err := llm.NewSampler(upstream, llm.DefaultSettings(name))
	if err != nil {
		return nil, 0, usageError{err}
	}
	if parallel == 0 {
		parallel = sampler.Concurrency()
	}
	return &queue.SampleSkill{Sampler: sampler, Model: name}, parallel, nil
}
