package embed

import (
	"context"
	"fmt"
	"iter"

	"rcvae"
)

// CallTexts is about how many texts [Each] gives to the embedder in one call: enough for
// a [Cache] to sort them by length into full batches, and few enough for their vectors to
// fit into memory whatever their dimension.
const CallTexts = 16 << 10

// Encode returns the questions with the embeddings of their texts and candidates, and
// without signals.
func Encode(ctx context.Context, e rcvae.Embedder, questions []rcvae.Question) ([]rcvae.Encoded, error) {
	out := make([]rcvae.Encoded, 0, len(questions))
	for encoded, err := range Each(ctx, e, questions) {
		if err != nil {
			return nil, err
		}
		out = append(out, encoded)
	}
	return out, nil
}

// Each is [Encode] for more questions than memory has room for: it holds the embeddings
// of some of them at a time. An error ends the sequence.
func Each(ctx context.Context, e rcvae.Embedder, questions []rcvae.Question) iter.Seq2[rcvae.Encoded, error] {
	return func(yield func(rcvae.Encoded, error) bool) {
		for len(questions) > 0 {
			var texts []rcvae.Text
			n := 0
			for n < len(questions) && len(texts) < CallTexts {
				texts = append(texts, questions[n].Texts()...)
				n++
			}
			embeddings, err := embedAll(ctx, e, texts)
			if err != nil {
				yield(rcvae.Encoded{}, err)
				return
			}
			for _, q := range questions[:n] {
				if !yield(join(q, embeddings[:1+len(q.Candidates)]), nil) {
					return
				}
				embeddings = embeddings[1+len(q.Candidates):]
			}
			questions = questions[n:]
		}
	}
}

func embedAll(ctx context.Context, e rcvae.Embedder, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	embeddings, err := e.Embed(ctx, texts)
	if err == nil && len(embeddings) != len(texts) {
		err = fmt.Errorf("embedder %s returned %d embeddings for %d texts", e.Fingerprint().Name, len(embeddings), len(texts))
	}
	return embeddings, err
}

// join puts embeddings beside the texts that they are of.
func join(q rcvae.Question, embeddings []rcvae.Embedding) rcvae.Encoded {
	encoded := rcvae.Encoded{Question: q, Embedding: embeddings[0], Solutions: make([]rcvae.Solution, len(q.Candidates))}
	for j := range q.Candidates {
		encoded.Solutions[j].Embedding = embeddings[1+j]
	}
	return encoded
}
