package embed_test

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rcvae"
	"rcvae/embed"
	"rcvae/rcvaetest"
)

// lazily returns an embedder that counts how often inner is opened.
func lazily(inner rcvae.Embedder) (*embed.Lazy, *int) {
	opened := 0
	return embed.NewLazy(inner.Fingerprint(), func() (rcvae.Embedder, error) {
		opened++
		return inner, nil
	}), &opened
}

func TestLazyIsAnEmbedder(t *testing.T) {
	lazy, _ := lazily(&hashEmbedder{name: "hash"})
	rcvaetest.TestEmbedder(t, lazy)
}

// TestCacheHitsOpenNothing: the first miss opens the embedder, once.
func TestCacheHitsOpenNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	mustEmbed(t, open(t, path, &hashEmbedder{name: "hash"}), texts("a", "b"))
	lazy, opened := lazily(&hashEmbedder{name: "hash"})
	c := open(t, path, lazy)
	mustEmbed(t, c, texts("b", "a"))
	if *opened != 0 {
		t.Errorf("%d embedders opened for texts that are in the cache, want none", *opened)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := c.Embed(t.Context(), texts("a", "c", "d")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if *opened != 1 {
		t.Errorf("%d embedders opened, want 1", *opened)
	}
}

func TestLazyChecksWhatItOpens(t *testing.T) {
	missing := errors.New("the file is missing")
	for name, c := range map[string]struct {
		open func() (rcvae.Embedder, error)
		want string
	}{
		"error": {func() (rcvae.Embedder, error) { return nil, missing }, missing.Error()},
		"other": {func() (rcvae.Embedder, error) { return &hashEmbedder{weights: "others"}, nil }, "the embedder that was opened is"},
	} {
		lazy := embed.NewLazy((&hashEmbedder{name: "hash"}).Fingerprint(), c.open)
		for range 2 {
			if _, err := lazy.Embed(t.Context(), texts("a")); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: Embed = %v, want an error with %q", name, err, c.want)
			}
		}
	}
}

// closing is an embedder that counts how often it is closed.
type closing struct {
	rcvae.Embedder
	closed int
}

func (c *closing) Close() error { c.closed++; return nil }

func TestLazyClosesWhatItOpened(t *testing.T) {
	inner := &closing{Embedder: &hashEmbedder{name: "hash"}}
	for want, use := range []bool{false, true} {
		lazy, _ := lazily(inner)
		if use {
			if _, err := lazy.Embed(t.Context(), texts("a")); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(lazy.Close(), lazy.Close()); err != nil || inner.closed != want {
			t.Errorf("used %v: closed %d times, %v; want %d", use, inner.closed, err, want)
		}
	}
}
