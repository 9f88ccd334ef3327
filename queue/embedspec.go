package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"rcvae"
	"rcvae/embed"
	"sync"
)

// EmbedTarget names the workers that have the embedder, in subjects.
func EmbedTarget(fp rcvae.Fingerprint) string { return fp.ID()[:12] }

// EmbedSpec returns the spec of a coordinator for the embedder. A worker must have the same
// fingerprint, and its embeddings of the probe texts must be those of this one.
func EmbedSpec(local rcvae.Embedder, run, build string, payload json.RawMessage, files func() ([]File, error)) Spec {
	fp := local.Fingerprint()
	var mu sync.Mutex
	var own *embed.Probes
	probes := func(ctx context.Context) (embed.Probes, error) {
		mu.Lock()
		defer mu.Unlock()
		if own == nil {
			p, err := embed.Probe(ctx, local)
			if err != nil {
				return p, err
			}
			own = &p
		}
		return *own, nil
	}
	verify := func(ctx context.Context, raw json.RawMessage) error {
		var proof embedProof
		if err := json.Unmarshal(raw, &proof); err != nil {
			return fmt.Errorf("the proof is not understood: %w", err)
		}
		if !proof.Fingerprint.Same(fp) {
			return fmt.Errorf("it has the embedder %v, the coordinator %v", proof.Fingerprint, fp)
		}
		own, err := probes(ctx)
		if err != nil {
			return fmt.Errorf("the coordinator's own embedder fails: %w", err)
		}
		if _, err := own.Compare(proof.Probes); err != nil {
			return fmt.Errorf("its embedder %s computes something else than the coordinator's: %w", proof.Fingerprint.Name, err)
		}
		return nil
	}
	return Spec{Kind: Embedding, Target: EmbedTarget(fp), Run: run, Build: build, Payload: payload, Verify: verify, Files: files}
}

// embedProof is what a worker shows.
type embedProof struct {
	Fingerprint rcvae.Fingerprint `json:"fingerprint"`
	Probes      embed.Probes      `json:"probes"`
}

// Run returns a run's id: the same for the same place and embedder.
func Run(parts ...string) string { return HashID(parts...)[:12] }
