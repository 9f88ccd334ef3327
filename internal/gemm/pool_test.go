package gemm_test

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rcvae/internal/gemm"
)

func TestRunEveryTaskOnce(t *testing.T) {
	pool := newPool(t, 0)
	for tasks := range 100 {
		counts, inside := make([]atomic.Int32, tasks), make([]atomic.Int32, pool.Workers())
		pool.Run(tasks, func(worker, task int) {
			if inside[worker].Add(1) != 1 {
				t.Errorf("two tasks of worker %d overlap", worker)
			}
			counts[task].Add(1)
			inside[worker].Add(-1)
		})
		for i := range counts {
			if got := counts[i].Load(); got != 1 {
				t.Fatalf("task %d of %d ran %d times", i, tasks, got)
			}
		}
	}
}

func TestRunConcurrently(t *testing.T) {
	pool := newPool(t, 2)
	var total atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				pool.Run(7, func(_, task int) { total.Add(int64(task)) })
			}
		})
	}
	wg.Wait()
	if got, want := total.Load(), int64(4*200*21); got != want {
		t.Errorf("sum of tasks = %d, want %d", got, want)
	}
}

// TestRunUsesWorkers needs two goroutines to meet inside a loop.
func TestRunUsesWorkers(t *testing.T) {
	pool := newPool(t, 2)
	if pool.Workers() < 2 {
		t.Skip("GOMAXPROCS is 1")
	}
	for range 20 {
		var inside atomic.Int32
		pool.Run(2, func(_, _ int) {
			inside.Add(1)
			for inside.Load() < 2 {
				runtime.Gosched()
			}
		})
	}
}

// TestPanicReachesCaller panics on every worker: the caller of Run gets the value and
// the stack of the task, and the pool runs the next loop.
func TestPanicReachesCaller(t *testing.T) {
	pool := newPool(t, 2)
	cause := errors.New("task")
	for want := range pool.Workers() {
		caught := catch(pool, func(worker, _ int) {
			if worker == want {
				panicNow(cause)
			}
			for !stopped.Load() { // leaves the tasks to the worker that panics
				runtime.Gosched()
			}
		})
		if caught == nil || !errors.Is(caught, cause) || !strings.Contains(string(caught.Stack), "panicNow") {
			t.Fatalf("worker %d panicked: Run panicked with %v, want the task's value and stack", want, caught)
		}
		var ran atomic.Int32
		pool.Run(1000, func(_, _ int) { ran.Add(1) })
		if ran.Load() != 1000 {
			t.Errorf("after the panic of worker %d a loop ran %d of 1000 tasks", want, ran.Load())
		}
	}
}

var stopped atomic.Bool

func panicNow(v any) {
	stopped.Store(true)
	panic(v)
}

// catch runs 1,000 tasks and returns what Run panicked with.
func catch(pool *gemm.Pool, f func(worker, task int)) (caught *gemm.Panic) {
	stopped.Store(false)
	defer func() { caught, _ = recover().(*gemm.Panic) }()
	pool.Run(1000, f)
	return nil
}

func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	pool := gemm.NewPool(2)
	pool.Run(10, func(_, _ int) {})
	pool.Close()
	pool.Close()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if got := runtime.NumGoroutine(); got > before {
		t.Errorf("%d goroutines after Close, want %d", got, before)
	}
	sum := 0
	pool.Run(4, func(worker, task int) { sum += task })
	if sum != 6 {
		t.Errorf("after Close the sum of tasks = %d, want 6", sum)
	}
}

func TestPoolRespectsGOMAXPROCS(t *testing.T) {
	if got, limit := newPool(t, 1000).Workers(), runtime.GOMAXPROCS(0); got != limit {
		t.Errorf("NewPool(1000) has %d workers, want GOMAXPROCS = %d", got, limit)
	}
	pool := newPool(t, 0)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	pool.Run(50, func(worker, _ int) {
		if worker != 0 {
			t.Errorf("worker %d ran with GOMAXPROCS 1", worker)
		}
	})
	if got := newPool(t, 0).Workers(); got != 1 {
		t.Errorf("NewPool(0) has %d workers with GOMAXPROCS 1", got)
	}
}
