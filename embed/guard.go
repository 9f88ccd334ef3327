package embed

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"rcvae"
)

// A server is asked for the probe texts again before it is used when the last time is
// guardEvery ago, and one that was refused after guardAgain, in case it is back.
const (
	guardEvery = 5 * time.Minute
	guardAgain = 30 * time.Second
)

// Guard is an embedder in another program, which may be replaced while it is used by one
// that computes something else under the same name. Before it is used its vectors of the
// probe texts are compared: after every error, and when some minutes have passed. An
// embedder that computes something else is refused until it does not. A Guard may be used
// concurrently.
type Guard struct {
	rcvae.Embedder

	compare  func(Probes) error
	onChange func(error)

	turn    chan struct{} // of one place, for whoever looks at next
	next    time.Time     // when the probes are embedded again; zero: nobody watches
	suspect atomic.Bool   // an error came since
	refused atomic.Pointer[error]
}

var _ rcvae.Embedder = (*Guard)(nil)

// NewGuard returns the embedder, which is not watched before [Guard.Watch].
func NewGuard(inner rcvae.Embedder) *Guard {
	return &Guard{Embedder: inner, turn: make(chan struct{}, 1)}
}

// Watch begins to watch an embedder that was compared just now. An error of compare says
// what is wrong with its vectors of the probe texts. onChange, if not nil, is told when the
// embedder is refused, and with nil when it is taken again. Watch is to be called before
// the embedder is used concurrently.
func (g *Guard) Watch(compare func(Probes) error, onChange func(error)) {
	g.compare, g.onChange, g.next = compare, onChange, time.Now().Add(guardEvery)
}

// Trouble says why the embedder is refused, "" while it is not.
func (g *Guard) Trouble() string {
	if err := g.refused.Load(); err != nil {
		return (*err).Error()
	}
	return ""
}

// Embed embeds, if the embedder computes what it should.
func (g *Guard) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	if err := g.check(ctx); err != nil {
		return nil, err
	}
	embeddings, err := g.Embedder.Embed(ctx, texts)
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrTooLong) {
		g.suspect.Store(true)
	}
	return embeddings, err
}

// check embeds the probe texts if it is time to, one caller for all.
func (g *Guard) check(ctx context.Context) error {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if g.compare == nil {
		return nil
	}
	if time.Now().After(g.next) || g.suspect.Load() {
		if err := g.ask(ctx); err != nil {
			return err
		}
	}
	if err := g.refused.Load(); err != nil {
		return *err
	}
	return nil
}

// ask compares the probes and remembers what came of it. It returns an error if they
// cannot be embedded.
func (g *Guard) ask(ctx context.Context) error {
	g.suspect.Store(false)
	probes, err := Probe(ctx, g.Embedder)
	if err != nil {
		g.suspect.Store(true)
		return fmt.Errorf("is it the embedder that it was: %w", err)
	}
	wrong, was := g.compare(probes), g.refused.Load()
	if wrong == nil {
		g.refused.Store(nil)
		g.next = time.Now().Add(guardEvery)
	} else {
		g.refused.Store(&wrong)
		g.next = time.Now().Add(guardAgain)
	}
	if g.onChange != nil && (wrong != nil) != (was != nil) {
		g.onChange(wrong)
	}
	return nil
}
