package embed

import (
	"context"
	"fmt"

	"rcvae"
)

// Encode returns the questions with the embeddings of their texts and candidates, and
// without signals. All texts go to the embedder in one call, so that a [Cache] reports
// progress over the whole and embeds in full batches.
func Encode(ctx context.Context, e rcvae.Embedder, questions []rcvae.Question) ([]rcvae.Encoded, error) {
	var texts []rcvae.Text
	for _, q := range questions {
		texts = append(texts, q.Texts()...)
	}
	embeddings, err := e.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	if len(embeddings) != len(texts) {
		return nil, fmt.Errorf("embedder %s returned %d embeddings for %d texts", e.Fingerprint().Name, len(embeddings), len(texts))
	}
	out := make([]rcvae.Encoded, len(questions))
	for i, q := range questions {
		out[i] = rcvae.Encoded{Question: q, Embedding: embeddings[0], Solutions: make([]rcvae.Solution, len(q.Candidates))}
		for j := range q.Candidates {
			out[i].Solutions[j].Embedding = embeddings[1+j]
		}
		embeddings = embeddings[1+len(q.Candidates):]
	}
	return out, nil
}
