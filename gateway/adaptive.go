package gateway

import (
	"context"

	"rcvae/selector"
)

// The reasons to stop before all candidates are drawn.
const (
	stopDecided = "decided" // no candidate to come can change the leading answer
	stopMargin  = "margin"  // the leading answer's share of the weight is enough
)

// settled says why no more candidates of the call are needed, or "" when they are.
//
// With one vote per candidate and r candidates to come, the leader of v votes cannot
// be caught by the runner-up of u when
//
//	v − u > r
//
// and a lead of exactly r could become a tie. For tool calls the kind, tool calls or
// text, must be out of reach in the same way first.
//
// Note: for votes weighted by exp(τ·s) there is no such bound. Weights are relative
// to the highest score so far, and a candidate to come may have any score: it can
// make all earlier weights as small as it likes. There only the share counts: the
// leading class must have [Config.Margin] of the weight of all answers drawn so far,
// which is computed anew after every round. Rules that do not vote see all candidates.
func (s *Server) settled(ctx context.Context, c *call, p *pool) string {
	left := c.k - p.drawn
	if len(p.choices) < c.n || len(p.choices) < 2 {
		return ""
	}
	indices, tools := kindOf(p.choices)
	if lead := 2*len(indices) - len(p.choices); lead <= left && len(indices) < len(p.choices) {
		return "" // the kind may change
	}
	if tools {
		return s.verdict(selector.Rule{Aggregate: selector.Majority}, tally(classesOfCalls(p.choices, indices)), left)
	}
	if len(indices) < 2 {
		return ""
	}
	var d decision
	d.scores = make([]float64, len(p.choices))
	s.selectText(ctx, c, p, indices, &d)
	if d.fallback != "" {
		return "" // the rule has trouble: draw on, its last word counts
	}
	return s.verdict(s.parts.Rules[c.rule].Rule, d.weights, left)
}

// verdict judges the weights of the answers under a rule. Without weights the rule does
// not vote, and all candidates are drawn.
func (s *Server) verdict(rule selector.Rule, weights []float64, left int) string {
	switch {
	case rule.Decided(weights, left):
		return stopDecided
	case len(weights) > 0 && selector.Share(weights) >= s.config.Margin:
		return stopMargin
	}
	return ""
}

// tally counts the members of each class.
func tally(classes []int) []float64 {
	var sums []float64
	for _, class := range classes {
		for len(sums) <= class {
			sums = append(sums, 0)
		}
		sums[class]++
	}
	return sums
}
