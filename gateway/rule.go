package gateway

import (
	"context"
	"maps"
	"slices"

	"rcvae"
	"rcvae/bestof"
	"rcvae/selector"
)

// Rule is a selection rule that requests can name, bound to its sources.
type Rule struct {
	Selector rcvae.Selector
	Rule     selector.Rule // that the selector applies: when its votes are decided
	// Prepare embeds candidates while others are being sampled, see [bestof.Rule]; nil: there
	// is nothing to do before.
	Prepare  func(ctx context.Context, question string, candidates []rcvae.Candidate) error
	LogProbs bool // the choice looks at log-probabilities: they are asked from the upstream
}

// engineRule returns the rule as the engine needs it. The time that it spends in the
// embedder before the selection is added to early.
func (s *Server) engineRule(name string, early *stopwatch) bestof.Rule {
	rule := s.parts.Rules[name]
	r := bestof.Rule{Name: name, Selector: rule.Selector, Decided: rule.Rule.Decided}
	if rule.Prepare != nil {
		r.Prepare = func(ctx context.Context, question string, candidates []rcvae.Candidate) error {
			return rule.Prepare(context.WithValue(ctx, stopwatchKey{}, early), question, candidates)
		}
	}
	return r
}

func (s *Server) ruleNames() []string { return slices.Sorted(maps.Keys(s.parts.Rules)) }
