package embed

import (
	"context"
	"sync"

	"rcvae"
)

// memoryBytes bounds the vectors that a cache without a file keeps. The collector lets the
// process hold twice as much, and a gateway is to stay within 100 MB beside its budget.
const memoryBytes = 32 << 20

// memoryStore is a store without a file. It keeps two generations: when the young one
// is full it becomes the old one, and what was in the old one and not asked for since
// is forgotten.
type memoryStore struct {
	mu         sync.Mutex
	limit      int // entries of one generation
	young, old map[Key]rcvae.Embedding
}

// newMemory returns a store for the vectors of an embedder.
func newMemory(fp rcvae.Fingerprint) *memoryStore {
	return newMemoryStore(memoryBytes / (4 * fp.Dimension))
}

func newMemoryStore(entries int) *memoryStore {
	return &memoryStore{limit: max(entries/2, 1), young: map[Key]rcvae.Embedding{}}
}

func (m *memoryStore) get(_ context.Context, keys []Key) (map[Key]rcvae.Embedding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := make(map[Key]rcvae.Embedding, len(keys))
	for _, k := range keys {
		e, ok := m.young[k]
		if !ok {
			if e, ok = m.old[k]; ok {
				m.add(k, e)
			}
		}
		if ok {
			found[k] = e
		}
	}
	return found, nil
}

func (m *memoryStore) put(_ context.Context, keys []Key, embeddings []rcvae.Embedding) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, k := range keys {
		m.add(k, rounded(embeddings[i]))
	}
	return nil
}

func (m *memoryStore) add(k Key, e rcvae.Embedding) {
	if len(m.young) >= m.limit {
		m.old, m.young = m.young, make(map[Key]rcvae.Embedding, m.limit)
	}
	m.young[k] = e
}

func (m *memoryStore) close() error { return nil }
