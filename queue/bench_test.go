package queue

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rcvae"
	"rcvae/embed"
)

// BenchmarkSimulatedWorkers embeds with workers that take a fixed time for a chunk and no
// processor: what is measured is how far their number scales.
func BenchmarkSimulatedWorkers(b *testing.B) {
	slow := hashEmbedder{dimension: 384, onTexts: func(ctx context.Context, list []rcvae.Text) error {
		if strings.HasPrefix(list[0].Text, "text ") { // no probe
			return pause(ctx, 200*time.Millisecond)
		}
		return nil
	}}
	for _, workers := range []int{1, 8} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			benchmarkWorkers(b, slow, workers, 320*mostTexts)
		})
	}
}

// BenchmarkIdleEmbedder embeds with a worker that computes next to nothing: what is measured
// is the queue and the cache.
func BenchmarkIdleEmbedder(b *testing.B) {
	benchmarkWorkers(b, hashEmbedder{dimension: 384}, 1, 200*mostTexts)
}

func benchmarkWorkers(b *testing.B, e hashEmbedder, workers, n int) {
	dir := b.TempDir()
	server, err := Listen(ListenOptions{Address: "127.0.0.1:0", TokenFile: filepath.Join(dir, "token"), Store: filepath.Join(dir, "store")})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	c, err := NewCoordinator(b.Context(), server, Access{}, EmbedSpec(e, Run("bench"), testBuild, nil, nil), DefaultOptions())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, workers)
	for range workers {
		w, err := NewWorker(ctx, Access{URL: server.URL(), TokenFile: filepath.Join(dir, "token")}, &EmbedSkill{Own: e}, WorkerOptions{Build: testBuild})
		if err != nil {
			b.Fatal(err)
		}
		go func() { ended <- w.Run(ctx) }()
	}
	for round := 0; b.Loop(); round++ {
		cache, err := embed.OpenCache(filepath.Join(dir, fmt.Sprintf("%d.sqlite", round)), NewEmbedder(e, c))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := cache.Embed(ctx, texts(n)); err != nil {
			b.Fatal(err)
		}
		_ = cache.Close()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "texts/s")
	stop()
	for range workers {
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
}
