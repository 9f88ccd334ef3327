package queue

import (
	"context"
	"slices"

	"rcvae"
	"rcvae/embed"
)

// Embedder has texts embedded by workers. It is to stand behind an [embed.Cache], which
// gives it all missing texts at once and stores what comes back. One call at a time.
type Embedder struct {
	local       rcvae.Embedder
	coordinator *Coordinator
}

var _ embed.Spreader = (*Embedder)(nil)

// NewEmbedder returns an embedder over a coordinator whose spec is [EmbedSpec] of local,
// which embeds what is too little to send, or too long.
func NewEmbedder(local rcvae.Embedder, c *Coordinator) *Embedder { return &Embedder{local, c} }

// Fingerprint returns the local embedder's.
func (e *Embedder) Fingerprint() rcvae.Fingerprint { return e.local.Fingerprint() }

// Embed embeds here.
func (e *Embedder) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	return e.local.Embed(ctx, texts)
}

// Spread implements [embed.Spreader]. It finishes all texts that can be embedded; the error
// then names those that cannot.
func (e *Embedder) Spread(ctx context.Context, texts []embed.Keyed, keep func([]embed.Key, []rcvae.Embedding) error) error {
	s := &spreading{Embedder: e, keep: keep, missing: make(map[embed.Key]embed.Keyed, len(texts)), failed: map[embed.Key]string{}}
	for _, t := range texts {
		s.missing[t.Key] = t
	}
	if len(texts) <= fewTexts {
		return s.here(ctx, texts)
	}
	left, err := e.coordinator.Recover(ctx, s.commit)
	if err != nil {
		return err
	}
	work, drop, here := s.plan(texts, left)
	e.coordinator.Drop(ctx, drop)
	faulty, err := e.coordinator.Do(ctx, work)
	if err != nil {
		return err
	}
	for _, f := range faulty {
		s.blame(f)
	}
	if err := s.here(ctx, here); err != nil {
		return err
	}
	return s.report()
}

// spreading is one call of Spread.
type spreading struct {
	*Embedder
	keep    func([]embed.Key, []rcvae.Embedding) error
	missing map[embed.Key]embed.Keyed
	failed  map[embed.Key]string // the reason
}

// here embeds texts in this process.
func (s *spreading) here(ctx context.Context, texts []embed.Keyed) error {
	for chunk := range slices.Chunk(texts, fewTexts) {
		inputs := make([]rcvae.Text, len(chunk))
		keys := make([]embed.Key, len(chunk))
		for i, t := range chunk {
			keys[i], inputs[i] = t.Key, t.Text
		}
		vectors, err := embed.Checked(s.local).Embed(ctx, inputs)
		if err != nil {
			return err
		}
		if err := s.store(keys, vectors); err != nil {
			return err
		}
	}
	return nil
}

func (s *spreading) store(keys []embed.Key, vectors []rcvae.Embedding) error {
	if len(keys) == 0 {
		return nil
	}
	if err := s.keep(keys, vectors); err != nil {
		return err
	}
	for _, k := range keys {
		delete(s.missing, k)
	}
	return nil
}

// commit stores a result. A text that a worker could not embed is given up: the worker has
// embedded others, so that the text is the reason.
func (s *spreading) commit(_ string, data []byte) error {
	r, err := decodeEmbedResult(data, s.Fingerprint().Dimension)
	if err != nil {
		return err
	}
	for _, f := range r.failed {
		if _, wanted := s.missing[f.key]; wanted {
			s.failed[f.key] = f.reason
		}
	}
	return s.store(r.keys, r.vectors)
}
