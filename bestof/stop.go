package bestof

import (
	"context"
	"time"

	"rcvae"
	"rcvae/selector"
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
		return r.verdict(votesOf(r.Candidates, indices), left, selector.Rule{Aggregate: selector.Majority}.Decided)
	}
	start := time.Now()
	defer func() { r.Selection += time.Since(start) }()
	selection, _, err := r.selectSafely(ctx, r.texts(indices))
	if err != nil {
		return "" // the rule has trouble: sample on, its last word counts
	}
	return r.verdict(selection.Weights, left, r.request.Rule.Decided)
}

// verdict judges what the answers weigh; without weights the rule does not vote, and all
// candidates are sampled.
func (r *run) verdict(weights []float64, left int, decided func([]float64, int) bool) string {
	switch {
	case decided != nil && decided(weights, left):
		return StopDecided
	case r.request.Margin > 0 && len(weights) > 0 && selector.Share(weights) >= r.request.Margin:
		return StopMargin
	}
	return ""
}

func (r *run) texts(indices []int) []rcvae.Candidate {
	list := make([]rcvae.Candidate, len(indices))
	for a, i := range indices {
		list[a] = r.Candidates[i].Candidate
	}
	return list
}
