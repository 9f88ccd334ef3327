package bestof

import (
	"context"
	"sync/atomic"

	"rcvae"
)

// preparation runs a rule's Prepare while candidates are still being sampled, for those
// that have arrived. The zero value prepares nothing.
type preparation struct {
	offered chan rcvae.Candidate // nil: there is nothing to prepare
	turn    chan struct{}        // held by who prepares or selects
	over    atomic.Bool          // what has not been begun is left to the selection
	cancel  context.CancelFunc
	done    chan struct{}
}

// startPreparing begins a run's preparation, which the caller stops.
func (r *run) startPreparing(ctx context.Context) {
	prepare := r.request.Rule.Prepare
	if prepare == nil || r.request.K < 2 {
		return
	}
	p := &r.preparation
	ctx, p.cancel = context.WithCancel(ctx)
	p.offered, p.turn, p.done = make(chan rcvae.Candidate, r.request.K), make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(p.done)
		for c := range p.offered {
			if !p.take(ctx) {
				return
			}
			if !p.over.Load() {
				r.prepareSafely(ctx, p.waiting(c))
			}
			p.give()
		}
	}()
}

// prepareSafely leaves errors and panics of the rule to the selection, which meets them
// again.
func (r *run) prepareSafely(ctx context.Context, candidates []rcvae.Candidate) {
	defer r.engine.caught(func() {})
	_ = r.request.Rule.Prepare(ctx, r.request.Question, candidates)
}

// waiting returns a candidate and all that have been offered since.
func (p *preparation) waiting(first rcvae.Candidate) []rcvae.Candidate {
	list := []rcvae.Candidate{first}
	for range len(p.offered) { // nobody else takes them
		list = append(list, <-p.offered)
	}
	return list
}

// offer hands candidates that are text over, and never waits.
func (r *run) offer(candidates []Candidate) {
	if most := r.engine.MaxText; r.offered == nil || most > 0 && r.size() > most {
		return
	}
	for _, c := range candidates {
		if c.Calls != "" {
			continue
		}
		select {
		case r.offered <- c.Candidate:
		default: // a sampler that sends more than was asked for
		}
	}
}

// size returns the bytes of the question and the candidates so far.
func (r *run) size() int {
	n := len(r.request.Question)
	for _, c := range r.Candidates {
		n += len(c.Text)
	}
	return n
}

// take waits until nobody prepares or selects. It returns false when ctx ends before.
func (p *preparation) take(ctx context.Context) bool {
	if p.turn == nil {
		return true
	}
	select {
	case p.turn <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *preparation) give() {
	if p.turn != nil {
		<-p.turn
	}
}

// stop ends what is under way.
func (p *preparation) stop() {
	if p.offered == nil {
		return
	}
	p.over.Store(true)
	p.cancel()
	close(p.offered)
	<-p.done
}
