package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"rcvae"
	"rcvae/embed"
	"sync"
)

// EmbedSkill is the skill of embedding.
type EmbedSkill struct {
	// Own is the worker's embedder. Without it Open opens that of the plan's payload.
	Own  rcvae.Embedder
	Open func(ctx context.Context, payload json.RawMessage, bring Bring) (rcvae.Embedder, error)

	mu       sync.Mutex
	embedder rcvae.Embedder
	proof    *embedProof
	payload  string
}

var _ Skill = (*EmbedSkill)(nil)

// Kind returns [Embedding].
func (*EmbedSkill) Kind() Kind { return Embedding }

// Prepare opens the embedder and embeds the probe texts.
func (s *EmbedSkill) Prepare(ctx context.Context, plan Plan, bring Bring) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proof != nil && (s.Own != nil || s.payload == string(plan.Payload)) {
		return s.proof, nil
	}
	e := s.Own
	if e == nil {
		var err error
		if e, err = s.Open(ctx, plan.Payload, bring); err != nil {
			return nil, refusef("open the coordinator's embedder: %v; name one with --embedder", err)
		}
	}
	if got := EmbedTarget(e.Fingerprint()); got != plan.Target {
		return nil, refusef("this worker has the embedder %v, the coordinator wants fingerprint %s: name that embedder with --embedder, or none", e.Fingerprint(), plan.Target)
	}
	probes, err := embed.Probe(ctx, e)
	if err != nil {
		return nil, err
	}
	s.embedder, s.payload, s.proof = e, string(plan.Payload), &embedProof{e.Fingerprint(), probes}
	return s.proof, nil
}

func (s *EmbedSkill) current() rcvae.Embedder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.embedder
}

// Do embeds a chunk. When that fails it embeds the texts one by one, and tells of those
// that fail if the embedder is well.
func (s *EmbedSkill) Do(ctx context.Context, job []byte) ([]byte, error) {
	e := s.current()
	texts, err := decodeEmbedJob(job, e.Fingerprint())
	if err != nil {
		return nil, err
	}
	r, err := embedChunk(ctx, e, texts)
	if err != nil {
		if r, err = s.oneByOne(ctx, e, texts, err); err != nil {
			return nil, err
		}
	}
	return r.encode(e.Fingerprint().Dimension), nil
}

func embedChunk(ctx context.Context, e rcvae.Embedder, texts []embed.Keyed) (r embedResult, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	inputs := make([]rcvae.Text, len(texts))
	for i, t := range texts {
		r.keys, inputs[i] = append(r.keys, t.Key), t.Text
	}
	r.vectors, err = embed.Checked(e).Embed(ctx, inputs)
	return r, err
}

func (s *EmbedSkill) oneByOne(ctx context.Context, e rcvae.Embedder, texts []embed.Keyed, cause error) (all embedResult, err error) {
	for _, t := range texts {
		one, err := embedChunk(ctx, e, []embed.Keyed{t})
		if err != nil {
			if ill := s.Healthy(ctx); ill != nil {
				return all, errors.Join(cause, ill)
			}
			all.failed = append(all.failed, failedText{t.Key, err.Error()})
			continue
		}
		all.keys, all.vectors = append(all.keys, one.keys...), append(all.vectors, one.vectors...)
	}
	return all, nil
}

// Healthy embeds a letter.
func (s *EmbedSkill) Healthy(ctx context.Context) error {
	_, err := embedChunk(ctx, s.current(), []embed.Keyed{{Text: rcvae.Text{Text: "a"}}})
	return err
}
