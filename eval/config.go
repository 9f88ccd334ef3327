package eval

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"rcvae/eval/stats"
	"rcvae/selector"
)

// Config says what to measure.
type Config struct {
	Pool       string          `json:"-"`                   // name of the pool, for the result
	Sampler    string          `json:"-"`                   // sampler of the candidates, for the result
	Grader     string          `json:"-"`                   // name of the grader, for the result
	ModelNames []string        `json:"-"`                   // one per model; nil: "model 1", "model 2", …
	Selectors  []string        `json:"selectors,omitempty"` // rules by name; empty: those of [selector.Table] that apply
	Rules      []selector.Rule `json:"-"`                   // further rules, of the program's own
	K          []int           `json:"k,omitempty"`         // sizes for accuracy against k; empty: none
	Seed       uint64          `json:"seed"`                // of subsets and resamples
	Subsets    int             `json:"subsets"`             // random subsets of size k per question
	Resamples  int             `json:"resamples"`           // of the bootstrap
	Tau        *float64        `json:"tau,omitempty"`       // τ of every vote; nil: the scores' own or the models' calibration
	Timing     bool            `json:"timing,omitempty"`    // measure µs per question; the result then differs from run to run

	Workers    int            `json:"-"` // goroutines that score; 0: GOMAXPROCS. Does not change the result
	OnQuestion func(Progress) `json:"-"` // called from one goroutine at a time
	OnDetails  func(Details)  `json:"-"` // one call per question that was measured, in their order, at the end
}

// Progress says how far the evaluation of a pool has come.
type Progress struct {
	Model       string // that is measured alone; empty while all are measured together
	Done, Total int    // questions, counted once for all models together and once for each that is measured alone
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
	if c.Resamples < stats.MinResamples {
		bad("resamples is %d, want at least %d", c.Resamples, stats.MinResamples)
	}
	if c.Tau != nil && !(*c.Tau >= 0 && *c.Tau <= math.MaxFloat64) {
		bad("tau is %v, want a finite number of at least 0", *c.Tau)
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

// modelName returns the name of a model by its position.
func (c Config) modelName(m int) string {
	if c.ModelNames == nil {
		return fmt.Sprintf("model %d", m+1)
	}
	return c.ModelNames[m]
}

// rules returns the rules to measure: those asked for, or all of the table that the
// sources and the candidates can serve. The latter are left out in silence, but for
// those that some of the questions can serve and others not.
func (c Config) rules(have selector.Needs, s counts) (rules []selector.Rule, warnings []string, err error) {
	names, asked := c.Selectors, len(c.Selectors)+len(c.Rules) > 0
	if !asked {
		names = selector.Table()
	}
	for _, name := range names {
		rule, err := selector.Parse(name)
		if err != nil {
			return nil, nil, err
		}
		rules = append(rules, rule)
	}
	rules = append(rules, c.Rules...)
	have |= selector.NeedAnswers | selector.NeedVerdicts
	if s.lacking == 0 {
		have |= selector.NeedLogProbs
	}
	left := 0
	rules = slices.DeleteFunc(rules, func(r selector.Rule) bool {
		lacks := r.Needs() &^ have
		if lacks == selector.NeedLogProbs {
			left++
		}
		return !asked && lacks != 0 // else the sources say why
	})
	lack := fmt.Sprintf("%d of %d questions have no candidate with log-probabilities and a token count", s.lacking, s.questions)
	switch {
	case asked && left > 0:
		return nil, nil, errors.New(lack + ": no rule that looks at them can be measured")
	case left > 0 && s.lacking < s.questions:
		warnings = append(warnings, fmt.Sprintf("%s: %d rules that look at them are left out", lack, left))
	}
	for i := range rules {
		if c.Tau != nil && rules[i].Weighted() {
			rules[i].Tau = c.Tau
		}
	}
	return rules, warnings, nil
}
