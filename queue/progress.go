package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Progress is how far the work has come.
type Progress struct {
	Done, Total int // units: texts or questions
	Waiting     int // units that are not in the queue yet
	InWork      int // jobs that workers have
	Redelivered int // of these, jobs that another worker had before
	Failed      int // jobs that no worker could do
	Workers     []Beat
}

// Rate returns the units per second of all workers together.
func (p Progress) Rate() (sum float64) {
	for _, w := range p.Workers {
		sum += w.Rate
	}
	return sum
}

// Beat is what a worker tells of itself every few seconds.
type Beat struct {
	ID   string  `json:"id"`
	Name string  `json:"name"` // host and process
	Run  string  `json:"run"`  // that it joined
	Done int     `json:"done"` // units since it started
	Rate float64 `json:"rate"` // units per second while it works
	Busy int     `json:"busy"` // jobs in work
}

const (
	beatEvery = 2 * time.Second
	beatLost  = 5 * beatEvery // a worker that is silent for as long is not counted
)

// watch follows the heartbeats. Their age is that of their arrival here: clocks of other
// machines do not matter.
type watch struct {
	inner jetstream.KeyWatcher
	done  chan struct{}

	mu    sync.Mutex
	beats map[string]heard
}

type heard struct {
	Beat
	at time.Time
}

func watchWorkers(ctx context.Context, kv jetstream.KeyValue) (*watch, error) {
	inner, err := kv.WatchAll(ctx, jetstream.UpdatesOnly())
	if err != nil {
		return nil, fmt.Errorf("watch the workers: %w", err)
	}
	w := &watch{inner: inner, done: make(chan struct{}), beats: map[string]heard{}}
	go func() {
		defer close(w.done)
		for e := range inner.Updates() {
			if e != nil {
				w.hear(e)
			}
		}
	}()
	return w, nil
}

func (w *watch) hear(e jetstream.KeyValueEntry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b Beat
	if e.Operation() != jetstream.KeyValuePut || json.Unmarshal(e.Value(), &b) != nil {
		delete(w.beats, e.Key())
		return
	}
	b.ID = e.Key()
	w.beats[e.Key()] = heard{b, time.Now()}
}

// workers returns those that were heard of lately.
func (w *watch) workers() map[string]Beat {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]Beat{}
	for id, h := range w.beats {
		if time.Since(h.at) > beatLost {
			delete(w.beats, id)
			continue
		}
		out[id] = h.Beat
	}
	return out
}

func (w *watch) stop() {
	_ = w.inner.Stop() // it may have ended
	<-w.done
}

// tell reports the progress.
func (d *doing) tell(ctx context.Context) {
	if d.c.options.OnProgress == nil {
		return
	}
	d.mu.Lock()
	p := Progress{Done: d.done, Total: d.total, Failed: len(d.failed)}
	waiting := slices.Clone(d.waiting)
	d.mu.Unlock()
	for _, e := range waiting {
		p.Waiting += e.Units
	}
	if info, err := d.c.streams.workers.Info(ctx); err == nil {
		p.InWork, p.Redelivered = info.NumAckPending, info.NumRedelivered
	}
	p.Workers = slices.Collect(maps.Values(d.c.watch.workers()))
	slices.SortFunc(p.Workers, func(a, b Beat) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	d.c.options.OnProgress(p)
}
