package queue

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rcvae"
	"rcvae/embed"
)

// hashEmbedder maps each text to a pseudo-random unit vector.
type hashEmbedder struct {
	dimension int
	weights   string
	salt      uint64
	inContext bool
	onTexts   func(ctx context.Context, texts []rcvae.Text) error // before the work; nil: nothing
}

func (h hashEmbedder) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: "hash", Weights: h.weights, Dimension: max(h.dimension, 8), InContext: h.inContext, Normalized: true}
}

func (h hashEmbedder) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	if h.onTexts != nil {
		if err := h.onTexts(ctx, texts); err != nil {
			return nil, err
		}
	}
	out := make([]rcvae.Embedding, len(texts))
	for i, t := range texts {
		f := fnv.New64a()
		fmt.Fprint(f, t.Role, t.Text)
		if h.inContext {
			fmt.Fprint(f, t.Question)
		}
		rng := rand.New(rand.NewPCG(f.Sum64(), h.salt))
		out[i] = make(rcvae.Embedding, h.Fingerprint().Dimension)
		var square float64
		for j := range out[i] {
			out[i][j] = float32(rng.NormFloat64())
			square += float64(out[i][j]) * float64(out[i][j])
		}
		for j := range out[i] {
			out[i][j] /= float32(math.Sqrt(square))
		}
	}
	return out, ctx.Err()
}

// texts returns n texts of like lengths.
func texts(n int) []rcvae.Text {
	out := make([]rcvae.Text, n)
	for i := range out {
		out[i] = rcvae.Text{Role: rcvae.Role(i % 2), Text: fmt.Sprintf("text %d: two and two are %d", i, i), Question: "how many?"}
	}
	return out
}

// bench is a server with what is needed to reach it.
type bench struct {
	t      *testing.T
	server *Server
	access Access
	listen ListenOptions
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{t: t, listen: ListenOptions{Address: "127.0.0.1:0", TokenFile: filepath.Join(dir, "token"), Store: filepath.Join(dir, "store")}}
	b.start()
	return b
}

func (b *bench) start() {
	b.t.Helper()
	var err error
	if b.server, err = Listen(b.listen); err != nil {
		b.t.Fatal(err)
	}
	b.access = Access{URL: b.server.URL(), TokenFile: b.listen.TokenFile}
	b.listen.Address = strings.TrimPrefix(b.server.URL(), "nats://") // a restart has the same port
	server := b.server
	b.t.Cleanup(server.Close)
}

// quick are options under which nothing takes long.
func quick() Options {
	o := DefaultOptions()
	o.Patience, o.Poll = 300*time.Millisecond, 20*time.Millisecond
	return o
}

const testBuild = "test"

func (b *bench) coordinator(e rcvae.Embedder, o Options) *Coordinator {
	b.t.Helper()
	c, err := NewCoordinator(b.t.Context(), b.server, Access{}, EmbedSpec(e, Run("a test"), testBuild, nil, nil), o)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// cache returns a cache in front of the coordinator.
func (b *bench) cache(path string, e rcvae.Embedder, c *Coordinator) *embed.Cache {
	b.t.Helper()
	cache, err := embed.OpenCache(path, NewEmbedder(e, c))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = cache.Close() })
	return cache
}

// running is a worker that works in the background.
type running struct {
	*Worker
	stop  func() error // lets it finish its job and returns its error
	ended func() error // waits until it ends by itself
}

func (b *bench) worker(e rcvae.Embedder) *running { return b.skilled(&EmbedSkill{Own: e}) }

func (b *bench) skilled(skill Skill) *running {
	b.t.Helper()
	w, err := NewWorker(b.t.Context(), b.access, skill, WorkerOptions{Build: testBuild})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	result := make(chan error, 1)
	go func() { result <- w.Run(ctx) }()
	ended := sync.OnceValue(func() error { return <-result })
	stop := func() error {
		cancel()
		return ended()
	}
	b.t.Cleanup(func() { _ = stop() })
	return &running{w, stop, ended}
}

// kill takes the worker from the queue as kill -9 does: nothing is acknowledged or told.
func (r *running) kill() { r.conn.nc.Close() }

// same compares embeddings with those of the embedder behind a cache.
func same(t *testing.T, got []rcvae.Embedding, e rcvae.Embedder, list []rcvae.Text) {
	t.Helper()
	cache, err := embed.OpenCache("", e)
	if err != nil {
		t.Fatal(err)
	}
	want, err := cache.Embed(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		for j := range want[i] {
			if got[i][j] != want[i][j] {
				t.Fatalf("text %d: value %d is %v, want %v", i, j, got[i][j], want[i][j])
			}
		}
	}
}
