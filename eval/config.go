package eval

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"rcvae"
	"rcvae/selector"
)

// Question is one question of a pool, with its candidates and their verdicts.
type Question struct {
	ID         string
	Question   string
	Candidates []rcvae.Candidate // (n)
	Correct    []bool            // (n)
	Graded     []bool            // (n) false: could not be graded, Correct[i] means nothing; nil: all are graded
}

// Config says what to measure.
type Config struct {
	Pool       string   `json:"-"`                   // name of the pool, for the result
	Sampler    string   `json:"-"`                   // sampler of the candidates, for the result
	Grader     string   `json:"-"`                   // kind of the grader, for the result
	ModelNames []string `json:"-"`                   // one a model; nil: "model 1", "model 2", …
	Selectors  []string `json:"selectors,omitempty"` // rules by name; empty: those of [selector.Table] that apply
	K          []int    `json:"k,omitempty"`         // sizes for accuracy against k; empty: none
	Seed       uint64   `json:"seed"`                // of subsets, resamples and sign flips
	Subsets    int      `json:"subsets"`             // random subsets of size k for each question
	Resamples  int      `json:"resamples"`           // of the bootstrap, and flips of the permutation test
	Tau        float64  `json:"tau,omitempty"`       // τ of every vote; 0: the models' calibration
	Timing     bool     `json:"timing,omitempty"`    // measure µs a question; the result then differs from run to run

	Workers    int                   `json:"-"` // goroutines that score; 0: GOMAXPROCS. Does not change the result
	OnQuestion func(done, total int) `json:"-"` // progress, called from one goroutine at a time
}

// DefaultConfig returns 32 subsets at k = 4, 8 and 16, and 2,000 resamples.
func DefaultConfig() Config {
	return Config{K: []int{4, 8, 16}, Seed: 1, Subsets: 32, Resamples: 2000}
}

// Validate reports every bad field at once.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, k := range c.K {
		if k < 1 {
			bad("k is %d, want at least 1", k)
		}
	}
	if c.Subsets < 1 {
		bad("subsets is %d, want at least 1", c.Subsets)
	}
	if c.Resamples < 100 {
		bad("resamples is %d, want at least 100", c.Resamples)
	}
	if c.Tau < 0 || math.IsNaN(c.Tau) || math.IsInf(c.Tau, 0) {
		bad("tau is %v, want a finite number of at least 0", c.Tau)
	}
	if c.Workers < 0 {
		bad("workers is %d, want at least 0", c.Workers)
	}
	for _, name := range c.Selectors {
		if _, err := selector.Parse(name); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// sizes returns K in increasing order, each once.
func (c Config) sizes() []int {
	k := slices.Clone(c.K)
	slices.Sort(k)
	return slices.Compact(k)
}

// rules returns the rules to measure: those asked for, or all of the table that
// the sources and the candidates can serve.
func (c Config) rules(questions []Question, src selector.Sources) ([]selector.Rule, error) {
	names, asked := c.Selectors, true
	if len(names) == 0 {
		names, asked = selector.Table(), false
	}
	have := src.Have() | given(questions)
	var rules []selector.Rule
	for _, name := range names {
		rule, err := selector.Parse(name)
		if err != nil {
			return nil, err
		}
		if !have.Has(rule.Needs.Named()) {
			if !asked {
				continue
			}
			if err := src.Check(rule.Needs); err != nil {
				return nil, fmt.Errorf("selector %s: %w", name, err)
			}
		}
		rules = append(rules, rule.WithTau(c.Tau))
	}
	return rules, nil
}

// given returns what all questions bring along: log-probabilities if every
// candidate has them, answers if any has one, and verdicts.
func given(questions []Question) selector.Needs {
	all, anyone := ^selector.Needs(0), selector.Needs(0)
	for _, q := range questions {
		g := selector.Given(q.Candidates)
		all, anyone = all&g, anyone|g
	}
	return all&selector.NeedLogProbs | anyone&selector.NeedAnswers | selector.NeedVerdicts
}
