package gateway

import (
	"rcvae"
	"rcvae/bestof"
	"rcvae/selector"
)

// Rule is a selection rule that requests can name, bound to its sources.
type Rule struct {
	Selector rcvae.Selector
	Rule     selector.Rule // that the selector applies: when its votes are decided
	LogProbs bool          // the choice looks at log-probabilities: they are asked from the upstream
}

// engineRule returns the rule as the engine needs it.
func (s *Server) engineRule(name string) bestof.Rule {
	rule := s.parts.Rules[name]
	return bestof.Rule{Name: name, Selector: rule.Selector, Decided: rule.Rule.Decided}
}
