package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// Job is a piece of work.
type Job struct {
	ID    string // a hash of all that it depends on; one token of a subject
	Data  []byte
	Units int // texts or questions, for progress
}

// Left is a job that an earlier run has left in the queue.
type Left struct {
	Job
	seq     uint64
	attempt int
}

// Recover commits the results that an earlier run has left, and then returns the jobs that
// it has left. A result that is [ErrDamaged] is dropped.
func (c *Coordinator) Recover(ctx context.Context, commit func(id string, result []byte) error) ([]Left, error) {
	// Jobs first: one that is finished in between has its result among the results.
	left, err := c.left(ctx)
	if err != nil {
		return nil, fmt.Errorf("list what an earlier run left: %w", err)
	}
	for {
		there, err := ids(ctx, c.streams.done, results(c.spec.Run))
		if err != nil {
			return nil, fmt.Errorf("list the results that an earlier run left: %w", err)
		}
		if len(there) == 0 {
			return left, nil
		}
		if err := c.commitLeft(ctx, commit); err != nil {
			return nil, err
		}
	}
}

func (c *Coordinator) left(ctx context.Context) (left []Left, err error) {
	subjects, err := ids(ctx, c.streams.jobs, c.spec.Kind.jobs(c.spec.Target, c.spec.Run))
	if err != nil {
		return nil, err
	}
	for id := range subjects {
		m, err := c.streams.jobs.GetLastMsgForSubject(ctx, c.spec.Kind.job(c.spec.Target, c.spec.Run, id))
		if errors.Is(err, jetstream.ErrMsgNotFound) { // it was finished meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		units, _ := strconv.Atoi(m.Header.Get(unitsHeader)) // 0 is as good as any
		attempt, _ := strconv.Atoi(m.Header.Get(attemptHeader))
		left = append(left, Left{Job{id, m.Data, units}, m.Sequence, attempt})
	}
	return left, nil
}

func (c *Coordinator) commitLeft(ctx context.Context, commit func(id string, result []byte) error) error {
	batch, err := c.streams.results.Fetch(maxCollected, jetstream.FetchMaxWait(c.options.Poll))
	if err != nil {
		return fmt.Errorf("take the results that an earlier run left: %w", err)
	}
	for m := range batch.Messages() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := commit(lastToken(m.Subject()), m.Data()); err != nil && !errors.Is(err, ErrDamaged) {
			return err
		}
		if err := m.DoubleAck(ctx); err != nil {
			return fmt.Errorf("acknowledge a result: %w", err)
		}
	}
	return ctx.Err()
}

// Drop removes jobs that nobody needs any more. One that stays, or is finished meanwhile,
// costs time alone.
func (c *Coordinator) Drop(ctx context.Context, left []Left) {
	for _, l := range left {
		_ = c.streams.jobs.DeleteMsg(ctx, l.seq)
	}
}

// Empty reports whether nothing of the run is in the queue any more.
func (c *Coordinator) Empty(ctx context.Context) bool {
	jobs, err := ids(ctx, c.streams.jobs, c.spec.Kind.jobs(c.spec.Target, c.spec.Run))
	if err != nil {
		return false
	}
	done, err := ids(ctx, c.streams.done, results(c.spec.Run))
	return err == nil && len(jobs)+len(done) == 0
}
