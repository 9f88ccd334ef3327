package embed

import (
	"context"
	"fmt"
	"io"
	"sync"

	"rcvae"
)

// Lazy is an embedder that is opened when it is first asked for embeddings. Behind a
// [Cache] that has them all it is never opened. It may be used concurrently if what it
// opens may.
type Lazy struct {
	fingerprint rcvae.Fingerprint
	open        func() (rcvae.Embedder, error)

	mu    sync.Mutex
	tried bool
	inner rcvae.Embedder
	err   error
}

var _ rcvae.Embedder = (*Lazy)(nil)

// NewLazy returns an embedder with the fingerprint that what open returns has. open is
// called once at most.
func NewLazy(fingerprint rcvae.Fingerprint, open func() (rcvae.Embedder, error)) *Lazy {
	return &Lazy{fingerprint: fingerprint, open: open}
}

// opened returns the embedder, which it opens if that has not been done.
func (l *Lazy) opened() (rcvae.Embedder, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tried {
		return l.inner, l.err
	}
	l.tried = true
	l.inner, l.err = l.open()
	if l.err != nil {
		l.err = fmt.Errorf("open embedder %s: %w", l.fingerprint.Name, l.err)
	} else if got := l.inner.Fingerprint(); !got.Same(l.fingerprint) {
		l.err = fmt.Errorf("the embedder that was opened is %v, want %v", got, l.fingerprint)
	}
	return l.inner, l.err
}

// Fingerprint returns what the embedder was promised to be; it opens nothing.
func (l *Lazy) Fingerprint() rcvae.Fingerprint { return l.fingerprint }

// Embed opens the embedder if that has not been done, and embeds.
func (l *Lazy) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	if len(texts) == 0 {
		return nil, ctx.Err()
	}
	inner, err := l.opened()
	if err != nil {
		return nil, err
	}
	return inner.Embed(ctx, texts)
}

// Close closes what was opened, if it can be closed. The embedder must not be used after
// it.
func (l *Lazy) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if closer, ok := l.inner.(io.Closer); ok {
		l.inner = nil
		return closer.Close()
	}
	return nil
}
