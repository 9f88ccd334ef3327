package bestof

import (
	"context"
	"time"

	"rcvae"
)

// The reasons to stop before all candidates are sampled.
const (
	StopDecided = "decided" // no candidate to come can change the leading answer
	StopMargin  = "margin"  // the leading answer's share of the weight is enough
)

// settled says why no more candidates are needed, or "" when they are. For tool calls
// the kind, tool calls or text, must be out of reach first.
func (r *run) settled(ctx context.Context, left int) (why string) {
	if len(r.Candidates) < max(r.request.Keep, 2) {
		return ""
	}
	indices, tools := kindOf(r.Candidates)
	if lead := 2*len(indices) - len(r.Candidates); lead <= left && len(indices) < len(r.Candidates) {
		return "" // the kind may change
	}
	if tools {
		return r.verdict(votesOf(r.Candidates, indices), left, Unreachable)
	}
	if r.request.Rule.Weights == nil {
		return ""
	}
	start := time.Now()
	defer func() { r.Selection += time.Since(start) }()
	defer r.engine.caught(func() { why = "" }) // the rule's last word counts, not this one
	weights, ok := r.request.Rule.Weights(ctx, r.request.Question, r.texts(indices))
	if !ok {
		return ""
	}
	return r.verdict(weights, left, r.request.Rule.Decided)
}

// verdict judges what the answers weigh.
func (r *run) verdict(weights []float64, left int, decided func([]float64, int) bool) string {
	var first, sum float64
	for _, w := range weights {
		first, sum = max(first, w), sum+w
	}
	switch {
	case decided != nil && decided(weights, left):
		return StopDecided
	case r.request.Margin > 0 && sum > 0 && first >= r.request.Margin*sum:
		return StopMargin
	}
	return ""
}

// Unreachable reports whether, with one vote per candidate, the leader is more votes
// ahead than candidates remain. A lead of exactly as many could become a tie.
func Unreachable(votes []float64, left int) bool {
	var first, second float64
	for _, v := range votes {
		if v > first {
			first, second = v, first
		} else {
			second = max(second, v)
		}
	}
	return first-second > float64(left)
}

func (r *run) texts(indices []int) []rcvae.Candidate {
	list := make([]rcvae.Candidate, len(indices))
	for a, i := range indices {
		list[a] = r.Candidates[i].Candidate
	}
	return list
}
