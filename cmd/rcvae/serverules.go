package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/gateway"
	"rcvae/grade"
	"rcvae/selector"
)

// serveParts opens the embedder and the models and builds every rule that they serve.
func serveParts(cmd *cobra.Command, c gateway.Config) (gateway.Parts, func(), error) {
	var parts gateway.Parts
	rule, err := selector.Parse(c.Selector)
	if err != nil {
		return parts, nil, usageError{err}
	}
	if rule.EvaluationOnly() {
		return parts, nil, usagef("the selector %s needs reference answers and works in eval only; use one of %s", c.Selector, strings.Join(servable(), ", "))
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

// servable returns the names of the rules that need no reference answers.
func servable() []string {
	var names []string
	for _, r := range selector.Rules() {
		if !r.EvaluationOnly() {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names
}
