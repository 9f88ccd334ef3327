package queue

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rcvae"
	"rcvae/rcvaetest"
)

// TestWorkersFillTheCache embeds with three workers, and once more from the cache alone.
func TestWorkersFillTheCache(t *testing.T) {
	for _, inContext := range []bool{false, true} {
		b := newBench(t)
		e := hashEmbedder{inContext: inContext}
		local := e
		local.onTexts = func(_ context.Context, list []rcvae.Text) error {
			if strings.HasPrefix(list[0].Text, "text ") {
				return errors.New("the coordinator embedded")
			}
			return nil
		}
		c := b.coordinator(local, quick())
		defer c.Close()
		for range 3 {
			b.worker(e)
		}
		path := filepath.Join(t.TempDir(), "c.sqlite")
		list := texts(1000)
		got, err := b.cache(path, local, c).Embed(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, e, list)
		if got, err = b.cache(path, local, c).Embed(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		same(t, got, e, list)
	}
}

// TestLaws: behind a cache it keeps the laws of embedders.
func TestLaws(t *testing.T) {
	b := newBench(t)
	e := hashEmbedder{}
	c := b.coordinator(e, quick())
	defer c.Close()
	rcvaetest.TestEmbedder(t, NewEmbedder(e, c))
	rcvaetest.TestEmbedder(t, b.cache("", e, c))
}

// TestKilledWorker kills a worker with a chunk in its hands: another one does it.
func TestKilledWorker(t *testing.T) {
	b := newBench(t)
	e := hashEmbedder{}
	c := b.coordinator(e, quick())
	defer c.Close()
	var victim *running
	struck := make(chan struct{})
	var once sync.Once
	deadly := e
	deadly.onTexts = func(_ context.Context, list []rcvae.Text) error {
		if strings.HasPrefix(list[0].Text, "text ") {
			once.Do(func() {
				victim.kill()
				close(struck)
			})
		}
		return nil
	}
	victim = b.worker(deadly)
	go func() {
		<-struck
		b.worker(e)
	}()
	list := texts(300)
	got, err := b.cache("", e, c).Embed(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, e, list)
	if err := victim.stop(); err == nil {
		t.Error("a worker whose connection ended for good ended without an error")
	}
}

// TestKilledCoordinator stops a run in its middle, with its server, and continues it: what
// was done is not done again.
func TestKilledCoordinator(t *testing.T) {
	b := newBench(t)
	e := hashEmbedder{}
	path := filepath.Join(t.TempDir(), "c.sqlite")
	list := texts(1500)
	var embedded atomic.Int64
	counting := e
	counting.onTexts = func(_ context.Context, list []rcvae.Text) error {
		if strings.HasPrefix(list[0].Text, "text ") {
			embedded.Add(int64(len(list)))
		}
		return nil
	}
	b.worker(counting)
	o := quick()
	o.Patience = time.Minute // the worker is away while the server is
	c := b.coordinator(e, o)
	ctx, cancel := context.WithCancel(t.Context())
	cache := b.cache(path, e, c)
	cache.Progress = func(done, _ int) {
		if done > 400 {
			cancel()
		}
	}
	if _, err := cache.Embed(ctx, list); !errors.Is(err, context.Canceled) {
		t.Fatalf("Embed: %v, want it cancelled", err)
	}
	c.Close()
	b.server.Close()
	b.start()
	c = b.coordinator(e, o)
	defer c.Close()
	got, err := b.cache(path, e, c).Embed(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, e, list)
	if extra := embedded.Load() - int64(len(list)); extra != 0 {
		t.Errorf("%d texts were embedded twice, though no worker was killed", extra)
	}
}

// TestPoisonedText gives workers a text that they cannot embed, and one that kills them:
// both are named, and all others are embedded.
func TestPoisonedText(t *testing.T) {
	list := texts(200)
	list[17].Text, list[99].Text = "poison", "deadly poison, which is longer"
	e := hashEmbedder{}
	e.onTexts = func(_ context.Context, list []rcvae.Text) error {
		for _, text := range list {
			switch text.Text {
			case "poison":
				return errors.New("no such letters")
			case "deadly poison, which is longer":
				panic("out of memory")
			}
		}
		return nil
	}
	b := newBench(t)
	c := b.coordinator(e, quick())
	defer c.Close()
	b.worker(e)
	path := filepath.Join(t.TempDir(), "c.sqlite")
	cache := b.cache(path, e, c)
	_, err := cache.Embed(t.Context(), list)
	if err == nil {
		t.Fatal("two texts cannot be embedded, and nobody said so")
	}
	for _, want := range []string{"2 texts", "of 6 bytes", "no such letters", "of 30 bytes", "out of memory"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %q, want %q in it", err, want)
		}
	}
	rest := append(append(append([]rcvae.Text{}, list[:17]...), list[18:99]...), list[100:]...)
	got, err := b.cache(path, e, c).Embed(t.Context(), rest)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, e, rest)
}

// TestDeadLetter has a text whose workers all die: it is given up after its deliveries, and
// the texts beside it are embedded.
func TestDeadLetter(t *testing.T) {
	b := newBench(t)
	o := quick()
	o.Deliveries = 2
	e := hashEmbedder{}
	c := b.coordinator(e, o)
	defer c.Close()
	list := texts(40)
	list[5].Text = "this text ends the process that reads it"
	var mu sync.Mutex
	var hire func()
	hire = func() {
		var w *running
		deadly := e
		deadly.onTexts = func(ctx context.Context, list []rcvae.Text) error {
			for _, text := range list {
				if text.Text == "this text ends the process that reads it" {
					mu.Lock()
					defer mu.Unlock()
					if !w.conn.nc.IsClosed() {
						w.kill()
						hire()
					}
					return context.Canceled
				}
			}
			return nil
		}
		w = b.worker(deadly)
	}
	hire()
	_, err := b.cache("", e, c).Embed(t.Context(), list)
	if err == nil || !strings.Contains(err.Error(), "1 texts cannot") || !strings.Contains(err.Error(), "2 times") {
		t.Errorf("Embed: %v, want one text named that came to 2 workers", err)
	}
}

// TestMessagesThatVanish empties the streams under the run, as a jump of the clock or a lost
// disk would: the jobs are published again.
func TestMessagesThatVanish(t *testing.T) {
	b := newBench(t)
	e := hashEmbedder{}
	c := b.coordinator(e, quick())
	defer c.Close()
	var once sync.Once
	purging := e
	purging.onTexts = func(ctx context.Context, list []rcvae.Text) error {
		if strings.HasPrefix(list[0].Text, "text ") {
			once.Do(func() {
				for _, name := range []string{Embedding.stream(), doneStream} {
					stream, err := c.conn.js.Stream(ctx, name)
					if err == nil {
						err = stream.Purge(ctx)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		return nil
	}
	b.worker(purging)
	list := texts(400)
	got, err := b.cache("", e, c).Embed(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, e, list)
}

// TestLargeTexts has texts that fit into a message of their own, and some that fit into none
// or that JSON would change: these are embedded by the coordinator.
func TestLargeTexts(t *testing.T) {
	b := newBench(t)
	e := hashEmbedder{}
	c := b.coordinator(e, quick())
	defer c.Close()
	b.worker(e)
	list := texts(100)
	list[3].Text = strings.Repeat("x", 2<<20)
	list[4].Text = strings.Repeat("\x01", 2<<20) // six bytes each in JSON
	list[5].Text = "no UTF-8: \xff\xfe"
	got, err := b.cache("", e, c).Embed(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, e, list)
}
