package bestof

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"rcvae"
)

// Choice is what was chosen, and why.
type Choice struct {
	Chosen   int       // index among the candidates
	Order    []int     // all indices, the best first
	Scores   []float64 // one per candidate; NaN where there is none
	Rule     string    // that chose: the request's, or [ToolVote]
	Reason   string    // one sentence for people
	Fallback string    // why the rule did not choose; empty when it did
	Kind     string    // of the fallback; empty when there is none
	Warnings []string
	Entropy  *float64 // of the chosen candidate's posterior, ½ Σ ln σ² in nats; nil without a model
}

// The kinds of fallbacks.
const (
	FallbackSelector = "selector" // the rule returned an error: no embedding, no log-probabilities, …
	FallbackTimeout  = "timeout"
	FallbackTooLong  = "too_long"
	FallbackPanic    = "panic"
)

// FallbackKinds returns all kinds.
func FallbackKinds() []string {
	return []string{FallbackSelector, FallbackTimeout, FallbackTooLong, FallbackPanic}
}

// ToolVote is the rule's name when candidates call tools.
const ToolVote = "majority of tool calls"

// choose decides among the candidates, of which there are some.
func (r *run) choose(ctx context.Context) {
	start := time.Now()
	defer func() { r.Selection += time.Since(start) }()
	indices, tools := kindOf(r.Candidates)
	r.Rule = r.request.Rule.Name
	r.Scores = make([]float64, len(r.Candidates))
	for i := range r.Scores {
		r.Scores[i] = math.NaN()
	}
	switch {
	case tools:
		r.voteCalls(indices)
	case len(indices) == 1:
		r.Chosen, r.Reason = indices[0], "the only candidate"
		if len(r.Candidates) > 1 {
			r.Reason = "the only candidate that is text"
		}
	default:
		r.selectText(ctx, indices)
	}
	r.rank(indices)
}

// voteCalls takes the most frequent calls; ties go to the earlier candidate.
func (r *run) voteCalls(indices []int) {
	classes := classesOf(r.Candidates, indices)
	votes := votesOf(r.Candidates, indices)
	best := 0
	for a, i := range indices {
		r.Scores[i] = votes[classes[a]]
		if votes[classes[a]] > votes[classes[best]] {
			best = a
		}
	}
	r.Chosen, r.Rule = indices[best], ToolVote
	r.Reason = fmt.Sprintf("%v of %d candidates make the same tool calls", votes[classes[best]], len(r.Candidates))
}

// selectText lets the rule choose among the texts.
func (r *run) selectText(ctx context.Context, indices []int) {
	candidates, size := r.texts(indices), len(r.request.Question)
	for _, c := range candidates {
		size += len(c.Text)
	}
	r.over.Store(true)
	if most := r.engine.MaxText; most > 0 && size > most {
		r.fallBack(indices, FallbackTooLong, fmt.Sprintf("the question and the candidates have %d bytes, selection takes %d at most", size, most))
		return
	}
	selection, kind, err := r.selectSafely(ctx, candidates)
	if err != nil {
		r.fallBack(indices, kind, err.Error())
		return
	}
	r.Chosen, r.Reason, r.Warnings = indices[selection.Index], selection.Reason, selection.Warnings
	for a, score := range selection.Scores {
		r.Scores[indices[a]] = score
	}
	if selection.Index < len(selection.Entropies) {
		r.Entropy = &selection.Entropies[selection.Index]
	}
}

// selectSafely runs the rule within its time and turns panics into errors.
func (r *run) selectSafely(ctx context.Context, candidates []rcvae.Candidate) (selection rcvae.Selection, kind string, err error) {
	if limit := r.engine.SelectTimeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	if !r.take(ctx) {
		return selection, FallbackTimeout, fmt.Errorf("what was begun before the selection took more than %v", r.engine.SelectTimeout)
	}
	defer r.give()
	defer r.engine.caught(func() { kind, err = FallbackPanic, errors.New("the selector panicked") })
	selection, err = r.request.Rule.Selector.Select(ctx, r.request.Question, candidates)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return selection, FallbackTimeout, fmt.Errorf("the selection took more than %v", r.engine.SelectTimeout)
	case err != nil:
		return selection, FallbackSelector, err
	case selection.Index < 0 || selection.Index >= len(candidates) || len(selection.Scores) > len(candidates):
		return selection, FallbackSelector, fmt.Errorf("the selector chose candidate %d of %d", selection.Index+1, len(candidates))
	}
	return selection, "", nil
}

// fallBack takes the candidate that finished first.
func (r *run) fallBack(indices []int, kind, why string) {
	r.Kind, r.Fallback, r.Reason = kind, why, "the first finished candidate, because nothing could be selected"
	r.Chosen = indices[0]
	for _, i := range indices {
		if r.Candidates[i].Place == r.first {
			r.Chosen = i
		}
	}
}

// rank orders the candidates: the chosen one, the others of its kind by score, the rest.
func (r *run) rank(indices []int) {
	r.Order = append(r.Order, indices...)
	for i := range r.Candidates {
		if !slices.Contains(indices, i) {
			r.Order = append(r.Order, i)
		}
	}
	value := func(i int) float64 {
		switch {
		case i == r.Chosen:
			return math.Inf(1)
		case math.IsNaN(r.Scores[i]):
			return math.Inf(-1)
		}
		return r.Scores[i]
	}
	slices.SortStableFunc(r.Order[:len(indices)], func(i, j int) int {
		switch a, b := value(i), value(j); {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
}
