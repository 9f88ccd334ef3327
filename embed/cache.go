package embed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"rcvae"
)

// Texts are embedded and stored in chunks of this many, so that interrupted work
// loses one chunk at most.
const chunkTexts = 128

// Cache is an embedder that remembers what another one computed, keyed by that
// embedder's fingerprint and the SHA-256 of role and text. A damaged entry is a miss,
// never a wrong vector, and a store that cannot be read or written costs time and no
// answer. Vectors have half precision, those that were just computed too, so that a
// selection does not depend on what was in the cache. A Cache may be used concurrently,
// and several processes may share one file.
type Cache struct {
	// Progress, if not nil, is told how many of a call's distinct texts are
	// embedded: first those found, then after every chunk. It is called from the
	// goroutine that calls Embed and is to be set before.
	Progress func(done, total int)

	// OnFault, if not nil, is told of every time that the store could not be read or
	// written. The embeddings are computed and returned all the same. It may be called
	// from several goroutines at once and is to be set before.
	OnFault func(error)

	path    string // empty: in memory
	inner   rcvae.Embedder
	store   store
	faults  atomic.Int64
	trouble atomic.Pointer[string] // of the last use of the store; nil: none
}

var _ rcvae.Embedder = (*Cache)(nil)

// store holds vectors by key and returns them [rounded]. Missing and damaged entries are
// absent from what get returns.
type store interface {
	get(ctx context.Context, keys []Key) (map[Key]rcvae.Embedding, error)
	put(ctx context.Context, keys []Key, embeddings []rcvae.Embedding) error
	close() error
}

// OpenCache returns a cache of inner in the SQLite file at path, which is made if
// it does not exist and grows without a limit. A file of another program is an error and
// stays as it is. With an empty path the cache lives in memory and forgets the oldest
// entries.
func OpenCache(path string, inner rcvae.Embedder) (*Cache, error) {
	return OpenCacheLimited(path, 0, inner)
}

// OpenCacheLimited is [OpenCache] for a file of at most so many bytes, 0 for any number,
// which forgets the oldest entries of all embedders. Its write-ahead log comes on top, a
// few megabytes.
func OpenCacheLimited(path string, limit int64, inner rcvae.Embedder) (*Cache, error) {
	fp := inner.Fingerprint()
	if fp.Dimension < 1 {
		return nil, fmt.Errorf("open embedding cache: the embedder %s has dimension %d", fp.Name, fp.Dimension)
	}
	if path == "" {
		return &Cache{inner: inner, store: newMemory(fp)}, nil
	}
	s, err := openSQLite(path, fp, limit)
	if err != nil {
		return nil, fmt.Errorf("open embedding cache %s: %w", path, err)
	}
	return &Cache{path: path, inner: inner, store: &steadyStore{disk: s, memory: newMemory(fp)}}, nil
}

// Fingerprint returns the inner embedder's.
func (c *Cache) Fingerprint() rcvae.Fingerprint { return c.inner.Fingerprint() }

// Close releases the file.
func (c *Cache) Close() error { return c.store.close() }

// Faults returns how often the store could not be read or written.
func (c *Cache) Faults() int64 { return c.faults.Load() }

// Trouble says why the store cannot be used at present, "" while it can.
func (c *Cache) Trouble() string {
	if t := c.trouble.Load(); t != nil {
		return *t
	}
	return ""
}

// Embed returns one embedding per text, in order. Texts that are not in the cache are
// embedded in chunks, each stored as soon as it is done. Every vector is checked, see
// [Checked].
func (c *Cache) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	inContext := c.Fingerprint().InContext
	keys := make([]Key, len(texts))
	text := make(map[Key]rcvae.Text, len(texts))
	for i, t := range texts {
		keys[i] = KeyOf(t, inContext)
		text[keys[i]] = t
	}
	found, err := c.store.get(ctx, slices.Collect(maps.Keys(text)))
	if err := c.used(ctx, "read", err); err != nil {
		return nil, err
	}
	if found == nil {
		found = make(map[Key]rcvae.Embedding, len(text))
	}
	c.report(len(found), len(text))
	if err := c.fill(ctx, text, found); err != nil {
		return nil, err
	}
	out := make([]rcvae.Embedding, len(texts))
	for i, k := range keys {
		out[i] = slices.Clone(found[k])
	}
	return out, nil
}

// fill embeds and stores what is not found.
func (c *Cache) fill(ctx context.Context, text map[Key]rcvae.Text, found map[Key]rcvae.Embedding) error {
	if s, ok := c.inner.(Spreader); ok {
		return c.spread(ctx, s, text, found)
	}
	for _, chunk := range chunks(text, found, c.Fingerprint().InContext) {
		if err := c.embedChunk(ctx, chunk, text, found); err != nil {
			return err
		}
		c.report(len(found), len(text))
	}
	return nil
}

// Put stores embeddings that were computed elsewhere, by the function of the cache's
// embedder. They are checked as those of an embedder are.
func (c *Cache) Put(ctx context.Context, keys []Key, embeddings []rcvae.Embedding) error {
	if len(keys) != len(embeddings) {
		return fmt.Errorf("%d keys for %d embeddings", len(keys), len(embeddings))
	}
	for i, e := range embeddings {
		if err := check(e, c.Fingerprint().Dimension); err != nil {
			return fmt.Errorf("embedding %d of %d: %w", i+1, len(embeddings), err)
		}
	}
	return c.store.put(ctx, keys, embeddings)
}

// embedChunk embeds the texts of some keys, stores the vectors and adds them to found.
func (c *Cache) embedChunk(ctx context.Context, keys []Key, text map[Key]rcvae.Text, found map[Key]rcvae.Embedding) error {
	texts := make([]rcvae.Text, len(keys))
	for i, k := range keys {
		texts[i] = text[k]
	}
	embeddings, err := Checked(c.inner).Embed(ctx, texts)
	if err != nil {
		return err
	}
	for i, e := range embeddings {
		found[keys[i]] = rounded(e)
	}
	return c.used(ctx, "write", c.store.put(ctx, keys, embeddings))
}

// used counts and reports an error of the store. It returns an error only when the
// context has ended.
func (c *Cache) used(ctx context.Context, doing string, err error) error {
	switch {
	case err == nil:
		if strings.HasPrefix(c.Trouble(), doing) {
			c.trouble.Store(nil)
		}
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errPaused):
		return nil
	}
	c.faults.Add(1)
	text := fmt.Sprintf("%s the embedding cache %s: %v", doing, c.path, err)
	c.trouble.Store(&text)
	if c.OnFault != nil {
		c.OnFault(fmt.Errorf("%s the embedding cache %s: %w; the embeddings are computed without it", doing, c.path, err))
	}
	return nil
}

func (c *Cache) report(done, total int) {
	if c.Progress != nil {
		c.Progress(done, total)
	}
}

// chunks returns the keys of text that are not found. The texts of a chunk have like
// lengths, so that they make full batches; the longest come first, so that the time
// left is overestimated and not underestimated. Texts that are read in context are
// together with the others of their question, which is then read once.
func chunks(text map[Key]rcvae.Text, found map[Key]rcvae.Embedding, inContext bool) [][]Key {
	var missing []Key
	for k := range text {
		if _, ok := found[k]; !ok {
			missing = append(missing, k)
		}
	}
	question := func(k Key) string {
		switch t := text[k]; {
		case !inContext:
			return ""
		case t.Role == rcvae.RoleQuestion:
			return t.Text
		default:
			return t.Question
		}
	}
	slices.SortFunc(missing, func(a, b Key) int {
		q, r := question(a), question(b)
		return cmp.Or(cmp.Compare(len(r), len(q)), cmp.Compare(q, r), cmp.Compare(len(text[b].Text), len(text[a].Text)), slices.Compare(a[:], b[:]))
	})
	return slices.Collect(slices.Chunk(missing, chunkTexts))
}
