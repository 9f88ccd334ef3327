package embed

import (
	"context"
	"fmt"
	"sync"

	"rcvae"
)

// Lazy is an embedder that is opened when it is first asked for embeddings. Behind a
// [Cache] that has them all it is never opened. It may be used concurrently if what it
// opens may.
type Lazy struct {
	fingerprint rcvae.Fingerprint
	open        func() (rcvae.Embedder, error)
}

var _ rcvae.Embedder = (*Lazy)(nil)

// NewLazy returns an embedder with the fingerprint that what open returns has. open is
// called once at most.
func NewLazy(fingerprint rcvae.Fingerprint, open func() (rcvae.Embedder, error)) *Lazy {
	return &Lazy{fingerprint, sync.OnceValues(func() (rcvae.Embedder, error) {
		inner, err := open()
		if err != nil {
			return nil, fmt.Errorf("open embedder %s: %w", fingerprint.Name, err)
		}
		if got := inner.Fingerprint(); !got.Same(fingerprint) {
			return nil, fmt.Errorf("the embedder that was opened is %v, want %v", got, fingerprint)
		}
		return inner, nil
	})}
}

// Fingerprint returns what the embedder was promised to be; it opens nothing.
func (l *Lazy) Fingerprint() rcvae.Fingerprint { return l.fingerprint }

// Embed opens the embedder if that has not been done, and embeds.
func (l *Lazy) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	if len(texts) == 0 {
		return nil, ctx.Err()
	}
	inner, err := l.open()
	if err != nil {
		return nil, err
	}
	return inner.Embed(ctx, texts)
}
