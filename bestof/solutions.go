package bestof

import (
	"context"
	"errors"

	"rcvae"
)

// A continuer goes on where an earlier call stopped, so that no candidate comes twice.
// Its error says why some or all candidates did not come.
type continuer interface {
	SampleFrom(ctx context.Context, question string, first, k int) ([]rcvae.Candidate, error)
}

var errOneRound = errors.New("the sampler would draw the same candidates again: sample in one round, or give it a method SampleFrom")

// Solutions returns a Sampler of the question's solutions. Several rounds need an s with
// the method SampleFrom, as the one of package llm has it: others may draw the same
// candidates in each round.
func Solutions(s rcvae.Sampler, question string) Sampler {
	sample := func(ctx context.Context, first, k int) ([]rcvae.Candidate, error) {
		if first > 0 {
			return nil, errOneRound
		}
		return s.Sample(ctx, question, k)
	}
	if c, ok := s.(continuer); ok {
		sample = func(ctx context.Context, first, k int) ([]rcvae.Candidate, error) {
			return c.SampleFrom(ctx, question, first, k)
		}
	}
	return SamplerFunc(func(ctx context.Context, first, k int, arrived chan<- Candidate) error {
		candidates, err := sample(ctx, first, k)
		for i, c := range candidates {
			arrived <- Candidate{Candidate: c, Place: first + i}
		}
		return err
	})
}
