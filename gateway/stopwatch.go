package gateway

import (
	"context"
	"sync/atomic"
	"time"

	"rcvae"
)

// stopwatch adds up the time that a selection spends in the embedder.
type stopwatch struct{ nanoseconds atomic.Int64 }

type stopwatchKey struct{}

func (s *stopwatch) total() time.Duration { return time.Duration(s.nanoseconds.Load()) }

// Timed returns the embedder, with its time measured for the metrics of the server
// whose selection calls it.
func Timed(e rcvae.Embedder) rcvae.Embedder { return timed{e} }

type timed struct{ rcvae.Embedder }

var _ rcvae.Embedder = timed{}

// Embed implements [rcvae.Embedder].
func (t timed) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	if watch, ok := ctx.Value(stopwatchKey{}).(*stopwatch); ok {
		start := time.Now()
		defer func() { watch.nanoseconds.Add(int64(time.Since(start))) }()
	}
	return t.Embedder.Embed(ctx, texts)
}
