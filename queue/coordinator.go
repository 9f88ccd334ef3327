package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options of a [Coordinator].
type Options struct {
	Patience   time.Duration // a job of a worker that is silent for as long goes to another
	Deliveries int           // of one job, before it counts as dead
	Ahead      int           // jobs in the queue at once
	Poll       time.Duration // between two looks at what else happened
	Say        func(string)  // told what people should know; nil: nobody
	OnProgress func(Progress)
}

// DefaultOptions returns the usual options.
func DefaultOptions() Options {
	return Options{Patience: 30 * time.Second, Deliveries: 5, Ahead: 256, Poll: time.Second}
}

// Validate reports every bad field at once.
func (o Options) Validate() error {
	var errs []error
	if o.Patience <= 0 || o.Poll <= 0 {
		errs = append(errs, fmt.Errorf("the patience with workers is %v and the poll %v, want more than 0", o.Patience, o.Poll))
	}
	if o.Deliveries < 1 || o.Ahead < 1 || o.Ahead > maxJobs {
		errs = append(errs, fmt.Errorf("deliveries is %d, want at least 1; jobs ahead is %d, want 1 to %d", o.Deliveries, o.Ahead, maxJobs))
	}
	return errors.Join(errs...)
}

// Spec says what a coordinator has done, and by whom.
type Spec struct {
	Kind    Kind
	Target  string          // names what workers must be able to do, for example an embedder; one token of a subject
	Run     string          // the same when an interrupted run is continued; one token of a subject
	Build   string          // of the program; workers must have the same
	Payload json.RawMessage // what workers need to know

	// Verify returns why a worker with this proof may not join, nil if it may.
	Verify func(ctx context.Context, proof json.RawMessage) error
	Files  func() ([]File, error) // for workers that ask for them; nil: there are none
}

// Coordinator publishes jobs and commits results. One goroutine uses it at a time.
type Coordinator struct {
	spec    Spec
	options Options
	server  *Server // nil: elsewhere
	conn    *conn
	streams streams
	subs    []*nats.Subscription
	watch   *watch
	files   *upload
	cancel  context.CancelFunc

	deadSeen uint64 // sequence of the last dead letter that was looked at
}

// NewCoordinator returns a coordinator over the server in this process or, without one
// (nil), over the one that access names, for which it waits.
func NewCoordinator(ctx context.Context, s *Server, access Access, spec Spec, o Options) (*Coordinator, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	conn, err := connectTo(ctx, s, access, o.Say)
	if err != nil {
		return nil, err
	}
	c := &Coordinator{spec: spec, options: o, server: s, conn: conn, files: &upload{list: spec.Files}}
	if err := c.begin(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// begin makes the streams and answers workers.
func (c *Coordinator) begin(ctx context.Context) (err error) {
	// Results that a killed coordinator had in its hands come again at once.
	err = c.conn.js.DeleteConsumer(ctx, doneStream, "c-"+c.spec.Run)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("take the results of run %s: %w", c.spec.Run, err)
	}
	if c.streams, err = c.makeStreams(ctx); err != nil {
		return err
	}
	kv, err := makeBuckets(ctx, c.conn.js)
	if err != nil {
		return err
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	if c.watch, err = watchWorkers(own, kv); err != nil {
		return err
	}
	return c.answer(own)
}

// Close ends the connection. The streams keep what is in them.
func (c *Coordinator) Close() {
	if c.cancel != nil {
		c.cancel()
	}
	if c.watch != nil {
		c.watch.stop()
	}
	c.conn.nc.Close()
	c.files.wait()
}

// Faulty is a job that was not done, and why.
type Faulty struct {
	Job    Job
	Reason string
}

// ErrDamaged says that a result is not what a job asks for. The job is done again.
var ErrDamaged = errors.New("the result is damaged")

// Work is what [Coordinator.Do] has done.
type Work struct {
	Jobs  []Job  // with distinct ids
	Adopt []Left // jobs that are in the queue already

	// Commit makes a result durable. It is called by one goroutine at a time, and may be
	// called twice with one result, and with results of other jobs of the run.
	Commit func(id string, result []byte) error

	// Split returns smaller jobs in place of one that no worker finished; none: it failed.
	Split func(job Job, reason string) []Job
}

// Do has the jobs done and returns those that no worker could do. It waits for workers as
// long as it takes.
func (c *Coordinator) Do(ctx context.Context, work Work) ([]Faulty, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	d := newDoing(c, work)
	var group sync.WaitGroup
	group.Go(func() {
		if err := d.publishAll(ctx); err != nil {
			cancel(err)
		}
	})
	defer group.Wait()
	defer cancel(nil)
	for look := time.Now(); !d.finished(); {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if err := d.collect(ctx); err != nil {
			return nil, err
		}
		if now := time.Now(); now.Sub(look) >= c.options.Poll {
			look = now
			if err := d.look(ctx); err != nil {
				return nil, err
			}
		}
	}
	d.tell(ctx)
	return d.failed, nil
}
