package gateway

import (
	"rcvae"
	"rcvae/bestof"
	"rcvae/selector"
)

// Rule is a selection rule that requests can name, bound to its sources.
type Rule struct {
	Selector rcvae.Selector
	Rule     selector.Rule // that the selector applies: what it needs, and when its votes are decided
}

// logProbs reports whether the rule looks at log-probabilities, which are asked from
// the upstream.
func (r Rule) logProbs() bool { return r.Rule.Needs().Has(selector.NeedLogProbs) }

// engineRule returns the rule as the engine needs it.
func (s *Server) engineRule(name string) bestof.Rule {
	rule := s.parts.Rules[name]
	return bestof.Rule{Name: name, Selector: rule.Selector, Decided: rule.Rule.Decided}
}
