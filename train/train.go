package train

import (
	"context"
	"fmt"
	"iter"

	"rcvae"
	"rcvae/cvae"
	"rcvae/embed"
	"rcvae/internal/scratch"
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
	space := scratch.New(scratch.InMemory)
	defer space.Close()
	encoded, err := collect(each(ctx, questions, options.Embedder, config.Signals), len(questions), space.Encoded)
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
	return collect(each(ctx, questions, embedder, signals), len(questions), func(*rcvae.Encoded) error { return nil })
}

// collect returns the n questions of a sequence, of each of which keep has been told.
func collect(sequence iter.Seq2[rcvae.Encoded, error], n int, keep func(*rcvae.Encoded) error) ([]rcvae.Encoded, error) {
	all := make([]rcvae.Encoded, 0, n)
	for e, err := range sequence {
		if err == nil {
			err = keep(&e)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// each yields the questions with embeddings and signals.
func each(ctx context.Context, questions []rcvae.Question, embedder rcvae.Embedder, signals []string) iter.Seq2[rcvae.Encoded, error] {
	return func(yield func(rcvae.Encoded, error) bool) {
		sequence := bare(questions)
		if embedder != nil {
			sequence = embed.Each(ctx, embedder, questions)
		}
		for e, err := range sequence {
			if err == nil {
				err = addSignals(e, signals)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// bare yields the questions without embeddings.
func bare(questions []rcvae.Question) iter.Seq2[rcvae.Encoded, error] {
	return func(yield func(rcvae.Encoded, error) bool) {
		for _, q := range questions {
			if !yield(rcvae.Encoded{Question: q, Solutions: make([]rcvae.Solution, len(q.Candidates))}, nil) {
				return
			}
		}
	}
}

// addSignals computes the signal columns of those names.
func addSignals(e rcvae.Encoded, names []string) error {
	if len(names) == 0 {
		return nil
	}
	table, err := signal.Compute(e.Problem.Question, e.Candidates).Pick(names)
	for i, row := range table {
		e.Solutions[i].Signals = row
	}
	return err
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
