package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"time"

	"rcvae"
)

// decision is the choice among a pool, and why.
type decision struct {
	chosen    int       // index in the pool
	order     []int     // all indices, the best first
	scores    []float64 // (pool); NaN where there is none
	selector  string    // the rule that chose
	reason    string    // one sentence for people
	fallback  string    // why the rule did not choose; empty when it did
	kind      string    // of the fallback: a label of the metrics
	warnings  []string
	embedding time.Duration
	selection time.Duration // without the embedding
}

// The kinds of fallbacks.
const (
	fallbackSelector = "selector" // the rule returned an error: no embedding, no log-probabilities, …
	fallbackTimeout  = "timeout"
	fallbackTooLong  = "too_long"
	fallbackPanic    = "panic"
)

var fallbackKinds = []string{fallbackSelector, fallbackTimeout, fallbackTooLong, fallbackPanic}

// toolVote is the rule's name when candidates call tools.
const toolVote = "majority of tool calls"

// choose decides among the pool, which is not empty. Whatever happens to the rule,
// there is a choice.
func (s *Server) choose(ctx context.Context, c *call, p *pool) decision {
	indices, tools := kindOf(p.choices)
	d := decision{selector: c.rule, scores: make([]float64, len(p.choices))}
	for i := range d.scores {
		d.scores[i] = math.NaN()
	}
	switch {
	case tools:
		d.voteCalls(p, indices)
	case len(indices) == 1:
		d.chosen, d.reason = indices[0], "the only candidate"
		if len(p.choices) > 1 {
			d.reason = "the only candidate that is text"
		}
	default:
		s.selectText(ctx, c, p, indices, &d)
	}
	d.rank(p, indices)
	return d
}

// voteCalls takes the most frequent calls; ties go to the earlier candidate.
func (d *decision) voteCalls(p *pool, indices []int) {
	classes := classesOfCalls(p.choices, indices)
	votes := make([]int, len(indices))
	for _, class := range classes {
		votes[class]++
	}
	best := 0
	for a, i := range indices {
		d.scores[i] = float64(votes[classes[a]])
		if votes[classes[a]] > votes[classes[best]] {
			best = a
		}
	}
	d.chosen, d.selector = indices[best], toolVote
	d.reason = fmt.Sprintf("%d of %d candidates make the same tool calls", votes[classes[best]], len(p.choices))
}

// selectText lets the rule choose among the texts.
func (s *Server) selectText(ctx context.Context, c *call, p *pool, indices []int, d *decision) {
	candidates := make([]rcvae.Candidate, len(indices))
	size := len(c.question)
	for a, i := range indices {
		candidates[a] = p.candidates[i]
		size += len(candidates[a].Text)
	}
	if size > s.config.MaxSelectText {
		d.fallBack(p, indices, fallbackTooLong, fmt.Sprintf("the question and the candidates have %d bytes, selection takes %d at most", size, s.config.MaxSelectText))
		return
	}
	start, watch := time.Now(), &stopwatch{}
	selection, kind, err := s.selectSafely(context.WithValue(ctx, stopwatchKey{}, watch), c, candidates)
	d.embedding = watch.total()
	d.selection = max(time.Since(start)-d.embedding, 0)
	if err != nil {
		d.fallBack(p, indices, kind, err.Error())
		return
	}
	d.chosen, d.reason, d.warnings = indices[selection.Index], selection.Reason, selection.Warnings
	for a, score := range selection.Scores {
		d.scores[indices[a]] = score
	}
}

// selectSafely runs the rule within its time and turns panics into errors.
func (s *Server) selectSafely(ctx context.Context, c *call, candidates []rcvae.Candidate) (selection rcvae.Selection, kind string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.SelectTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil { // a bug of a rule must not cost the client its answer
			s.logPanic(p)
			kind, err = fallbackPanic, errors.New("the selector panicked")
		}
	}()
	selection, err = s.parts.Rules[c.rule].Selector.Select(ctx, c.question, candidates)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return selection, fallbackTimeout, fmt.Errorf("the selection took more than %v", s.config.SelectTimeout)
	case err != nil:
		return selection, fallbackSelector, err
	case selection.Index < 0 || selection.Index >= len(candidates) || len(selection.Scores) > len(candidates):
		return selection, fallbackSelector, fmt.Errorf("the selector chose candidate %d of %d", selection.Index+1, len(candidates))
	}
	return selection, "", nil
}

// logPanic tells the log of a panic that was caught. The panic's value may quote a
// text, so only its type is told.
func (s *Server) logPanic(p any) {
	s.log.Error("a selector or grader panicked", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
}

// fallBack takes the candidate that finished first.
func (d *decision) fallBack(p *pool, indices []int, kind, why string) {
	d.kind, d.fallback, d.reason = kind, why, "the first finished candidate, because nothing could be selected"
	d.chosen = indices[0]
	if slices.Contains(indices, p.first) {
		d.chosen = p.first
	}
}

// rank orders the pool: the chosen one, the others of its kind by score, the rest.
func (d *decision) rank(p *pool, indices []int) {
	d.order = append(d.order, indices...)
	for i := range p.choices {
		if !slices.Contains(indices, i) {
			d.order = append(d.order, i)
		}
	}
	rest := d.order[:len(indices)]
	slices.SortStableFunc(rest, func(i, j int) int {
		switch a, b := d.scores[i], d.scores[j]; {
		case i == d.chosen || j == d.chosen:
			if i == d.chosen {
				return -1
			}
			return 1
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
}
