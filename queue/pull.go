package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// puller does one job at a time. While it does one, the result of the one before is
// delivered.
type puller struct {
	w        *Worker
	plan     Plan
	consumer jetstream.Consumer
	delivery sync.WaitGroup
}

const (
	fetchFor    = time.Second
	longestWait = 30 * time.Second // between two looks whether the worker is well again
	maxMissing  = 10               // answers that there is no such stream, before it is believed
	leaveWithin = 10 * time.Second // that a worker which leaves tries to deliver its result
)

// one waits a while for a job and does it. It returns false when the session is over.
func (p *puller) one(ctx context.Context) bool {
	batch, err := p.consumer.Fetch(1, jetstream.FetchMaxWait(fetchFor))
	if err != nil {
		return !gone(err) && pause(ctx, askAgain) == nil
	}
	for m := range batch.Messages() {
		if ctx.Err() != nil {
			_ = m.Nak() // it came while the worker was leaving
			continue
		}
		p.do(ctx, m)
	}
	return batch.Error() == nil || !gone(batch.Error())
}

// do does one job and keeps it from others until its result is delivered.
func (p *puller) do(ctx context.Context, m jetstream.Msg) {
	p.w.busy.Add(1)
	defer p.w.busy.Add(-1)
	p.sayAgain(m)
	if v := m.Headers().Get(versionHeader); v != strconv.Itoa(Version) {
		_ = m.TermWithReason(fmt.Sprintf("the job has version %q, workers read %d", v, Version))
		return
	}
	stop := p.hold(m)
	start := time.Now()
	result, err := p.safely(context.WithoutCancel(ctx), m.Data())
	switch {
	case errors.Is(err, ErrMalformed):
		stop()
		_ = m.TermWithReason(err.Error())
		return
	case err != nil:
		stop()
		_ = m.Nak()
		p.recover(ctx, err)
		return
	}
	p.w.count(m, time.Since(start))
	p.delivery.Wait()
	p.delivery.Go(func() {
		defer stop()
		if err := p.deliver(ctx, m, result); err != nil {
			p.w.options.Say(fmt.Sprintf("a result was not delivered, another worker does the job again: %v", err))
		}
	})
}

// count adds a job to what the worker has done.
func (w *Worker) count(m jetstream.Msg, took time.Duration) {
	units, _ := strconv.Atoi(m.Headers().Get(unitsHeader)) // for rates alone
	w.done.Add(int64(units))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.working += took
}

// sayAgain says when another worker had the job before.
func (p *puller) sayAgain(m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil || meta.NumDelivered < 2 {
		return
	}
	p.w.options.Say(fmt.Sprintf("job %s again: delivery %d", lastToken(m.Subject()), meta.NumDelivered))
}

// safely does a job; a panic is an error of it.
func (p *puller) safely(ctx context.Context, job []byte) (result []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return p.w.skill.Do(ctx, job)
}

// hold tells the server that the job is in work until stop is called.
func (p *puller) hold(m jetstream.Msg) (stop func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		ticker := time.NewTicker(max(time.Duration(p.plan.Patience)/3, time.Millisecond))
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				_ = m.InProgress() // the next one tells the same
			}
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		group.Wait()
	})
}

// deliver publishes the result and then acknowledges the job. A server that is away is
// waited for, by a worker that leaves for a while only.
func (p *puller) deliver(ctx context.Context, m jetstream.Msg, result []byte) error {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(leaveWithin, cancel)
		context.AfterFunc(own, func() { timer.Stop() })
	})
	defer stop()
	message := lastToken(m.Subject()) + "-" + m.Headers().Get(attemptHeader)
	err := p.persist(own, func() error {
		_, err := p.w.conn.js.Publish(own, resultOf(m), result, jetstream.WithMsgID(message))
		return err
	})
	if err != nil {
		return err
	}
	_ = p.persist(own, func() error { // without it the job comes again and changes nothing
		err := m.DoubleAck(own)
		if errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
			return nil
		}
		return err
	})
	return nil
}

// persist tries until it succeeds, the connection is closed, or the server has no stream
// for it any more.
func (p *puller) persist(ctx context.Context, try func() error) error {
	for missing, said := 0, ""; ; {
		err := try()
		if err == nil || p.w.conn.nc.IsClosed() {
			return err
		}
		if p.w.conn.nc.IsConnected() && said != err.Error() {
			said = err.Error()
			p.w.options.Say("the queue takes no result, trying again: " + said)
		}
		if errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders) {
			if missing++; missing == maxMissing {
				return err
			}
		}
		if pause(ctx, askAgain) != nil {
			return err
		}
	}
}

// resultOf is the subject of a job's result.
func resultOf(m jetstream.Msg) string {
	return result(m.Headers().Get(runHeader), lastToken(m.Subject()))
}

// recover waits until the worker is well again.
func (p *puller) recover(ctx context.Context, cause error) {
	p.w.options.Say(fmt.Sprintf("gave a job back: %v", cause))
	for wait := time.Second; ; wait = min(2*wait, longestWait) {
		if pause(ctx, wait) != nil {
			return
		}
		err := p.w.skill.Healthy(ctx)
		if err == nil {
			return
		}
		p.w.options.Say(fmt.Sprintf("taking no jobs: %v", err))
	}
}
