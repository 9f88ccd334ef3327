package gemm

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Pool owns worker goroutines that share the tasks of parallel loops. What is
// computed never depends on the number of workers.
type Pool struct {
	workers int
}

// NewPool returns a pool of the given number of workers, the caller of
// [Pool.Run] being one of them. With workers <= 0 and at most there are as many
// as GOMAXPROCS.
func NewPool(workers int) *Pool {
	limit := runtime.GOMAXPROCS(0)
	if workers <= 0 || workers > limit {
		workers = limit
	}
	return &Pool{workers: workers}
}

// Close stops the workers. It may be called more than once.
func (p *Pool) Close() {}

// Workers returns the number of workers.
func (p *Pool) Workers() int { return p.workers }

// Run calls f(worker, task) for every task in [0, tasks) and returns when all
// calls have. Workers are numbered from 0.
func (p *Pool) Run(tasks int, f func(worker, task int)) {
	if tasks <= 1 || p.workers == 1 {
		for t := range tasks {
			f(0, t)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range p.workers {
		wg.Go(func() {
			for t := int(next.Add(1)) - 1; t < tasks; t = int(next.Add(1)) - 1 {
				f(w, t)
			}
		})
	}
	wg.Wait()
}
