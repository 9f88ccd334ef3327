package embed

import (
	"context"
	"time"

	"rcvae"
)

// hookedStore holds nothing and does what its hooks do.
type hookedStore struct{ read, write func() error }

func (h hookedStore) get(context.Context, []Key) (map[Key]rcvae.Embedding, error) {
	return nil, h.read()
}
func (h hookedStore) put(context.Context, []Key, []rcvae.Embedding) error { return h.write() }
func (h hookedStore) close() error                                        { return nil }

// NewCacheForTest returns a cache on a disk that does what the functions do.
func NewCacheForTest(inner rcvae.Embedder, read, write func() error) *Cache {
	return &Cache{inner: inner, store: &steadyStore{disk: hookedStore{read, write}, memory: newMemory(inner.Fingerprint())}}
}

// SleepPastPause waits, in a bubble of synctest, until a store that failed is tried again.
func SleepPastPause() { time.Sleep(pause + time.Second) }

// Impatient makes a cache wait a millisecond for the lock of another process.
func Impatient(c *Cache) error {
	_, err := c.store.(*steadyStore).disk.(*sqliteStore).db.Exec("PRAGMA busy_timeout=1")
	return err
}
