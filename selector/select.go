package selector

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"rcvae"
)

// Options tune a selector. The zero value is good for most uses.
type Options struct {
	Tau  float64 // τ of votes, exp(τ·score); 0: the models' calibration
	Seed uint64  // of the rule "random"
}

// Validate reports every bad field.
func (o Options) Validate() error {
	if o.Tau < 0 || math.IsNaN(o.Tau) || math.IsInf(o.Tau, 0) {
		return fmt.Errorf("selector options: τ is %v, want a finite number of at least 0", o.Tau)
	}
	return nil
}

// Named is a [Rule] bound to its sources.
type Named struct {
	rule    Rule
	sources Sources
	options Options
}

var _ rcvae.Selector = (*Named)(nil)

// New returns the selector of that name, one of [Rules]. It is an error if the
// sources cannot serve the rule. The selector may be used concurrently if its
// sources may.
func New(name string, src Sources, options Options) (*Named, error) {
	rule, err := Parse(name)
	if err != nil {
		return nil, err
	}
	if rule.EvaluationOnly() {
		return nil, fmt.Errorf("selector %s looks at the reference answers: it is for evaluation only", name)
	}
	if err := errors.Join(options.Validate(), src.Check(rule.Needs)); err != nil {
		return nil, fmt.Errorf("selector %s: %w", name, err)
	}
	return &Named{rule: rule.WithTau(options.Tau), sources: src, options: options}, nil
}

// Rule returns the selector's rule.
func (s *Named) Rule() Rule { return s.rule }

// Select chooses one of the candidates. The reason is one sentence for people;
// warnings tell what weakened the choice.
func (s *Named) Select(ctx context.Context, question string, candidates []rcvae.Candidate) (rcvae.Selection, error) {
	if len(candidates) == 0 {
		return rcvae.Selection{}, rcvae.ErrNoCandidates
	}
	e, err := Gather(ctx, question, candidates, s.sources, s.rule.Needs)
	if err != nil {
		return rcvae.Selection{}, fmt.Errorf("selector %s: %w", s.rule.Name, err)
	}
	c := s.rule.Choose(e, nil)
	if s.rule.kind == kindRandom {
		c.Best = c.Tied[s.draw(question, len(c.Tied))]
	}
	return rcvae.Selection{
		Index:    c.Best,
		Scores:   c.Scores,
		Rule:     s.rule.Name,
		Reason:   s.rule.reason(e, c, candidates),
		Warnings: s.warnings(e, c),
	}, nil
}

// draw returns a number below n that depends on the seed and the question alone.
func (s *Named) draw(question string, n int) int {
	h := fnv.New64a()
	h.Write([]byte(question)) // a hash never fails
	return rand.New(rand.NewPCG(s.options.Seed, h.Sum64())).IntN(n)
}

func (s *Named) warnings(e *Evidence, c Choice) []string {
	var warnings []string
	if s.rule.Needs.Has(NeedAnswers) && e.classes == 0 {
		fallback := "the earliest one was taken"
		if s.rule.kind != kindMajority {
			fallback = "the one with the " + scores[s.rule.score].best + " was taken"
		}
		warnings = append(warnings, "no candidate has an answer to vote with: "+fallback)
	}
	if s.rule.Needs.Has(NeedModel) {
		for i, m := range s.sources.Models {
			if _, ok := m.(Calibrated); !ok {
				warnings = append(warnings, fmt.Sprintf("model %d has no calibration: scale %v and τ %v are assumed", i+1, defaultScale, defaultTau))
			}
		}
	}
	// One in twenty candidates of a known kind is a stranger too, which is not worth a word.
	if n := e.strangers(); n > 0 && 2*n >= e.n && s.rule.Needs.Has(NeedModel) {
		warnings = append(warnings, s.rule.strangeness(n, e.n))
	}
	if s.rule.kind == kindPick && e.n > 1 && len(c.Tied) == e.n {
		warnings = append(warnings, "all candidates have the same score: the earliest one was taken")
	}
	return warnings
}
