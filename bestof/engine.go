package bestof

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"rcvae"
)

// Candidate is one sampled answer.
type Candidate struct {
	rcvae.Candidate
	Place int    // in the order of sampling, from 0
	Calls string // what its tool calls do, equal for equal calls; empty: it is a text
	Raw   any    // the sampler's own
}

// Sampler samples candidates.
type Sampler interface {
	// Sample sends k candidates, whose places count on from first, as they arrive, and
	// returns when all have ended. When some fail the others are sent; an error says
	// that all failed, or why the context ended.
	Sample(ctx context.Context, first, k int, arrived chan<- Candidate) error
}

// SamplerFunc is a function that is a [Sampler].
type SamplerFunc func(ctx context.Context, first, k int, arrived chan<- Candidate) error

// Sample implements [Sampler].
func (f SamplerFunc) Sample(ctx context.Context, first, k int, arrived chan<- Candidate) error {
	return f(ctx, first, k, arrived)
}

// Rule is a selection rule as the engine needs it.
type Rule struct {
	Name     string
	Selector rcvae.Selector
	// Decided reports whether so many candidates to come cannot change the leading
	// answer, see [selector.Rule.Decided]; nil: never.
	Decided func(weights []float64, left int) bool
	// Prepare does work on candidates that have arrived while others are being sampled, so
	// that Selector takes less time for them; it changes no choice. It is not called while
	// Selector is, nor twice at once, and its context ends with the run. nil: there is
	// nothing to do before.
	Prepare func(ctx context.Context, question string, candidates []rcvae.Candidate) error
}

// Engine holds what all runs have in common. The zero value works: it finds no answers
// and has no limits.
type Engine struct {
	Extract       func(text string) (answer, from string) // finds the answer in a text, and says how; nil: none has one
	SelectTimeout time.Duration                           // for a selection; 0: none
	MaxText       int                                     // bytes of the question and all candidates that are selected from; 0: no limit
	OnPanic       func(value any, stack []byte)           // told of a panic that was caught; nil: nobody is
}

// Request is one question.
type Request struct {
	Question string
	K        int     // candidates at most
	Round    int     // candidates of one round; 0: all at once
	Keep     int     // candidates that must be there before sampling may stop
	Margin   float64 // share of the weight at which the leading answer is good enough; 0: none
	Rule     Rule
	Sampler  Sampler
	Arrivals chan<- Arrival // told of each candidate; nil: nobody is
}

// Arrival tells of a candidate.
type Arrival struct {
	Candidate
	Arrived int // candidates so far, this one included
}

// Result is what came of a run.
type Result struct {
	Candidates []Candidate // that came back, by their places
	Drawn      int         // asked for
	Lost       int         // lost to a panic while their answer was extracted
	Stopped    string      // why fewer than K were asked for; empty when they were not
	Err        error       // why a later round failed; nil when none did
	Choice
	Sampling  time.Duration
	Selection time.Duration // including what early stopping looked at
}

// ErrLost is the error of a run all of whose candidates were lost to panics.
var ErrLost = errors.New("no answer could be extracted from any candidate")

// run is a run under way.
type run struct {
	engine  *Engine
	request Request
	Result
	first int // place of the candidate that finished first; −1: none
	preparation
}

// Run samples, stops when enough is known, and chooses. The error says that no
// candidate came back, or why ctx ended; whatever happens to the rule, there is a choice.
func (e *Engine) Run(ctx context.Context, q Request) (Result, error) {
	if q.K < 1 || q.Sampler == nil || q.Rule.Selector == nil {
		return Result{}, fmt.Errorf("best of %d: want at least 1, a sampler and a rule", q.K)
	}
	if q.Round < 1 {
		q.Round = q.K
	}
	r := &run{engine: e, request: q, first: -1}
	r.startPreparing(ctx)
	defer r.stop()
	for r.Drawn < q.K {
		err := r.sample(ctx, min(q.Round, q.K-r.Drawn))
		switch {
		case ctx.Err() != nil:
			return r.Result, ctx.Err()
		case len(r.Candidates) == 0 && err != nil:
			return r.Result, err
		case err != nil:
			r.Err = err
		}
		if r.Err != nil { // an earlier round has candidates
			break
		}
		if left := q.K - r.Drawn; left > 0 {
			if r.Stopped = r.settled(ctx, left); r.Stopped != "" {
				break
			}
		}
	}
	if len(r.Candidates) == 0 {
		return r.Result, ErrLost
	}
	r.choose(ctx)
	return r.Result, ctx.Err()
}

// sample asks for one round and takes what arrives. It returns when the sampler has.
func (r *run) sample(ctx context.Context, size int) error {
	start := time.Now()
	defer func() { r.Sampling += time.Since(start) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arrived, done := make(chan Candidate, size), make(chan error, 1)
	go func() {
		err := fmt.Errorf("the sampler panicked")
		defer func() { close(arrived); done <- err }()
		defer r.engine.caught(func() {})
		err = r.request.Sampler.Sample(ctx, r.Drawn, size, arrived)
	}()
	for c := range arrived {
		fresh := r.receive(ctx, c, arrived)
		if len(r.Candidates) < r.Drawn+size { // else the selection has them all at once
			r.offer(fresh)
		}
	}
	err := <-done
	r.Drawn += size
	slices.SortStableFunc(r.Candidates, func(a, b Candidate) int { return a.Place - b.Place })
	return err
}

// receive takes a candidate and those that have arrived meanwhile.
func (r *run) receive(ctx context.Context, c Candidate, arrived <-chan Candidate) (fresh []Candidate) {
	for ok := true; ok; {
		if r.extract(&c) {
			r.add(ctx, c)
			fresh = append(fresh, c)
		} else {
			r.Lost++
		}
		select {
		case c, ok = <-arrived:
		default:
			ok = false
		}
	}
	return fresh
}

// add takes a candidate.
func (r *run) add(ctx context.Context, c Candidate) {
	if r.first < 0 {
		r.first = c.Place
	}
	r.Candidates = append(r.Candidates, c)
	if r.request.Arrivals != nil {
		select {
		case r.request.Arrivals <- Arrival{c, len(r.Candidates)}:
		case <-ctx.Done():
		}
	}
}

// extract finds a candidate's answer. It returns false when that panics.
func (r *run) extract(c *Candidate) (ok bool) {
	if c.Calls != "" || r.engine.Extract == nil {
		return true
	}
	defer r.engine.caught(func() { ok = false })
	c.Answer, c.AnswerFrom = r.engine.Extract(c.Text)
	return true
}

// caught is deferred around code that is not the engine's. It tells of a panic, and
// calls then.
func (e *Engine) caught(then func()) {
	if p := recover(); p != nil {
		if e.OnPanic != nil {
			e.OnPanic(p, debug.Stack())
		}
		then()
	}
}
