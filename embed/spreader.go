package embed

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"rcvae"
)

// Key is the SHA-256 of everything that a text's embedding depends on but the embedder.
type Key = [sha256.Size]byte

// KeyOf returns the key of a text: the SHA-256 of the role as one byte; of a solution that
// is read in context, the length of its question as eight little-endian bytes, and the
// question; the text.
func KeyOf(t rcvae.Text, inContext bool) Key {
	b := []byte{byte(t.Role)}
	if inContext && t.Role == rcvae.RoleSolution {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(t.Question)))
		b = append(b, t.Question...)
	}
	return sha256.Sum256(append(b, t.Text...))
}

// Keyed is a text with its key.
type Keyed struct {
	Key  Key
	Text rcvae.Text
}

// Spreader is an embedder that has texts embedded elsewhere, many at once. A [Cache] in
// front of one hands it all missing texts in one call.
type Spreader interface {
	rcvae.Embedder

	// Spread embeds distinct texts in any order. Every piece goes to keep, one call at a
	// time, from the goroutine that calls Spread; what keep has taken with a nil error need
	// not be kept elsewhere. A piece may hold texts that an earlier, interrupted run asked
	// for.
	Spread(ctx context.Context, texts []Keyed, keep func(keys []Key, embeddings []rcvae.Embedding) error) error
}

// spread embeds the missing texts elsewhere, stores every piece and adds it to found.
func (c *Cache) spread(ctx context.Context, s Spreader, text map[Key]rcvae.Text, found map[Key]rcvae.Embedding) error {
	var missing []Keyed
	for _, chunk := range chunks(text, found, c.Fingerprint().InContext) {
		for _, k := range chunk {
			missing = append(missing, Keyed{k, text[k]})
		}
	}
	if len(missing) == 0 {
		return nil
	}
	dimension := c.Fingerprint().Dimension
	err := s.Spread(ctx, missing, func(keys []Key, embeddings []rcvae.Embedding) error {
		for _, e := range embeddings {
			if err := check(e, dimension); err != nil {
				return fmt.Errorf("embedder %s: %w", c.Fingerprint().Name, err)
			}
		}
		for i, k := range keys {
			if _, asked := text[k]; asked {
				found[k] = rounded(embeddings[i])
			}
		}
		err := c.used(ctx, "write", c.store.put(ctx, keys, embeddings))
		c.report(len(found), len(text))
		return err
	})
	if err != nil {
		return err
	}
	if rest := len(text) - len(found); rest > 0 {
		return fmt.Errorf("embedder %s left %d of %d texts without an embedding", c.Fingerprint().Name, rest, len(missing))
	}
	return nil
}

// Valid returns nil for a vector of that dimension which is finite and of unit length.
func Valid(e rcvae.Embedding, dimension int) error { return check(e, dimension) }
