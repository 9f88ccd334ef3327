package gateway_test

import (
	"context"
	"fmt"
	"testing"

	"rcvae"
	"rcvae/gateway"
	"rcvae/llm"
)

// stagedUpstream lets the second candidate wait for something.
type stagedUpstream struct {
	gateway.Upstream
	second <-chan struct{}
}

func (u stagedUpstream) Draw(ctx context.Context, r llm.Request) (llm.Draw, error) {
	d := llm.Draw{Requested: r.K, Mode: llm.ModeFanOut}
	for i := range r.K {
		if i == 1 {
			select {
			case <-u.second:
			case <-ctx.Done():
				return d, ctx.Err()
			}
		}
		choice := llm.Choice{Index: i, Text: fmt.Sprintf("so %d", i), Finish: "stop", Raw: []byte(`{"message":{"content":"so"}}`)}
		d.Choices = append(d.Choices, choice)
		r.OnChoice(choice)
	}
	return d, nil
}

func (stagedUpstream) Ready(context.Context) error { return nil }

// TestEarlyEmbeddingIsMeasured: it has a metric of its own, beside that of what a selection
// waits for.
func TestEarlyEmbeddingIsMeasured(t *testing.T) {
	second := make(chan struct{}, 1)
	s := start(t, func(s *setup) {
		s.config.Selector = "majority"
		s.parts.Upstream = stagedUpstream{second: second}
		rule, embedder := s.parts.Rules["majority"], gateway.Timed(unitEmbedder{})
		rule.Prepare = func(ctx context.Context, q string, c []rcvae.Candidate) error {
			_, err := embedder.Embed(ctx, rcvae.Question{Candidates: c}.Texts())
			select {
			case second <- struct{}{}:
			default:
			}
			return err
		}
		s.parts.Rules["majority"] = rule
	})
	s.post(chat, ask("q")).completion(t)
	if early, late := s.metric("rcvae_early_embedding_duration_seconds"), s.metric("rcvae_embedding_duration_seconds"); early != 1 || late != 0 {
		t.Errorf("%v early embeddings and %v in selections were measured, want 1 and none", early, late)
	}
}
