package embed_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rcvae"
	"rcvae/embed"
)

// replaceable is an embedder in another program, which may be away, or another.
type replaceable struct {
	hashEmbedder
	away, other bool
	probes      int // calls that asked for a blank
}

func (r *replaceable) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	if texts[0].Text == " " {
		r.probes++
	}
	if r.away {
		return nil, errors.New("connection refused")
	}
	out, err := r.hashEmbedder.Embed(ctx, texts)
	if r.other {
		for _, e := range out {
			e[0], e[1] = e[1], e[0]
		}
	}
	return out, err
}

// TestAReplacedEmbedderIsRefused after an error that it came back from, and after some
// minutes, and taken again when it is what it was.
func TestAReplacedEmbedderIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &replaceable{}
		then, err := embed.Probe(t.Context(), server)
		if err != nil {
			t.Fatal(err)
		}
		var told []error
		g := embed.NewGuard(server)
		g.Watch(func(now embed.Probes) error { _, err := then.Compare(now); return err }, func(err error) { told = append(told, err) })
		use := func(step string, want string, probes int) {
			t.Helper()
			before := server.probes
			_, err := g.Embed(t.Context(), numbered(3))
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", step, err, want)
			}
			if got := server.probes - before; got != probes {
				t.Errorf("%s: the probes were asked for %d times, want %d", step, got, probes)
			}
		}
		use("at first", "", 0)
		server.away = true
		use("away", "connection refused", 0)
		use("still away", "connection refused", 1)
		server.away = false
		use("back", "", 1)
		use("and again", "", 0)
		server.away = true
		use("away once more", "connection refused", 0)
		server.away, server.other = false, true
		use("another came back", "cosine", 1)
		use("and again", "cosine", 0)
		if len(told) != 1 || told[0] == nil || !strings.Contains(g.Trouble(), "cosine") {
			t.Errorf("told of %v, trouble %q, want one refusal", told, g.Trouble())
		}
		server.other = false
		time.Sleep(time.Minute)
		use("what it was is back", "", 1)
		if len(told) != 2 || told[1] != nil || g.Trouble() != "" {
			t.Errorf("told of %v, trouble %q, want that it is taken again", told, g.Trouble())
		}
		server.other = true
		use("replaced without an error", "", 0)
		time.Sleep(10 * time.Minute)
		use("minutes later", "cosine", 1)
	})
}
