package embed

import (
	"context"
	"errors"
	"sync"
	"time"

	"rcvae"
)

// pause is how long a store that failed is left alone: waiting for a lock or a dying disk
// takes longer than embedding does.
const pause = 30 * time.Second

// errPaused is the error of a store that is left alone.
var errPaused = errors.New("the store failed a moment ago")

// steadyStore keeps in memory what cannot be written to the disk, until it can. Reading
// and writing are left alone one by one: a full disk can be read.
type steadyStore struct {
	disk   store
	memory *memoryStore

	mu            sync.Mutex
	reads, writes time.Time // until when
	spilled       bool      // the memory holds something
}

var _ store = (*steadyStore)(nil)

// get returns what the disk or the memory has. With an error it is what the memory has.
func (s *steadyStore) get(ctx context.Context, keys []Key) (map[Key]rcvae.Embedding, error) {
	found, err := map[Key]rcvae.Embedding{}, errPaused
	if s.open(&s.reads) {
		if found, err = s.disk.get(ctx, keys); err != nil {
			s.shut(&s.reads, ctx)
		}
	}
	if !s.holds() || ctx.Err() != nil {
		return found, err
	}
	if found == nil {
		found = map[Key]rcvae.Embedding{}
	}
	spilled, _ := s.memory.get(ctx, keys) // it has no errors
	for k, e := range spilled {
		found[k] = e
	}
	return found, err
}

func (s *steadyStore) put(ctx context.Context, keys []Key, embeddings []rcvae.Embedding) error {
	err := errPaused
	if s.open(&s.writes) {
		if err = s.disk.put(ctx, keys, embeddings); err == nil {
			return nil
		}
		s.shut(&s.writes, ctx)
	}
	s.mu.Lock()
	s.spilled = true
	s.mu.Unlock()
	_ = s.memory.put(ctx, keys, embeddings) // it has no errors
	return err
}

func (s *steadyStore) close() error { return s.disk.close() }

func (s *steadyStore) open(until *time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !time.Now().Before(*until)
}

// shut leaves the disk alone for a while, unless it was the context that ended.
func (s *steadyStore) shut(until *time.Time, ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	*until = time.Now().Add(pause)
}

func (s *steadyStore) holds() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spilled
}
