package embed

import (
	"context"
	"fmt"
	"math"

	"rcvae"
)

// lengthTolerance is how far a unit vector's length may be from 1: embeddings may
// have been through half precision.
const lengthTolerance = 1e-2

// Checked returns an embedder whose results keep the contract of [rcvae.Embedder], or
// that says which text's does not: one vector per text, of the fingerprint's
// dimension, finite and of unit length.
func Checked(inner rcvae.Embedder) rcvae.Embedder { return checked{inner} }

type checked struct{ rcvae.Embedder }

// Embed implements [rcvae.Embedder].
func (c checked) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	embeddings, err := c.Embedder.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	fp := c.Fingerprint()
	if len(embeddings) != len(texts) {
		return nil, fmt.Errorf("embedder %s returned %d embeddings for %d texts", fp.Name, len(embeddings), len(texts))
	}
	for i, e := range embeddings {
		if err := check(e, fp.Dimension); err != nil {
			return nil, fmt.Errorf("embedder %s: text %d of %d: %w", fp.Name, i+1, len(texts), err)
		}
	}
	return embeddings, nil
}

func check(e rcvae.Embedding, dimension int) error {
	if len(e) != dimension {
		return fmt.Errorf("the embedding has %d dimensions, want %d", len(e), dimension)
	}
	var square float64
	for _, v := range e {
		square += float64(v) * float64(v)
	}
	switch length := math.Sqrt(square); {
	case math.IsNaN(length) || math.IsInf(length, 0):
		return fmt.Errorf("the embedding is not finite")
	case math.Abs(length-1) > lengthTolerance:
		return fmt.Errorf("the embedding has length %.4g, want 1: normalise it", length)
	}
	return nil
}
