package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Limits of the streams. What does not fit waits with its publisher.
const (
	maxJobs       = 1024
	maxJobBytes   = 1 << 30
	maxDoneBytes  = 1 << 30
	maxDead       = 1000
	deadAge       = 7 * 24 * time.Hour
	workersAge    = time.Minute
	duplicateAge  = 10 * time.Minute
	maxInWork     = 512 // jobs that workers have at once, all together
	maxCollected  = 64  // results that a coordinator has at once
	collectWait   = 30 * time.Second
	collectFor    = 200 * time.Millisecond // that results are waited for in one go
	idleConsumers = 72 * time.Hour
)

// streams are what a coordinator works with.
type streams struct {
	jobs, done, dead jetstream.Stream
	workers          jetstream.Consumer // of jobs: only looked at here
	results          jetstream.Consumer
}

// makeStreams makes what is not there yet. Streams keep no ages: a clock that jumps removes
// nothing.
func (c *Coordinator) makeStreams(ctx context.Context) (s streams, err error) {
	kind, js := c.spec.Kind, c.conn.js
	work := jetstream.StreamConfig{
		Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew, Duplicates: duplicateAge, AllowDirect: true,
	}
	jobs, done := work, work
	jobs.Name, jobs.Subjects, jobs.MaxMsgs, jobs.MaxBytes = kind.stream(), []string{"rcvae." + string(kind) + ".>"}, maxJobs, maxJobBytes
	done.Name, done.Subjects, done.MaxBytes = doneStream, []string{"rcvae.done.>"}, maxDoneBytes
	if s.jobs, err = js.CreateOrUpdateStream(ctx, jobs); err != nil {
		return s, fmt.Errorf("make the stream %s: %w", jobs.Name, err)
	}
	if s.done, err = js.CreateOrUpdateStream(ctx, done); err != nil {
		return s, fmt.Errorf("make the stream %s: %w", done.Name, err)
	}
	s.dead, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: deadStream, MaxMsgs: maxDead, MaxBytes: 1 << 20, MaxAge: deadAge, Discard: jetstream.DiscardOld, AllowDirect: true,
		Subjects: letterSubjects(),
	})
	if err != nil {
		return s, fmt.Errorf("make the stream %s: %w", deadStream, err)
	}
	s.workers, err = js.CreateOrUpdateConsumer(ctx, jobs.Name, jetstream.ConsumerConfig{
		Durable: kind.consumer(c.spec.Target), FilterSubject: "rcvae." + string(kind) + "." + c.spec.Target + ".>", AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: c.options.Patience, MaxDeliver: c.options.Deliveries, MaxAckPending: maxInWork, InactiveThreshold: idleConsumers,
	})
	if err != nil {
		return s, fmt.Errorf("make the workers' consumer: %w", err)
	}
	s.results, err = js.CreateOrUpdateConsumer(ctx, doneStream, jetstream.ConsumerConfig{
		Durable: "c-" + c.spec.Run, FilterSubject: results(c.spec.Run), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: collectWait, MaxAckPending: maxCollected, InactiveThreshold: idleConsumers,
	})
	if err != nil {
		return s, fmt.Errorf("make the consumer of results: %w", err)
	}
	return s, nil
}

// letterSubjects are the subjects under which the server tells of jobs that it delivers no
// more.
func letterSubjects() (subjects []string) {
	for _, what := range []string{"MAX_DELIVERIES", "MSG_TERMINATED"} {
		for _, k := range []Kind{Embedding, Sampling} {
			subjects = append(subjects, "$JS.EVENT.ADVISORY.CONSUMER."+what+"."+k.stream()+".>")
		}
	}
	return subjects
}

// makeBuckets makes the bucket of heartbeats.
func makeBuckets(ctx context.Context, js jetstream.JetStream) (jetstream.KeyValue, error) {
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: workersBucket, TTL: workersAge, MaxValueSize: 4096, MaxBytes: 16 << 20, Storage: jetstream.FileStorage,
	})
	if err != nil {
		return nil, fmt.Errorf("make the bucket %s: %w", workersBucket, err)
	}
	return kv, nil
}

// ids returns the ids of a stream's messages under the subjects.
func ids(ctx context.Context, s jetstream.Stream, subjects string) (map[string]bool, error) {
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(subjects))
	if err != nil {
		return nil, err
	}
	out := make(map[string]bool, len(info.State.Subjects))
	for subject := range info.State.Subjects {
		out[lastToken(subject)] = true
	}
	return out, nil
}

// repair makes streams and consumers that are gone again, after a while. It returns an
// error only when that is no use.
func (c *Coordinator) repair(ctx context.Context, cause error) error {
	if err := c.server.failed(); err != nil {
		return err
	}
	if c.conn.nc.IsClosed() {
		return fmt.Errorf("the queue's server let this process no longer in: %w", errors.Join(cause, c.conn.nc.LastError()))
	}
	if pause(ctx, c.options.Poll) != nil {
		return context.Cause(ctx)
	}
	fresh, err := c.makeStreams(ctx)
	if err == nil {
		c.streams = fresh
	}
	return nil //nolint:nilerr // the next use tells
}
