package gemm

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Pool owns worker goroutines that share the tasks of parallel loops. What is
// computed never depends on the number of workers.
//
// A pool may be used by many goroutines: their loops run one after the other. A
// task must not use its own pool; inside a task, call [Mul].
type Pool struct {
	busy    sync.Mutex // held during a parallel loop
	workers []worker   // beside the caller
	exited  sync.WaitGroup
	closed  bool

	f       func(worker, task int)
	tasks   int64
	next    atomic.Int64 // next task to hand out
	running atomic.Int64 // workers that have not finished the loop

	panicked atomic.Pointer[Panic] // the first of the loop

	product product // of Mul, kept so that a call does not allocate
}

// worker is the mailbox of one goroutine.
type worker struct {
	state atomic.Int32
	wake  chan struct{} // receives when a parked worker gets something to do
	_     [48]byte      // no two workers on one cache line
}

// States of a worker.
const (
	idle    = iota // spins until it is told something
	parked         // sleeps until it is told something
	working        // has a loop to take part in
	closing        // is to exit
)

// spins is how often an idle worker looks for work before it parks: loops that
// follow each other within a quarter of a millisecond cost no wake-up.
const spins = 1000

// NewPool returns a pool of the given number of workers, the caller of
// [Pool.Run] being one of them. With workers <= 0 and at most there are as many
// as GOMAXPROCS.
func NewPool(workers int) *Pool {
	limit := runtime.GOMAXPROCS(0)
	if workers <= 0 || workers > limit {
		workers = limit
	}
	p := &Pool{workers: make([]worker, workers-1)}
	p.product.init(workers)
	for i := range p.workers {
		w := &p.workers[i]
		w.wake = make(chan struct{}, 1)
		p.exited.Go(func() { p.work(w, i+1) })
	}
	return p
}

// Close stops the workers. It may be called more than once; after it, loops run
// on their callers.
func (p *Pool) Close() {
	p.busy.Lock()
	defer p.busy.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	for i := range p.workers {
		p.workers[i].tell(closing)
	}
	p.exited.Wait()
}

// Workers returns the number of workers that a loop can have, the caller included.
func (p *Pool) Workers() int { return len(p.workers) + 1 }

// Run calls f(worker, task) for every task in [0, tasks) and returns when all
// calls have. Tasks are handed out in order to whichever worker is free; no two
// calls with the same worker, a number below [Pool.Workers], overlap. No more
// workers run than GOMAXPROCS allows at the time.
//
// When a task panics, no more tasks are handed out, and Run panics on its caller's
// goroutine with a [*Panic]. The pool stays usable.
func (p *Pool) Run(tasks int, f func(worker, task int)) {
	p.busy.Lock()
	defer p.busy.Unlock()
	p.run(tasks, f)
}

// run is Run for the holder of busy.
func (p *Pool) run(tasks int, f func(worker, task int)) {
	helpers := min(len(p.workers), tasks-1)
	if helpers > 0 {
		helpers = min(helpers, runtime.GOMAXPROCS(0)-1)
	}
	if p.closed {
		helpers = 0
	}
	helpers = max(helpers, 0)
	p.f, p.tasks = f, int64(tasks)
	p.next.Store(0)
	p.running.Store(int64(helpers))
	for i := range helpers {
		p.workers[i].tell(working)
	}
	p.takeTasks(0)
	p.wait()
	if caught := p.panicked.Swap(nil); caught != nil {
		panic(caught)
	}
}

// Panic is what [Pool.Run] panics with when a task has.
type Panic struct {
	Value any    // that the task panicked with
	Stack []byte // of the task's goroutine
}

// Error returns the value and the stack.
func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Unwrap returns the value if it is an error, such as a [runtime.Error].
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// wait returns when all helpers have finished the loop.
func (p *Pool) wait() {
	for i := 0; p.running.Load() != 0; i++ {
		pause()
		if i%32 == 31 {
			runtime.Gosched()
		}
	}
	p.f = nil
}

func (p *Pool) takeTasks(worker int) {
	defer func() {
		if v := recover(); v != nil {
			p.panicked.CompareAndSwap(nil, &Panic{v, debug.Stack()})
			p.next.Store(p.tasks)
		}
	}()
	for {
		t := p.next.Add(1) - 1
		if t >= p.tasks {
			return
		}
		p.f(worker, int(t))
	}
}

// tell gives the worker its next state and wakes it.
func (w *worker) tell(state int32) {
	if w.state.Swap(state) == parked {
		w.wake <- struct{}{}
	}
}

// work is the life of worker number n.
func (p *Pool) work(w *worker, n int) {
	for w.await() == working {
		p.takeTasks(n)
		w.state.Store(idle)
		p.running.Add(-1)
	}
}

// await returns the state that the worker was told.
func (w *worker) await() int32 {
	for i := 1; i < spins; i++ {
		if s := w.state.Load(); s != idle {
			return s
		}
		pause()
		if i%32 == 0 {
			runtime.Gosched()
		}
	}
	if w.state.CompareAndSwap(idle, parked) {
		<-w.wake
	}
	return w.state.Load()
}
