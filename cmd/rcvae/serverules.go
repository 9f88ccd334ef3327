package main

import (
	"cmp"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rcvae/embed"
	"rcvae/gateway"
	"rcvae/grade"
	"rcvae/selector"
)

// serveParts opens the embedder and the models and builds every rule that they serve.
func serveParts(cmd *cobra.Command, c gateway.Config, logger *slog.Logger) (gateway.Parts, func(), error) {
	var parts gateway.Parts
	rule, err := selector.Parse(c.Selector)
	if err != nil {
		return parts, nil, usageError{err}
	}
	if rule.EvaluationOnly() {
		return parts, nil, usagef("the selector %s needs reference answers and works in eval only; use one of %s", c.Selector, strings.Join(servable(), ", "))
	}
	kind, _ := cmd.Flags().GetString("grader")
	grader, err := grade.New(kind)
	if err != nil {
		return parts, nil, usageError{err}
	}
	parts.Extract = extractor(kind)
	sources, embedder, err := openSources(cmd, rule.Needs()|selector.NeedSignalModel)
	if err != nil {
		return parts, nil, err
	}
	sources.Grader = grader
	if embedder.cache != nil {
		parts.Cache = servedCache{embedder.cache, embedder.trouble}
		embedder.cache.OnFault = func(err error) { logger.Warn("embedding cache", "error", err.Error()) }
	}
	if embedder.guard != nil {
		paths, err := modelPaths(cmd)
		if err != nil {
			return parts, nil, err
		}
		embedder.watch(paths, sources.Models, func(err error) { logWatched(logger, err) })
		parts.Embedder = embedder.guard
	}
	if sources.Embedder != nil {
		sources.Embedder = gateway.Timed(sources.Embedder)
	}
	if parts.Rules, err = serveRules(cmd, c.Selector, sources); err != nil {
		embedder.Close()
		return parts, nil, err
	}
	return parts, embedder.Close, nil
}

// logWatched says that the embedder is refused, or taken again.
func logWatched(logger *slog.Logger, err error) {
	if err == nil {
		logger.Info("the embedder is again what it was")
		return
	}
	logger.Error("the embedder is refused", "error", err.Error())
}

// servedCache is the cache of embeddings as readyz and the metrics tell of it.
type servedCache struct {
	*embed.Cache
	atStart string // why its file was not opened; "" when it was
}

var _ gateway.Cache = servedCache{}

// Faults implements [gateway.Cache].
func (c servedCache) Faults() int64 {
	if c.atStart != "" {
		return c.Cache.Faults() + 1
	}
	return c.Cache.Faults()
}

// Trouble implements [gateway.Cache].
func (c servedCache) Trouble() string { return cmp.Or(c.atStart, c.Cache.Trouble()) }

// serveRules returns every rule that the sources can serve. The configured one must
// be among them.
func serveRules(cmd *cobra.Command, configured string, sources selector.Sources) (map[string]gateway.Rule, error) {
	options := selector.Options{Tau: tauFlag(cmd)}
	options.Seed, _ = cmd.Flags().GetUint64("seed")
	rules := map[string]gateway.Rule{}
	for _, rule := range selector.Rules() {
		name := rule.Name()
		if rule.EvaluationOnly() || name != configured && sources.Check(rule.Needs()) != nil {
			continue
		}
		bound, err := selector.New(rule, sources, options)
		if err != nil {
			return nil, err
		}
		served := gateway.Rule{Selector: bound, Rule: rule, LogProbs: bound.LooksAtLogProbs()}
		if bound.Embeds() {
			served.Prepare = bound.Embed
		}
		rules[name] = served
	}
	return rules, nil
}

// servable returns the names of the rules that need no reference answers.
func servable() []string {
	var names []string
	for _, r := range selector.Rules() {
		if !r.EvaluationOnly() {
			names = append(names, r.Name())
		}
	}
	slices.Sort(names)
	return names
}
