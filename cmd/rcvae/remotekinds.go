package main

import (
	"context"
	"os"
	"strings"

	"rcvae"
	"rcvae/embed/remote"
)

// remoteKinds returns the kinds of servers.
func remoteKinds() []embedderKind {
	var kinds []embedderKind
	for _, kind := range remote.Kinds() {
		takes := []string{"dimension", "question-prompt", "solution-prompt"}
		if kind == "jina" || kind == "tei" {
			takes = append(takes, "task")
		}
		kinds = append(kinds, embedderKind{
			form: kind + "+URL", about: "a server of the kind " + kind, takes: takes, remote: true, open: openRemote,
			names: func(name string) bool {
				scheme, _, ok := strings.Cut(name, "://")
				return ok && (scheme == kind+"+http" || scheme == kind+"+https")
			},
		})
	}
	return append(kinds, embedderKind{
		form: "KIND+URL", about: "a URL without a kind", names: func(name string) bool { return strings.Contains(name, "://") }, open: openUnknownServer,
	})
}

func openRemote(ctx context.Context, name string, s embedderSettings) (rcvae.Embedder, error) {
	o := remote.DefaultOptions()
	o.Key = os.Getenv(remote.KeyVariable)
	o.Task, o.Dimension, o.QuestionPrompt, o.SolutionPrompt = s.Task, s.Dimension, s.QuestionPrompt, s.SolutionPrompt
	e, err := remote.Open(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func openUnknownServer(_ context.Context, name string, _ embedderSettings) (rcvae.Embedder, error) {
	return nil, usagef("embedder %s: a URL wants the kind of its server in front, one of %s, as in tei+http://127.0.0.1:8080", name, strings.Join(remote.Kinds(), ", "))
}
