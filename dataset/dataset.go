// Package dataset reads problems and pools of candidates, and writes pools.
//
// Problems come as JSON Lines in this project's own form (id, question, solution,
// answer, subject, level), in the original form of GSM8K (question, answer with
// "#### 72" in it) or of MATH (problem, solution, level "Level 5", type), and as
// the Parquet files of these sets. A pool is JSON Lines too: a problem and its
// candidates. Files may be compressed with gzip or zstd; that is told from their
// content.
//
// Readers stream: memory is bounded by the longest line (64 MiB at most), and a
// compressed file may unfold to 8 GiB at most.
package dataset

import (
	"encoding/json"
	"fmt"

	"rcvae"
)

// Item is one line of a pool: a problem with the solutions that language models
// wrote for it.
type Item struct {
	rcvae.Problem
	Samples []Sample
	Extra   map[string]json.RawMessage // fields that this package does not know, as they were

	form form
}

// Sample is a candidate with what is known about it besides.
type Sample struct {
	rcvae.Candidate
	Correct *bool                      // nil: not graded
	Extra   map[string]json.RawMessage // fields that this package does not know, as they were

	form form
}

// form remembers how an object was written, so that writing it back changes
// nothing that was not changed.
type form struct {
	keys []string          // in their order
	raw  map[string]string // known fields of unusual form: null, "Level 5", a number for an answer
}

// Candidates returns the candidates alone, which is what a selector may see.
func (it Item) Candidates() []rcvae.Candidate {
	candidates := make([]rcvae.Candidate, len(it.Samples))
	for i, s := range it.Samples {
		candidates[i] = s.Candidate
	}
	return candidates
}

// WithSampler returns the item with those samples only that the named sampler drew.
func (it Item) WithSampler(name string) Item {
	var kept []Sample
	for _, s := range it.Samples {
		if s.Sampler == name {
			kept = append(kept, s)
		}
	}
	it.Samples = kept
	return it
}

// SamplerCount says how much of a pool a sampler drew.
type SamplerCount struct {
	Name      string // "" for samples that name none
	Samples   int
	Questions int // items with a sample of it
}

// Samplers counts the samplers of a pool's samples, in order of appearance.
func Samplers(items []Item) []SamplerCount {
	var counts []SamplerCount
	index := map[string]int{}
	last := map[string]int{} // the last item, from 1, that had a sample of it
	for n, item := range items {
		for _, s := range item.Samples {
			i, ok := index[s.Sampler]
			if !ok {
				i = len(counts)
				index[s.Sampler] = i
				counts = append(counts, SamplerCount{Name: s.Sampler})
			}
			counts[i].Samples++
			if last[s.Sampler] != n+1 {
				last[s.Sampler] = n + 1
				counts[i].Questions++
			}
		}
	}
	return counts
}

// LineError tells which line of a file could not be read.
type LineError struct {
	File string
	Line int // from 1; the row for Parquet files
	Err  error
}

// Error returns "file:line: what is wrong".
func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

// Unwrap returns Err.
func (e *LineError) Unwrap() error { return e.Err }
