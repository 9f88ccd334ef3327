package llm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rcvae"
)

// Sampler draws solutions with one set of settings. It is safe for concurrent use.
type Sampler struct {
	upstream *Upstream
	settings Settings
	grader   rcvae.Grader
}

var _ rcvae.Sampler = (*Sampler)(nil)

// NewSampler returns a Sampler. The grader extracts the answers; without one (nil)
// candidates have none.
func NewSampler(u *Upstream, s Settings, g rcvae.Grader) (*Sampler, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("sampling settings: %w", err)
	}
	return &Sampler{u, s, g}, nil
}

// With returns a Sampler with other settings that shares what was learned about the
// server.
func (s *Sampler) With(settings Settings) (*Sampler, error) {
	return NewSampler(s.upstream, settings, s.grader)
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

// Sample draws k solutions of the question. It returns the survivors when some calls
// fail.
func (s *Sampler) Sample(ctx context.Context, question string, k int) ([]rcvae.Candidate, error) {
	candidates, _, err := s.Draw(ctx, question, k)
	return candidates, err
}

// Draw is [Sampler.Sample] with what else the server said: usage, and the cause when
// fewer than k came back. Candidate i is made of choice i of the draw.
func (s *Sampler) Draw(ctx context.Context, question string, k int) ([]rcvae.Candidate, Draw, error) {
	body, optional, err := s.settings.body(strings.ReplaceAll(s.settings.Template, QuestionMark, question))
	if err != nil {
		return nil, Draw{}, err
	}
	draw, err := s.upstream.Draw(ctx, Request{Path: s.settings.path(), Body: body, K: k, Optional: optional})
	if refusal, ok := errors.AsType[*StatusError](err); ok {
		if _, known := s.settings.neutral()[refusal.refusedField()]; known {
			err = fmt.Errorf("the server does not take %s with this value; draw with its neutral value, or with --omit: %w", refusal.refusedField(), err)
		}
	}
	if err != nil {
		return nil, draw, err
	}
	return s.candidates(draw), draw, nil
}

func (s *Sampler) candidates(draw Draw) []rcvae.Candidate {
	candidates := make([]rcvae.Candidate, len(draw.Choices))
	for i, choice := range draw.Choices {
		c := rcvae.Candidate{
			Text: choice.Text, Model: s.settings.Model, Sampler: s.settings.Sampler(),
			Finish: choice.Finish, Tokens: choice.Tokens, LogProb: choice.LogProb,
		}
		if s.grader != nil {
			if answer, ok := s.grader.Answer(choice.Text); ok {
				c.Answer = answer
			}
		}
		candidates[i] = c
	}
	return candidates
}
