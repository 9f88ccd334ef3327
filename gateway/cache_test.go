package gateway_test

import (
	"net/http"
	"strings"
	"testing"
)

// brokenCache cannot be used.
type brokenCache struct{ trouble string }

func (b brokenCache) Faults() int64   { return 7 }
func (b brokenCache) Trouble() string { return b.trouble }

// refusedEmbedder may not be used.
type refusedEmbedder struct{ trouble string }

func (r refusedEmbedder) Trouble() string { return r.trouble }

// TestReadyzTellsOfTheEmbedder that is refused, without naming it.
func TestReadyzTellsOfTheEmbedder(t *testing.T) {
	for trouble, want := range map[string]struct {
		body    string
		refused float64
	}{"": {"ready\n", 0}, "openai+http://secret computes something else": {"ready, but the embedder", 1}} {
		s := start(t, func(s *setup) { s.parts.Embedder = refusedEmbedder{trouble} })
		eventually(t, "readyz", func() bool { return s.get("/readyz").status == http.StatusOK })
		if body := string(s.get("/readyz").body); !strings.HasPrefix(body, want.body) || strings.Contains(body, "secret") {
			t.Errorf("readyz says %q, want %q", body, want.body)
		}
		if got := s.metric("rcvae_embedder_refused"); got != want.refused {
			t.Errorf("rcvae_embedder_refused = %v, want %v", got, want.refused)
		}
	}
}

// TestReadyzTellsOfTheCache: a cache that cannot be used is no reason to send requests
// elsewhere; readyz and a metric say so, without naming files.
func TestReadyzTellsOfTheCache(t *testing.T) {
	for trouble, want := range map[string]string{"": "ready\n", "write the embedding cache /secret/place: the disk is full": "ready, but the cache"} {
		s := start(t, func(s *setup) { s.parts.Cache = brokenCache{trouble} })
		eventually(t, "readyz", func() bool { return s.get("/readyz").status == http.StatusOK })
		if body := string(s.get("/readyz").body); !strings.HasPrefix(body, want) || strings.Contains(body, "secret") {
			t.Errorf("readyz says %q, want %q", body, want)
		}
		if got := s.metric("rcvae_embedding_cache_faults_total"); got != 7 {
			t.Errorf("rcvae_embedding_cache_faults_total = %v, want 7", got)
		}
	}
}
