package rcvae_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"rcvae"
)

// samplerFunc and selectorFunc make functions the two halves of a BestOf.
type samplerFunc func(ctx context.Context, question string, k int) ([]rcvae.Candidate, error)

func (f samplerFunc) Sample(ctx context.Context, question string, k int) ([]rcvae.Candidate, error) {
	return f(ctx, question, k)
}

type selectorFunc func(ctx context.Context, question string, candidates []rcvae.Candidate) (rcvae.Selection, error)

func (f selectorFunc) Select(ctx context.Context, question string, candidates []rcvae.Candidate) (rcvae.Selection, error) {
	return f(ctx, question, candidates)
}

func numbers(_ context.Context, _ string, k int) ([]rcvae.Candidate, error) {
	var out []rcvae.Candidate
	for i := range k {
		out = append(out, rcvae.Candidate{Text: fmt.Sprint(i)})
	}
	return out, nil
}

func last(_ context.Context, _ string, candidates []rcvae.Candidate) (rcvae.Selection, error) {
	if len(candidates) == 0 {
		return rcvae.Selection{}, rcvae.ErrNoCandidates
	}
	return rcvae.Selection{Index: len(candidates) - 1, Rule: "last"}, nil
}

func TestBestOf(t *testing.T) {
	got, selection, err := rcvae.BestOf{K: 5, Sampler: samplerFunc(numbers), Selector: selectorFunc(last)}.Solve(t.Context(), "q")
	if err != nil || got.Text != "4" || selection.Rule != "last" {
		t.Errorf("Solve = %q, %v, %v, want the last of five", got.Text, selection, err)
	}
}

func TestBestOfErrors(t *testing.T) {
	broken := errors.New("server is down")
	for _, tt := range []struct {
		name   string
		bestOf rcvae.BestOf
		want   error
	}{
		{"no K", rcvae.BestOf{Sampler: samplerFunc(numbers), Selector: selectorFunc(last)}, nil},
		{"sampler fails", rcvae.BestOf{K: 2, Selector: selectorFunc(last), Sampler: samplerFunc(func(context.Context, string, int) ([]rcvae.Candidate, error) {
			return nil, broken
		})}, broken},
		{"sampler returns nothing", rcvae.BestOf{K: 2, Selector: selectorFunc(last), Sampler: samplerFunc(func(context.Context, string, int) ([]rcvae.Candidate, error) {
			return nil, nil
		})}, rcvae.ErrNoCandidates},
	} {
		_, _, err := tt.bestOf.Solve(t.Context(), "q")
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: Solve = %v, want an error that is %v", tt.name, err, tt.want)
		}
	}
}

func TestVotes(t *testing.T) {
	for _, tt := range []struct {
		candidate rcvae.Candidate
		want      bool
	}{
		{rcvae.Candidate{Answer: "72"}, true},
		{rcvae.Candidate{}, false},
		{rcvae.Candidate{Answer: "72", Finish: "stop", AnswerFrom: "number"}, true},
		{rcvae.Candidate{Answer: "72", Finish: "length", AnswerFrom: "boxed"}, true},
		{rcvae.Candidate{Answer: "72", Finish: "length", AnswerFrom: "number"}, false},
	} {
		if got := tt.candidate.Votes(); got != tt.want {
			t.Errorf("%+v: Votes() = %v, want %v", tt.candidate, got, tt.want)
		}
	}
}

func TestFingerprintTellsEveryFieldApart(t *testing.T) {
	base := rcvae.Fingerprint{Name: "n", Weights: "w", Pooling: "mean", Prompt: "p", Dimension: 3, MaxTokens: 512, Normalized: true}
	seen := map[string]string{base.ID(): "base"}
	for name, change := range map[string]func(*rcvae.Fingerprint){
		"name": func(f *rcvae.Fingerprint) { f.Name = "m" }, "weights": func(f *rcvae.Fingerprint) { f.Weights = "v" },
		"pooling": func(f *rcvae.Fingerprint) { f.Pooling = "cls" }, "prompt": func(f *rcvae.Fingerprint) { f.Prompt = "" },
		"dimension": func(f *rcvae.Fingerprint) { f.Dimension = 4 }, "max tokens": func(f *rcvae.Fingerprint) { f.MaxTokens = 256 },
		"normalized": func(f *rcvae.Fingerprint) { f.Normalized = false },
	} {
		f := base
		change(&f)
		if other, ok := seen[f.ID()]; ok {
			t.Errorf("another %s gives the ID of %s", name, other)
		}
		seen[f.ID()] = name
	}
	if s := base.String(); !strings.Contains(s, base.ID()[:12]) || !strings.Contains(s, "3-d") {
		t.Errorf("String() = %q, want dimension and the start of the ID", s)
	}
}
