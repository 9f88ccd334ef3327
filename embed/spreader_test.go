package embed_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"rcvae"
	"rcvae/embed"
)

// spreader embeds elsewhere, which is here: in pieces of two, the last first.
type spreader struct {
	*hashEmbedder
	calls   [][]embed.Keyed
	earlier []rcvae.Text // of an earlier run, kept along
	scale   float32      // of all vectors; 0: 1
	end     int          // texts that are left out
}

func (s *spreader) Spread(ctx context.Context, texts []embed.Keyed, keep func([]embed.Key, []rcvae.Embedding) error) error {
	s.calls = append(s.calls, texts)
	all := append([]embed.Keyed{}, texts[:len(texts)-s.end]...)
	for _, t := range s.earlier {
		all = append(all, embed.Keyed{Key: embed.KeyOf(t, false), Text: t})
	}
	for end := len(all); end > 0; end -= 2 {
		var keys []embed.Key
		var vectors []rcvae.Embedding
		for _, t := range all[max(end-2, 0):end] {
			v := vectorOf(t.Text.Text)
			for i := range v {
				v[i] *= max(s.scale, 1)
			}
			keys, vectors = append(keys, t.Key), append(vectors, v)
		}
		if err := keep(keys, vectors); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// TestCacheBeforeASpreader asks for all that is missing in one call, and stores every piece,
// also of texts that an earlier run asked for.
func TestCacheBeforeASpreader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.sqlite")
	all := numbered(301)
	s := &spreader{hashEmbedder: &hashEmbedder{name: "hash"}, earlier: all[300:]}
	c := open(t, path, s)
	var done []int
	c.Progress = func(n, total int) {
		if total != 300 {
			t.Errorf("progress counts %d texts, want 300", total)
		}
		done = append(done, n)
	}
	mustEmbed(t, c, all[:300])
	if len(s.calls) != 1 || len(s.calls[0]) != 300 || done[0] != 0 || done[len(done)-1] != 300 {
		t.Errorf("%d calls, progress from %d to %d, want one call, and progress from 0 to 300", len(s.calls), done[0], done[len(done)-1])
	}
	c.Progress = nil
	mustEmbed(t, c, all)
	if len(s.calls) != 1 || s.texts.Load() != 0 {
		t.Errorf("%d calls, %d texts embedded beside them, want the second time none", len(s.calls), s.texts.Load())
	}
}

func TestCacheBeforeABadSpreader(t *testing.T) {
	for want, s := range map[string]*spreader{
		"left 3 of 10": {end: 3},
		"length 2":     {scale: 2},
	} {
		s.hashEmbedder = &hashEmbedder{name: "hash"}
		c := open(t, filepath.Join(t.TempDir(), "c.sqlite"), s)
		if _, err := c.Embed(t.Context(), numbered(10)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Embed: %v, want an error with %q", err, want)
		}
	}
	s := &spreader{hashEmbedder: &hashEmbedder{name: "hash"}}
	ctx, cancel := context.WithCancel(t.Context())
	c := open(t, filepath.Join(t.TempDir(), "c.sqlite"), s)
	c.Progress = func(int, int) { cancel() }
	if _, err := c.Embed(ctx, numbered(10)); !errors.Is(err, context.Canceled) {
		t.Errorf("Embed: %v, want it cancelled", err)
	}
}
