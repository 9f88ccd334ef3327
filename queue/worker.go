package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// Skill is what a worker does with jobs.
type Skill interface {
	Kind() Kind

	// Prepare makes ready for the jobs of a plan, and returns what the coordinator is to
	// judge. A [Refusal] ends the worker.
	Prepare(ctx context.Context, plan Plan, bring Bring) (proof any, err error)

	// Do does a job. An error that is [ErrMalformed] is about the job; any other is about
	// this worker, which gives the job back.
	Do(ctx context.Context, job []byte) (result []byte, err error)

	// Healthy returns nil when it is worth while to take jobs. It is asked after an error.
	Healthy(ctx context.Context) error
}

// Bring copies the coordinator's files into a folder.
type Bring func(ctx context.Context, dir string) error

// ErrMalformed says that a job cannot be read: no worker could do it.
var ErrMalformed = errors.New("the job cannot be read")

// WorkerOptions configure a [Worker].
type WorkerOptions struct {
	Build    string       // of the program; must be the coordinator's
	Name     string       // for people; empty: host and process
	Parallel int          // jobs at once, at least 1
	Say      func(string) // told what people should know; nil: nobody
}

// Worker pulls jobs and does them.
type Worker struct {
	options WorkerOptions
	skill   Skill
	conn    *conn
	access  Access
	id      string

	plan Plan         // guarded by mu
	busy atomic.Int64 // jobs
	done atomic.Int64 // units

	mu      sync.Mutex
	working time.Duration // all jobs together
}

// NewWorker returns a worker that connects to the server which access names, waiting for
// it as long as it takes.
func NewWorker(ctx context.Context, access Access, skill Skill, o WorkerOptions) (*Worker, error) {
	w := newWorker(skill, o)
	w.access = access
	w.access.Name = w.options.Name
	var err error
	if w.conn, err = dial(ctx, w.access, w.options.Say); err != nil {
		return nil, err
	}
	return w, nil
}

// NewLocalWorker returns a worker for the server in this process.
func NewLocalWorker(s *Server, skill Skill, o WorkerOptions) (*Worker, error) {
	w := newWorker(skill, o)
	var err error
	if w.conn, err = s.connect(); err != nil {
		return nil, err
	}
	return w, nil
}

func newWorker(skill Skill, o WorkerOptions) *Worker {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if o.Name == "" {
		host, _ := os.Hostname() // without one the process tells enough
		o.Name = fmt.Sprintf("%s:%d", host, os.Getpid())
	}
	o.Parallel = max(o.Parallel, 1)
	return &Worker{options: o, skill: skill, id: nuid.Next()}
}

// Done returns how many units the worker has done.
func (w *Worker) Done() int { return int(w.done.Load()) }

// Run works until the context ends; jobs in work are finished then. It comes back after
// every interruption, and ends with a [Refusal] when it is not wanted.
func (w *Worker) Run(ctx context.Context) error {
	defer w.conn.nc.Close()
	var beats sync.WaitGroup
	defer beats.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	beats.Go(func() { w.beat(ctx) })
	for ctx.Err() == nil {
		if err := w.session(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// session joins a run and works for it until the connection was lost or the run's streams
// are gone.
func (w *Worker) session(ctx context.Context) error {
	connection := w.conn.nc.Stats().Reconnects
	plan, err := w.ask(ctx, false)
	if err != nil {
		return err
	}
	proof, err := w.skill.Prepare(ctx, plan, w.bring)
	if err != nil {
		return err
	}
	joined, err := w.prove(ctx, plan, proof)
	if err != nil || !joined {
		return err
	}
	w.mu.Lock()
	w.plan = plan
	w.mu.Unlock()
	w.options.Say(fmt.Sprintf("working for %s (run %s)", w.skill.Kind(), plan.Run))
	return w.pullAll(ctx, plan, func() bool { return w.conn.nc.Stats().Reconnects == connection })
}

// askTimeout is how long one answer is waited for.
const askTimeout = 15 * time.Second

// bring copies the files of the coordinator that answers.
func (w *Worker) bring(ctx context.Context, dir string) error {
	plan, err := w.ask(ctx, true)
	if err != nil {
		return err
	}
	w.options.Say(fmt.Sprintf("bringing %d files of the embedder", len(plan.Files)))
	return getFiles(ctx, w.conn.js, plan.Files, dir)
}

// ask asks for a plan, or for one with the coordinator's files, until there is one.
func (w *Worker) ask(ctx context.Context, files bool) (plan Plan, err error) {
	hello := Hello{Version: Version, Build: w.options.Build, Name: w.options.Name, Files: files}
	for said := ""; ; {
		plan, wait := Plan{}, ""
		err := w.request(ctx, planSubject(w.skill.Kind()), hello, &plan)
		switch {
		case w.conn.nc.IsClosed():
			return plan, w.closed()
		case err != nil:
			wait = fmt.Sprintf("waiting for a coordinator with work of the kind %s", w.skill.Kind())
		case plan.Refused != "":
			return plan, refusef("the coordinator refuses this worker: %s", plan.Refused)
		case plan.Version != Version || plan.Build != w.options.Build:
			return plan, refusef("this worker is version %d, build %s, the coordinator version %d, build %s: run the same program on both", Version, w.options.Build, plan.Version, plan.Build)
		case plan.Wait == "":
			return plan, nil
		default:
			wait = plan.Wait
		}
		if wait != said {
			said = wait
			w.options.Say(wait)
		}
		if err := pause(ctx, askAgain); err != nil {
			return plan, err
		}
	}
}

// askAgain is the time between two questions that were not answered.
const askAgain = time.Second

// closed is why the connection ended for good.
func (w *Worker) closed() error {
	err := w.conn.nc.LastError()
	if r := w.access.refusal(err); r != nil {
		return r
	}
	return fmt.Errorf("the connection to %s has ended: %w", w.access.URL, errors.Join(err, nats.ErrConnectionClosed))
}

// prove shows that the worker computes what the coordinator wants. It has not joined when
// nobody judged the proof.
func (w *Worker) prove(ctx context.Context, plan Plan, proof any) (joined bool, err error) {
	var v verdict
	if err := w.request(ctx, proofSubject(plan.Run), proof, &v); err != nil {
		w.options.Say("the coordinator went before this worker had joined")
		return false, pause(ctx, askAgain)
	}
	if v.Refused != "" {
		return false, refusef("the coordinator refuses this worker: %s", v.Refused)
	}
	return true, nil
}

func (w *Worker) request(ctx context.Context, subject string, question, answer any) error {
	data, err := json.Marshal(question)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	m, err := w.conn.nc.RequestWithContext(ctx, subject, data)
	if err != nil {
		return err
	}
	return json.Unmarshal(m.Data, answer)
}

// beat tells every few seconds that the worker is there, and at its end that it goes.
func (w *Worker) beat(ctx context.Context) {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	subject := "$KV." + workersBucket + "." + w.id
	for {
		if data, err := json.Marshal(w.state()); err == nil {
			_ = w.conn.nc.Publish(subject, data) // the next one tells the same
		}
		select {
		case <-ctx.Done():
			gone := nats.NewMsg(subject)
			gone.Header.Set("KV-Operation", "DEL")
			_ = w.conn.nc.PublishMsg(gone) // its silence tells the same
			_ = w.conn.nc.FlushTimeout(time.Second)
			return
		case <-ticker.C:
		}
	}
}

func (w *Worker) state() Beat {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := Beat{ID: w.id, Name: w.options.Name, Run: w.plan.Run, Done: w.Done(), Busy: int(w.busy.Load())}
	if w.working > 0 {
		b.Rate = float64(b.Done) / w.working.Seconds() * float64(w.options.Parallel)
	}
	return b
}

// pullAll pulls with several jobs at once until all have ended.
func (w *Worker) pullAll(ctx context.Context, plan Plan, same func() bool) error {
	consumer, err := w.conn.js.Consumer(ctx, plan.Kind.stream(), plan.Kind.consumer(plan.Target))
	if err != nil {
		return pause(ctx, askAgain) // the coordinator is gone again
	}
	var group sync.WaitGroup
	for range w.options.Parallel {
		group.Go(func() {
			p := &puller{w: w, plan: plan, consumer: consumer}
			for ctx.Err() == nil && same() && p.one(ctx) {
			}
			p.delivery.Wait()
		})
	}
	group.Wait()
	return nil
}

// gone reports whether an error says that the consumer is not there any more.
func gone(err error) bool {
	return errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrStreamNotFound) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, jetstream.ErrNoHeartbeat)
}
