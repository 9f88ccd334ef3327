package queue

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"rcvae"
	"rcvae/embed"
)

// TestWorkDoneTwice has a chunk embedded by two workers: it is committed, and the second
// result changes nothing.
func TestWorkDoneTwice(t *testing.T) {
	b := newBench(t)
	e := hashEmbedder{}
	c := b.coordinator(e, quick())
	defer c.Close()
	path := filepath.Join(t.TempDir(), "c.sqlite")
	s := &spreading{Embedder: NewEmbedder(e, c), missing: map[embed.Key]embed.Keyed{}, failed: map[embed.Key]string{}}
	cache := b.cache(path, e, c)
	list := texts(100)
	if _, err := cache.Embed(t.Context(), list[:1]); err != nil { // here
		t.Fatal(err)
	}
	commits := 0
	s.keep = func(keys []embed.Key, vectors []rcvae.Embedding) error {
		commits++
		return nil
	}
	skill := &EmbedSkill{Own: e}
	if _, err := skill.Prepare(t.Context(), Plan{Target: EmbedTarget(e.Fingerprint())}, nil); err != nil {
		t.Fatal(err)
	}
	var chunk []embed.Keyed
	for _, text := range list {
		chunk = append(chunk, embed.Keyed{Key: embed.KeyOf(text, false), Text: text})
	}
	job := s.job(chunk)
	result, err := skill.Do(t.Context(), job.Data)
	if err != nil {
		t.Fatal(err)
	}
	// One result from a worker that was thought dead, one from the worker that got its job.
	for _, message := range []string{"first", "second"} {
		if _, err := c.conn.js.Publish(t.Context(), resultSubject(c, job.ID)+message, result); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Recover(t.Context(), s.commit); err != nil {
		t.Fatal(err)
	}
	if commits != 2 || !c.Empty(t.Context()) {
		t.Errorf("%d results were committed, want both", commits)
	}
	b.worker(e)
	got, err := cache.Embed(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, e, list)
}

func resultSubject(c *Coordinator, id string) string { return result(c.spec.Run, id) }

// TestSilentWorker has a worker that hangs: its chunk goes to another one after the
// patience, and what it brings later changes nothing.
func TestSilentWorker(t *testing.T) {
	b := newBench(t)
	e := hashEmbedder{}
	c := b.coordinator(e, quick())
	defer c.Close()
	var silent *running
	released, hung := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hanging := e
	hanging.onTexts = func(_ context.Context, list []rcvae.Text) error {
		if strings.HasPrefix(list[0].Text, "text ") {
			once.Do(func() {
				silent.conn.nc.Close() // it says nothing any more
				close(hung)
				<-released
			})
		}
		return nil
	}
	silent = b.worker(hanging)
	go func() {
		<-hung
		b.worker(e)
	}()
	list := texts(200)
	got, err := b.cache("", e, c).Embed(t.Context(), list)
	close(released)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, e, list)
}

// TestChunksFit: every text is in one chunk, and no chunk is larger than a message.
func TestChunksFit(t *testing.T) {
	s := &spreading{Embedder: NewEmbedder(hashEmbedder{dimension: 1024}, nil)}
	var list []embed.Keyed
	for i, text := range texts(3000) {
		text.Text += strings.Repeat("<", i*20)
		list = append(list, embed.Keyed{Key: embed.KeyOf(text, false), Text: text})
	}
	const limit = 1 << 20
	var all []embed.Keyed
	for _, chunk := range s.chunks(list, limit) {
		if n := len(s.job(chunk).Data); n > limit || len(chunk) > mostTexts {
			t.Errorf("a chunk of %d texts has %d bytes", len(chunk), n)
		}
		if n := len(chunk) * (4*1024 + 32); n > limit {
			t.Errorf("the result of a chunk of %d texts has %d bytes", len(chunk), n)
		}
		all = append(all, chunk...)
	}
	if !slices.Equal(all, list) {
		t.Error("the chunks are not the texts")
	}
}
