package edge

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// queue lets a number of requests work at once, lets more wait, and refuses the rest.
type queue struct {
	slots    chan struct{}
	waiting  atomic.Int64
	limit    int64         // of waiting
	patience time.Duration // of one that waits
}

func newQueue(concurrent, waiting int, patience time.Duration) *queue {
	return &queue{slots: make(chan struct{}, concurrent), limit: int64(waiting), patience: patience}
}

// enter waits for a turn; the caller leaves afterwards. The error is a 429, or
// [ErrClientGone].
func (q *queue) enter(ctx context.Context) error {
	select {
	case q.slots <- struct{}{}:
		return nil
	default:
	}
	defer q.waiting.Add(-1)
	if q.waiting.Add(1) > q.limit {
		return q.full("the queue of %d requests is full", q.limit)
	}
	select {
	case q.slots <- struct{}{}:
		return nil
	case <-time.After(q.patience):
		return q.full("the request waited %v for its turn", q.patience)
	case <-ctx.Done():
		return ErrClientGone
	}
}

func (q *queue) leave() { <-q.slots }

func (q *queue) full(format string, args ...any) error {
	e := rejected(rejectedQueue, http.StatusTooManyRequests, format+"; try again later", args...)
	e.RetryAfter = time.Second
	return e
}
