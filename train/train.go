package train

import (
	"context"
	"fmt"

	"rcvae"
	"rcvae/cvae"
	"rcvae/embed"
	"rcvae/signal"
)

// Options are what [Run] needs besides the config and the questions.
type Options struct {
	cvae.Options // the fingerprint is set from the embedder

	Embedder rcvae.Embedder // nil for a config of dimension 0, which reads signals alone
	Grader   rcvae.Grader   // tells which answers are the same; nil: equal strings
}

// Result is a finished training.
type Result struct {
	Model   *cvae.Model // calibrated
	HeldOut *HeldOut    // nil when no held-out question has graded candidates
}

// Run embeds the questions, reads their signals, trains a model, calibrates it and
// measures it on the held-out questions. Errors say what was being done.
func Run(ctx context.Context, config cvae.Config, questions []rcvae.Question, options Options) (*Result, error) {
	encoded, err := Encode(ctx, questions, options.Embedder, config.Signals)
	if err != nil {
		return nil, fmt.Errorf("embed %d questions: %w", len(questions), err)
	}
	if options.Embedder != nil {
		options.Fingerprint = options.Embedder.Fingerprint()
	}
	model, err := cvae.Train(ctx, config, encoded, options.Options)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return calibrate(ctx, model, held(encoded, config.Holdout), options.Grader)
}

// Encode returns the questions with embeddings and with the signal columns of those
// names. Without an embedder there are no embeddings.
func Encode(ctx context.Context, questions []rcvae.Question, embedder rcvae.Embedder, signals []string) ([]rcvae.Encoded, error) {
	var encoded []rcvae.Encoded
	if embedder == nil {
		for _, q := range questions {
			encoded = append(encoded, rcvae.Encoded{Question: q, Solutions: make([]rcvae.Solution, len(q.Candidates))})
		}
	} else {
		var err error
		if encoded, err = embed.Encode(ctx, embedder, questions); err != nil {
			return nil, err
		}
	}
	if len(signals) == 0 {
		return encoded, nil
	}
	for _, e := range encoded {
		table, err := signal.Compute(e.Problem.Question, e.Candidates).Pick(signals)
		if err != nil {
			return nil, err
		}
		for i, row := range table {
			e.Solutions[i].Signals = row
		}
	}
	return encoded, nil
}

// held returns the questions that are held out and have a graded candidate.
func held(encoded []rcvae.Encoded, share float64) []rcvae.Encoded {
	var out []rcvae.Encoded
	for _, e := range encoded {
		if rcvae.HeldOut(e.ID, share) && e.Count(rcvae.Ungraded) < len(e.Candidates) {
			out = append(out, e)
		}
	}
	return out
}
