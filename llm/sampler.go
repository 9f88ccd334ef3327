package llm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"rcvae"
)

// Sampler draws solutions with one set of settings. It is safe for concurrent use.
type Sampler struct {
	upstream *Upstream
	settings Settings
}

var _ rcvae.Sampler = (*Sampler)(nil)

// NewSampler returns a Sampler.
func NewSampler(u *Upstream, s Settings) (*Sampler, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("sampling settings: %w", err)
	}
	return &Sampler{u, s}, nil
}

// With returns a Sampler with other settings that shares what was learned about the
// server.
func (s *Sampler) With(settings Settings) (*Sampler, error) {
	return NewSampler(s.upstream, settings)
}

// Settings returns the settings.
func (s *Sampler) Settings() Settings { return s.settings }

// URL returns the server's base URL.
func (s *Sampler) URL() string { return s.upstream.URL() }

// Concurrency returns how many calls the upstream has under way at most.
func (s *Sampler) Concurrency() int { return s.upstream.options.Concurrency }

// Profile returns what the server's answers have shown, and false if there was none.
// Fields that it refuses are left out where their value is neutral.
func (s *Sampler) Profile() (Profile, bool) {
	return s.upstream.Profile(s.settings.path(), s.settings.Model)
}

// Ready returns nil when the server answers; see [Upstream.Ready].
func (s *Sampler) Ready(ctx context.Context) error { return s.upstream.Ready(ctx) }

// Sample draws k solutions of the question, without their answers. It returns the
// survivors when some calls fail.
func (s *Sampler) Sample(ctx context.Context, question string, k int) ([]rcvae.Candidate, error) {
	candidates, _, err := s.Draw(ctx, question, 0, k)
	return candidates, err
}

// SampleFrom draws k more solutions of a question of which first were drawn before. With
// the survivors it returns why the others failed.
func (s *Sampler) SampleFrom(ctx context.Context, question string, first, k int) ([]rcvae.Candidate, error) {
	candidates, draw, err := s.Draw(ctx, question, first, k)
	return candidates, cmp.Or(err, draw.Err)
}

// Draw is [Sampler.SampleFrom] with what else the server said; the error says that all
// failed. Candidate i is made of choice i of the draw.
func (s *Sampler) Draw(ctx context.Context, question string, first, k int) ([]rcvae.Candidate, Draw, error) {
	body, optional := s.settings.body(strings.ReplaceAll(s.settings.Template, QuestionMark, question))
	draw, err := s.upstream.Draw(ctx, Request{Path: s.settings.path(), Body: body, K: k, First: first, Optional: optional})
	if refusal, ok := errors.AsType[*StatusError](err); ok {
		if _, known := s.settings.neutral()[refusal.refusedField()]; known {
			err = fmt.Errorf("the server does not take %s with this value; draw with its neutral value, or with --omit: %w", refusal.refusedField(), err)
		}
	}
	if err != nil {
		return nil, draw, err
	}
	candidates := make([]rcvae.Candidate, len(draw.Choices))
	for i, choice := range draw.Choices {
		candidates[i] = choice.candidate(s.settings)
	}
	return candidates, draw, nil
}

// candidate returns the choice as a pool has it. What a server keeps apart as the model's
// thinking stays beside the text.
func (c Choice) candidate(s Settings) rcvae.Candidate {
	out := rcvae.Candidate{Text: c.Text, Model: s.Model, Sampler: s.Sampler(), Finish: c.Finish, Tokens: c.Tokens, LogProb: c.LogProb}
	if c.Reasoning != "" {
		raw, _ := json.Marshal(c.Reasoning) // a string always encodes
		out.Extra = rcvae.Extra{"reasoning_content": raw}
	}
	return out
}
