// Package dataset reads problems and pools of candidates, and writes pools.
//
// Problems come as JSON Lines in this project's own form (id, question, solution,
// answer, subject, level), in the original form of GSM8K (question, answer with
// "#### 72" in it) or of MATH (problem, solution, level "Level 5", type), and as
// the Parquet files of these sets. A pool is JSON Lines or Parquet too: a problem and
// its candidates, which is a [rcvae.Question]. A JSON array is read as the lines of its
// elements. Files may be compressed with gzip or zstd; that is told from their content.
// Files of other tools are read by package foreign.
//
// Readers stream: memory is bounded by the longest line (64 MiB at most), and a
// compressed file may unfold to 8 GiB at most. Fields that this package does not know
// are kept in [rcvae.Extra] as they were, and written back.
package dataset

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rcvae"
)

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

// load reads the named files, one after the other; what says what they hold.
func load[T any](paths []string, what string, read func(file *os.File, path string) iter.Seq2[T, error]) (all []T, err error) {
	for one, err := range each(paths, what, read) {
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// each is load for what need not be in memory together. An error ends the sequence.
func each[T any](paths []string, what string, read func(file *os.File, path string) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, path := range paths {
			if !eachOf(path, what, read, yield) {
				return
			}
		}
	}
}

// eachOf yields what one file holds, and reports whether to go on.
func eachOf[T any](path, what string, read func(file *os.File, path string) iter.Seq2[T, error], yield func(T, error) bool) bool {
	var none T
	file, err := os.Open(path)
	if err != nil {
		yield(none, fmt.Errorf("load %s: %w", what, err))
		return false
	}
	defer file.Close()
	empty := true
	for one, err := range read(file, path) {
		if !yield(one, err) || err != nil {
			return false
		}
		empty = false
	}
	if empty {
		yield(none, fmt.Errorf("load %s: %s holds nothing: it is empty", what, path))
	}
	return !empty
}

// ids are the places where ids were seen.
type ids map[string]LineError

// settle gives a problem without an id one that is stable under compression of its
// file, and differs between files of different names; it refuses an id that was seen
// before. It says for err, or its own error, in which line it is.
func (seen ids) settle(p *rcvae.Problem, file string, line int, err error) error {
	if p.ID == "" {
		base := filepath.Base(file)
		base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".zst")
		p.ID = fmt.Sprintf("%s:line-%d", base, line)
	}
	at := LineError{file, line, err}
	if first, ok := seen[p.ID]; ok && err == nil {
		at.Err = fmt.Errorf("id %q occurs twice, first at %s:%d; ids must be unique, and 'rcvae pool import --from completions' joins several samples of one question", p.ID, first.File, first.Line)
	}
	if at.Err != nil {
		return &at
	}
	seen[p.ID] = at
	return nil
}

// WithSampler returns the question with those candidates only that the named sampler
// drew.
func WithSampler(q rcvae.Question, name string) rcvae.Question {
	q.Candidates = slices.DeleteFunc(slices.Clone(q.Candidates), func(c rcvae.Candidate) bool { return c.Sampler != name })
	return q
}

// SamplerCount says how much of a pool a sampler drew.
type SamplerCount struct {
	Name       string // "" for candidates that name none
	Candidates int
	Questions  int // with a candidate of it
}

// Samplers counts the samplers of a pool's candidates, in order of appearance.
func Samplers(questions []rcvae.Question) []SamplerCount {
	var counts []SamplerCount
	for _, q := range questions {
		var seen []string // in this question
		for _, c := range q.Candidates {
			i := slices.IndexFunc(counts, func(s SamplerCount) bool { return s.Name == c.Sampler })
			if i < 0 {
				i = len(counts)
				counts = append(counts, SamplerCount{Name: c.Sampler})
			}
			counts[i].Candidates++
			if !slices.Contains(seen, c.Sampler) {
				seen = append(seen, c.Sampler)
				counts[i].Questions++
			}
		}
	}
	return counts
}
