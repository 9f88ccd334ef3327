package gateway

import (
	"context"
	"math"

	"rcvae"
	"rcvae/selector"
)

// The reasons to stop before all candidates are drawn.
const (
	stopDecided = "decided" // no candidate to come can change the leading answer
	stopMargin  = "margin"  // the leading answer's share of the weight is enough
	stopGreedy  = "greedy"  // all candidates would be the same
)

// settled says why no more candidates of the call are needed, or "" when they are.
//
// With one vote a candidate and r candidates to come, the leader of v votes cannot
// be caught by the runner-up of u when
//
//	v − u > r
//
// and a lead of exactly r could become a tie. For tool calls the kind, tool calls or
// text, must be out of reach in the same way first.
//
// Note: for votes weighted by exp(τ·s) there is no such bound. Weights are relative
// to the highest score so far, and a candidate to come may have any score: it can
// make all earlier weights as small as it likes. There, and for rules that pick the
// best score, only the share counts: the leading class must have [Config.Margin] of
// the weight of all answers drawn so far, which is computed anew after every round.
func (s *Server) settled(ctx context.Context, c *call, p *pool) (reason string) {
	defer func() {
		if p := recover(); p != nil { // a bug of a grader must not cost the client its answer
			s.logPanic(p)
			reason = ""
		}
	}()
	left := c.k - p.drawn
	if len(p.choices) < c.n || len(p.choices) < 2 {
		return ""
	}
	indices, tools := kindOf(p.choices)
	if lead := 2*len(indices) - len(p.choices); lead <= left && len(indices) < len(p.choices) {
		return "" // the kind may change
	}
	rule := s.parts.Rules[c.rule]
	if tools {
		return verdict(tally(classesOfCalls(p.choices, indices), nil), left, s.config.Margin, true)
	}
	candidates := make([]rcvae.Candidate, len(indices))
	for a, i := range indices {
		candidates[a] = p.candidates[i]
	}
	classes, _ := selector.Classes(candidates, s.parts.Grader)
	if rule.Tau == 0 && !rule.Picks {
		return verdict(tally(classes, nil), left, s.config.Margin, true)
	}
	scores := s.scoresSoFar(ctx, c, p, indices)
	if scores == nil {
		return "" // the rule has trouble: draw on, its last word counts
	}
	tau := rule.Tau
	if tau == 0 {
		tau = 1
	}
	return verdict(tally(classes, weigh(scores, classes, tau)), left, s.config.Margin, false)
}

// verdict judges a tally. exact says that every candidate has one vote.
func verdict(weights []float64, left int, margin float64, exact bool) string {
	var first, second, sum float64
	for _, w := range weights {
		sum += w
		if w > first {
			first, second = w, first
		} else {
			second = max(second, w)
		}
	}
	switch {
	case exact && first-second > float64(left):
		return stopDecided
	case sum > 0 && first >= margin*sum:
		return stopMargin
	}
	return ""
}

// tally sums the weights of each class; nil weights are one vote each. Class −1 does
// not vote.
func tally(classes []int, weights []float64) []float64 {
	var sums []float64
	for a, class := range classes {
		if class < 0 {
			continue
		}
		for len(sums) <= class {
			sums = append(sums, 0)
		}
		if weights == nil {
			sums[class]++
		} else {
			sums[class] += weights[a]
		}
	}
	return sums
}

// weigh returns exp(τ·(s − max s)) of each candidate, the maximum over those that vote.
func weigh(scores []float64, classes []int, tau float64) []float64 {
	highest := math.Inf(-1)
	for a, score := range scores {
		if classes[a] >= 0 {
			highest = max(highest, score)
		}
	}
	weights := make([]float64, len(scores))
	for a, score := range scores {
		weights[a] = math.Exp(tau * (score - highest))
	}
	return weights
}

// scoresSoFar returns the rule's scores of the candidates at the indices, and nil when
// the rule cannot give them.
func (s *Server) scoresSoFar(ctx context.Context, c *call, p *pool, indices []int) []float64 {
	d := decision{scores: make([]float64, len(p.choices))}
	if len(indices) < 2 {
		return nil
	}
	s.selectText(ctx, c, p, indices, &d)
	if d.fallback != "" {
		return nil
	}
	scores := make([]float64, len(indices))
	for a, i := range indices {
		scores[a] = d.scores[i]
	}
	return scores
}
