package gateway

import (
	"context"
	"math"

	"rcvae"
	"rcvae/bestof"
	"rcvae/selector"
)

// Rule is a selection rule that requests can name.
type Rule struct {
	Selector rcvae.Selector
	LogProbs bool // it looks at log-probabilities, which are asked from the upstream

	// Tau is the τ by which the rule's votes are weighted, exp(τ·score). With 0 every
	// candidate has one vote.
	Tau float64
	// Picks says that the rule takes the best score and does not vote.
	Picks bool
	// EntropyScale is the positive factor s in score = −s · ½ Σ ln σ² for rules that
	// score by posterior entropy; 0 for others.
	EntropyScale float64
}

// engineRule returns the rule as the engine needs it.
//
// With one vote per candidate, the leader of v votes cannot be caught by the runner-up
// of u with r candidates to come when v − u > r. For votes weighted by exp(τ·s) there is
// no such bound: weights are relative to the highest score so far, and a candidate to
// come may have any score. There, and for rules that pick the best score, only the share
// counts.
func (s *Server) engineRule(name string) bestof.Rule {
	rule := s.parts.Rules[name]
	b := bestof.Rule{Name: name, Selector: rule.Selector}
	if rule.Tau == 0 && !rule.Picks {
		b.Weights = func(_ context.Context, _ string, candidates []rcvae.Candidate) ([]float64, bool) {
			classes, _ := selector.Classes(candidates, s.parts.Grader)
			return tally(classes, nil), true
		}
		b.Decided = bestof.Unreachable
		return b
	}
	tau := rule.Tau
	if tau == 0 {
		tau = 1
	}
	b.Weights = func(ctx context.Context, question string, candidates []rcvae.Candidate) ([]float64, bool) {
		if len(candidates) < 2 {
			return nil, false
		}
		ctx, cancel := context.WithTimeout(ctx, s.config.SelectTimeout)
		defer cancel()
		selection, err := rule.Selector.Select(ctx, question, candidates)
		if err != nil || len(selection.Scores) != len(candidates) {
			return nil, false // the rule has trouble: its last word counts
		}
		classes, _ := selector.Classes(candidates, s.parts.Grader)
		return tally(classes, weigh(selection.Scores, classes, tau)), true
	}
	return b
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
