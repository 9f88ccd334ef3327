package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// maxAttempts is how often a job is published before it counts as impossible.
const maxAttempts = 4

// entry is a job that is not finished.
type entry struct {
	Job
	attempt   int
	seq       uint64 // in the stream; 0: not published
	suspected bool   // the queue seemed to have lost it when it was last looked for
}

// doing is one call of [Coordinator.Do].
type doing struct {
	c    *Coordinator
	work Work

	wake chan struct{} // the publisher may go on

	mu       sync.Mutex
	open     map[string]*entry
	waiting  []*entry // to be published, in order
	inQueue  int
	done     int // units
	total    int // units
	failed   []Faulty
	searched time.Time
}

func newDoing(c *Coordinator, work Work) *doing {
	d := &doing{c: c, work: work, wake: make(chan struct{}, 1), open: map[string]*entry{}, searched: time.Now()}
	for _, l := range work.Adopt {
		d.open[l.ID] = &entry{Job: l.Job, attempt: l.attempt, seq: l.seq}
		d.inQueue++
		d.total += l.Units
	}
	for _, j := range work.Jobs {
		d.add(j, 0)
	}
	return d
}

func (d *doing) add(j Job, attempt int) {
	if _, there := d.open[j.ID]; there {
		return
	}
	e := &entry{Job: j, attempt: attempt}
	d.open[j.ID], d.waiting, d.total = e, append(d.waiting, e), d.total+j.Units
}

func (d *doing) finished() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.open) == 0
}

func (d *doing) nudge() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// next returns the next job to publish, waiting for room in the queue; nil when the
// context has ended.
func (d *doing) next(ctx context.Context) *entry {
	for {
		d.mu.Lock()
		if len(d.waiting) > 0 && d.inQueue < d.c.options.Ahead {
			e := d.waiting[0]
			d.waiting, d.inQueue = d.waiting[1:], d.inQueue+1
			d.mu.Unlock()
			return e
		}
		d.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-d.wake:
		}
	}
}

func (d *doing) publishAll(ctx context.Context) error {
	for e := d.next(ctx); e != nil; e = d.next(ctx) {
		if err := d.publish(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// publish publishes a job, waiting while the queue is full or away.
func (d *doing) publish(ctx context.Context, e *entry) error {
	for try, said := 0, ""; ; try++ {
		ack, err := d.c.conn.js.PublishMsg(ctx, d.message(e), jetstream.WithMsgID(e.ID+"-"+strconv.Itoa(e.attempt)))
		switch {
		case err == nil && ack.Duplicate && try == 0:
			d.mu.Lock()
			e.attempt++ // it is known, but Recover did not find it: it was finished or dropped
			d.mu.Unlock()
			continue
		case err == nil:
			d.mu.Lock()
			e.seq = ack.Sequence
			d.mu.Unlock()
			return nil
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, nats.ErrMaxPayload):
			return fmt.Errorf("publish a job of %d bytes: %w", len(e.Data), err)
		}
		if err := d.c.server.failed(); err != nil {
			return err
		}
		if said != err.Error() {
			said = err.Error()
			d.c.options.Say("the queue takes no jobs, trying again: " + said)
		}
		if pause(ctx, d.c.options.Poll) != nil {
			return nil
		}
	}
}

func (d *doing) message(e *entry) *nats.Msg {
	spec := d.c.spec
	m := nats.NewMsg(spec.Kind.job(spec.Target, spec.Run, e.ID))
	m.Data = e.Data
	for name, value := range map[string]string{
		versionHeader: strconv.Itoa(Version), unitsHeader: strconv.Itoa(e.Units), attemptHeader: strconv.Itoa(e.attempt), runHeader: spec.Run,
	} {
		m.Header.Set(name, value)
	}
	return m
}

// collect commits the results that come in a short while.
func (d *doing) collect(ctx context.Context) error {
	batch, err := d.c.streams.results.Fetch(maxCollected/2, jetstream.FetchMaxWait(min(d.c.options.Poll, collectFor)))
	if err != nil {
		return d.c.repair(ctx, err)
	}
	for m := range batch.Messages() {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := d.take(m); err != nil {
			return err
		}
	}
	if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
		return d.c.repair(ctx, err)
	}
	return nil
}

// take commits one result and then acknowledges it.
func (d *doing) take(m jetstream.Msg) error {
	id := lastToken(m.Subject())
	err := d.work.Commit(id, m.Data())
	switch {
	case err == nil:
		d.finish(id)
	case errors.Is(err, ErrDamaged):
		d.again(id, err.Error())
	default:
		return err
	}
	_ = m.Ack() // a lost one brings the result again
	return nil
}

// finish takes a job off the list.
func (d *doing) finish(id string) *entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.open[id]
	if !ok {
		return nil
	}
	delete(d.open, id)
	if i := slices.Index(d.waiting, e); i >= 0 {
		d.waiting = slices.Delete(d.waiting, i, i+1)
	} else {
		d.inQueue--
	}
	d.done += e.Units
	d.nudge()
	return e
}

// again publishes a job once more, under another message id: the queue drops those that it
// knows.
func (d *doing) again(id, reason string) {
	e := d.finish(id)
	switch {
	case e == nil:
	case e.attempt+1 >= maxAttempts:
		d.fail(e.Job, reason)
	default:
		d.mu.Lock()
		d.done, d.total = d.done-e.Units, d.total-e.Units
		d.add(e.Job, e.attempt+1)
		d.mu.Unlock()
		d.nudge()
	}
}

// bury gives up a job that no worker finished, or has it done in smaller ones.
func (d *doing) bury(id, reason string) {
	e := d.finish(id)
	if e == nil {
		return
	}
	var parts []Job
	if d.work.Split != nil {
		parts = d.work.Split(e.Job, reason)
	}
	if len(parts) == 0 {
		d.fail(e.Job, reason)
		return
	}
	d.mu.Lock()
	d.done, d.total = d.done-e.Units, d.total-e.Units
	for _, j := range parts {
		d.add(j, 0)
	}
	d.mu.Unlock()
	d.nudge()
}

func (d *doing) fail(j Job, reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed = append(d.failed, Faulty{j, reason})
}
