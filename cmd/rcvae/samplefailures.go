package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rcvae"
	"rcvae/llm"
)

// hopeless reports whether the other problems will fail too: the server is away, after
// it was waited for, or takes no call of this key; or the disk is full.
func hopeless(err error) bool {
	status, ok := errors.AsType[*llm.StatusError](err)
	return llm.Away(err) || ok && status.AboutKey() || errors.Is(err, errStore)
}

// order puts the failures in the order of the problems.
func (r *drawingRun) order(problems []rcvae.Problem) {
	place := make(map[string]int, len(problems))
	for i, p := range problems {
		place[p.ID] = i
	}
	slices.SortFunc(r.failures, func(a, b failedProblem) int { return place[a.ID] - place[b.ID] })
}

// listed names the problems that failed, at most twenty, and why the first did.
func (r *drawingRun) listed() string {
	const most = 20
	var ids []string
	for _, f := range r.failures[:min(most, len(r.failures))] {
		ids = append(ids, f.ID)
	}
	text := strings.Join(ids, ", ")
	if more := len(r.failures) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + "; problem " + r.failures[0].ID + ": " + r.failures[0].Error
}

// unfinished says what is missing and how to go on.
func (r *drawingRun) unfinished(ctx context.Context, missing, total int) error {
	what := fmt.Sprintf("%d of %d problems are drawn", total-missing, total)
	if r.store.count() > 0 {
		what += " and kept in " + r.store.partialPath
	}
	what += "; run the same command to continue"
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("sample: interrupted; %s", what)
	case r.stopped != nil:
		return fmt.Errorf("sample: %w; %s", r.stopped, what)
	}
	return fmt.Errorf("sample: %d problems failed: %s; %s, or finish the pool without them: --keep-going", len(r.failures), r.listed(), what)
}
