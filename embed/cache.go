package embed

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"rcvae"
)

// Texts are embedded and stored in chunks of this many, so that interrupted work
// loses one chunk at most.
const chunkTexts = 128

// Cache is an embedder that remembers what another one computed, keyed by that
// embedder's fingerprint and the SHA-256 of the text. A damaged entry is a miss,
// never a wrong vector. A Cache may be used concurrently, and several processes may
// share one file.
type Cache struct {
	// Progress, if not nil, is told how many of a call's distinct texts are
	// embedded: first those found, then after every chunk. It is called from the
	// goroutine that calls Embed and is to be set before.
	Progress func(done, total int)

	path  string // empty: in memory
	inner rcvae.FingerprintedEmbedder
	store store
}

var _ rcvae.FingerprintedEmbedder = (*Cache)(nil)

// key is the SHA-256 of a text.
type key = [sha256.Size]byte

// store holds vectors by key. Missing and damaged entries are absent from what get
// returns.
type store interface {
	get(ctx context.Context, keys []key) (map[key]rcvae.Embedding, error)
	put(ctx context.Context, keys []key, embeddings []rcvae.Embedding) error
	close() error
}

// OpenCache returns a cache of inner in the SQLite file at path, which is made if
// it does not exist. With an empty path the cache lives in memory.
func OpenCache(path string, inner rcvae.FingerprintedEmbedder) (*Cache, error) {
	fp := inner.Fingerprint()
	if fp.Dimension < 1 {
		return nil, fmt.Errorf("open embedding cache: the embedder %s has dimension %d", fp.Name, fp.Dimension)
	}
	if path == "" {
		return &Cache{inner: inner, store: &memoryStore{entries: map[key]rcvae.Embedding{}}}, nil
	}
	s, err := openSQLite(path, fp)
	if err != nil {
		return nil, fmt.Errorf("open embedding cache %s: %w", path, err)
	}
	return &Cache{path: path, inner: inner, store: s}, nil
}

// Fingerprint returns the inner embedder's.
func (c *Cache) Fingerprint() rcvae.Fingerprint { return c.inner.Fingerprint() }

// Close releases the file.
func (c *Cache) Close() error { return c.store.close() }

// Embed returns one embedding a text, in order. Texts that are not in the cache are
// embedded in chunks, each stored as soon as it is done.
func (c *Cache) Embed(ctx context.Context, texts []string) ([]rcvae.Embedding, error) {
	keys := make([]key, len(texts))
	text := make(map[key]string, len(texts))
	for i, t := range texts {
		keys[i] = sha256.Sum256([]byte(t))
		text[keys[i]] = t
	}
	found, err := c.store.get(ctx, distinct(keys))
	if err != nil {
		return nil, c.storeError(ctx, "read", err)
	}
	c.report(len(found), len(text))
	for _, chunk := range chunks(text, found) {
		if err := c.embedChunk(ctx, chunk, text, found); err != nil {
			return nil, err
		}
		c.report(len(found), len(text))
	}
	out := make([]rcvae.Embedding, len(texts))
	for i, k := range keys {
		out[i] = found[k]
	}
	return out, nil
}

// Put stores embeddings that were computed elsewhere by the same embedding function.
func (c *Cache) Put(ctx context.Context, texts []string, embeddings []rcvae.Embedding) error {
	if len(texts) != len(embeddings) {
		return fmt.Errorf("store embeddings: %d texts, %d embeddings", len(texts), len(embeddings))
	}
	keys := make([]key, len(texts))
	for i, t := range texts {
		keys[i] = sha256.Sum256([]byte(t))
		if err := c.check(embeddings[i]); err != nil {
			return fmt.Errorf("store embedding %d: %w", i, err)
		}
	}
	if err := c.store.put(ctx, keys, embeddings); err != nil {
		return c.storeError(ctx, "write", err)
	}
	return nil
}

// embedChunk embeds the texts of some keys, stores the vectors and adds them to found.
func (c *Cache) embedChunk(ctx context.Context, keys []key, text map[key]string, found map[key]rcvae.Embedding) error {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = text[k]
	}
	embeddings, err := c.inner.Embed(ctx, texts)
	if err != nil {
		return err
	}
	if len(embeddings) != len(texts) {
		return fmt.Errorf("embedder %s returned %d embeddings for %d texts", c.Fingerprint().Name, len(embeddings), len(texts))
	}
	for i, e := range embeddings {
		if err := c.check(e); err != nil {
			return fmt.Errorf("embedder %s: %w", c.Fingerprint().Name, err)
		}
		found[keys[i]] = e
	}
	if err := c.store.put(ctx, keys, embeddings); err != nil {
		return c.storeError(ctx, "write", err)
	}
	return nil
}

// storeError says what to do about an error of the store that is no cancellation.
func (c *Cache) storeError(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil || c.path == "" {
		return fmt.Errorf("%s the embedding cache: %w", doing, err)
	}
	return fmt.Errorf("%s the embedding cache %s: %w; if the file is damaged delete it, it can be made again", doing, c.path, err)
}

func (c *Cache) check(e rcvae.Embedding) error {
	if want := c.Fingerprint().Dimension; len(e) != want {
		return fmt.Errorf("embedding has %d dimensions, want %d", len(e), want)
	}
	for _, v := range e {
		if v-v != 0 {
			return errors.New("embedding is not finite")
		}
	}
	return nil
}

func (c *Cache) report(done, total int) {
	if c.Progress != nil {
		c.Progress(done, total)
	}
}

// distinct returns the keys without repetitions, in order of first appearance.
func distinct(keys []key) []key {
	seen := make(map[key]bool, len(keys))
	var out []key
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

// chunks returns the keys of text that are not found. The texts of a chunk have like
// lengths, so that they make full batches; chunks of all lengths alternate, so that
// the time left can be told from the time taken.
func chunks(text map[key]string, found map[key]rcvae.Embedding) [][]key {
	var missing []key
	for k := range text {
		if _, ok := found[k]; !ok {
			missing = append(missing, k)
		}
	}
	slices.SortFunc(missing, func(a, b key) int {
		return cmp.Or(cmp.Compare(len(text[a]), len(text[b])), slices.Compare(a[:], b[:]))
	})
	sorted := slices.Collect(slices.Chunk(missing, chunkTexts))
	order := make([]int, len(sorted))
	for i := range order {
		order[i] = i
	}
	// Multiples of the golden ratio, modulo 1, are spread evenly from the first on.
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Compare(math.Mod(float64(a)*math.Phi, 1), math.Mod(float64(b)*math.Phi, 1))
	})
	out := make([][]key, len(sorted))
	for i, chunk := range order {
		out[i] = sorted[chunk]
	}
	return out
}

// memoryStore is a store without a file.
type memoryStore struct {
	mu      sync.RWMutex
	entries map[key]rcvae.Embedding
}

func (m *memoryStore) get(_ context.Context, keys []key) (map[key]rcvae.Embedding, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	found := make(map[key]rcvae.Embedding, len(keys))
	for _, k := range keys {
		if e, ok := m.entries[k]; ok {
			found[k] = e
		}
	}
	return found, nil
}

func (m *memoryStore) put(_ context.Context, keys []key, embeddings []rcvae.Embedding) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, k := range keys {
		m.entries[k] = embeddings[i]
	}
	return nil
}

func (m *memoryStore) close() error { return nil }
