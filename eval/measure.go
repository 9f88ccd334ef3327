package eval

import (
	"context"
	"fmt"
	"math"

	"rcvae"
	"rcvae/eval/stats"
	"rcvae/internal/scratch"
	"rcvae/selector"
)

// Columns of every table of values: the rules whose values are exact come first.
const (
	columnMean = iota
	columnMajority
	columnPass
	columnFirst // of the contenders
)

// contender is one rule to measure.
type contender struct {
	rule  selector.Rule
	exact int // the column that the rule is, or columnFirst
}

// plan is what to do with every question.
type plan struct {
	config     Config
	sources    selector.Sources
	contenders []contender
	sizes      []int // k, increasing
	need       selector.Needs
	space      *scratch.Space // for embeddings and details
	told       func(Progress) // of all passes; nil: nobody is told
}

func newPlan(c Config, sources selector.Sources, rules []selector.Rule) plan {
	p := plan{config: c, told: c.OnQuestion, sources: sources, sizes: c.sizes(), need: selector.NeedAnswers}
	for _, rule := range rules {
		p.need |= rule.Needs()
		p.contenders = append(p.contenders, contender{rule, exactColumn(rule)})
	}
	p.need = sources.Complete(p.need)
	if !p.need.Has(selector.NeedModel) {
		p.sources.Models = nil
	}
	return p
}

func exactColumn(r selector.Rule) int {
	switch r.Name() {
	case "random":
		return columnMean
	case "majority":
		return columnMajority
	case "oracle":
		return columnPass
	}
	return columnFirst
}

// outcome is what one question contributes.
type outcome struct {
	values     []float64   // (columns), all candidates
	byK        [][]float64 // (sizes) (columns); nil where the question has too few candidates
	unanswered []float64   // (contenders), share of the tied winners without an answer that votes
	ungraded   []float64   // (contenders), share of the tied winners without a verdict
	auroc      []float64   // (contenders); NaN: undefined
	measured   bool
	inferences [][]rcvae.Inference // (models) (n), until they are added up
	details    []byte              // JSON of Details, in the space
}

// measure applies all contenders to one question.
func (p plan) measure(ctx context.Context, q rcvae.Encoded) (outcome, error) {
	prepared, err := selector.PrepareEncoded(ctx, q, p.sources, p.need)
	if err != nil {
		return outcome{}, err
	}
	e, err := prepared.Evidence(nil)
	if err != nil {
		return outcome{}, err
	}
	choices, err := p.choose(ctx, e)
	if err != nil {
		return outcome{}, err
	}
	g := gradesOf(q.Candidates, e)
	o := outcome{measured: true, values: make([]float64, columnFirst+len(p.contenders))}
	o.describe(p, q, e, choices)
	for m := range e.Models() {
		o.inferences = append(o.inferences, e.Inferences(m))
	}
	n := len(q.Candidates)
	p.fill(o.values, g, n)
	p.add(o.values, g, choices, every(n), 1)
	for _, k := range p.sizes {
		var values []float64
		if k <= n {
			if values, err = p.measureAt(ctx, k, q, g, prepared); err != nil {
				return outcome{}, fmt.Errorf("k = %d: %w", k, err)
			}
		}
		o.byK = append(o.byK, values)
	}
	if p.config.OnDetails != nil {
		o.details, err = p.keepDetails(ctx, q, g, e, choices)
	}
	return o, err
}

// measureAt returns the columns for subsets of size k.
func (p plan) measureAt(ctx context.Context, k int, q rcvae.Encoded, g grades, prepared *selector.Prepared) ([]float64, error) {
	values := make([]float64, columnFirst+len(p.contenders))
	p.fill(values, g, k)
	sets := subsets(len(q.Candidates), k, p.config.Subsets, p.config.Seed, q.ID)
	for _, subset := range sets {
		e, err := prepared.Evidence(subset)
		if err != nil {
			return nil, err
		}
		choices, err := p.choose(ctx, e)
		if err != nil {
			return nil, err
		}
		p.add(values, g, choices, subset, 1/float64(len(sets)))
	}
	return values, nil
}

// fill sets the exact columns, and the others to the exact majority.
func (p plan) fill(values []float64, g grades, k int) {
	values[columnMean], values[columnMajority], values[columnPass] = g.exact(k)
	for c, x := range p.contenders {
		if values[columnFirst+c] = values[columnMajority]; x.exact < columnFirst {
			values[columnFirst+c] = values[x.exact]
		}
	}
}

// add adds the contenders' gains over the majority on a subset, times weight.
func (p plan) add(values []float64, g grades, choices []selector.Choice, subset []int, weight float64) {
	majority := g.majority(subset)
	for c, x := range p.contenders {
		if x.exact == columnFirst {
			values[columnFirst+c] += weight * (g.of(choices[c], subset, x.rule.Votes()) - majority)
		}
	}
}

// choose returns every contender's choice.
func (p plan) choose(ctx context.Context, e *selector.Evidence) ([]selector.Choice, error) {
	choices := make([]selector.Choice, len(p.contenders))
	for c, x := range p.contenders {
		var err error
		if choices[c], err = x.rule.Choose(ctx, e); err != nil {
			return nil, err
		}
	}
	return choices, nil
}

// describe sets what is known of the choices among all candidates but their worth.
func (o *outcome) describe(p plan, q rcvae.Encoded, e *selector.Evidence, choices []selector.Choice) {
	for c, x := range p.contenders {
		tied := choices[c].Tied
		if len(tied) == 0 { // nobody has an answer
			tied = []int{choices[c].Best}
		}
		o.unanswered = append(o.unanswered, share(tied, func(i int) bool { return e.Class(i) < 0 }))
		o.ungraded = append(o.ungraded, share(tied, func(i int) bool { return q.Candidates[i].Verdict == rcvae.Ungraded }))
		o.auroc = append(o.auroc, auroc(x.rule, choices[c], q.Candidates))
	}
}

// share returns which share of some candidates is so.
func share(candidates []int, is func(i int) bool) (sum float64) {
	for _, i := range candidates {
		if is(i) {
			sum += 1 / float64(len(candidates))
		}
	}
	return sum
}

// auroc returns the area under the rule's ROC curve over the graded candidates.
func auroc(r selector.Rule, c selector.Choice, candidates []rcvae.Candidate) float64 {
	if !r.Ranks() {
		return math.NaN()
	}
	var scores []float64
	var correct []bool
	for i, candidate := range candidates {
		if candidate.Verdict != rcvae.Ungraded {
			scores, correct = append(scores, c.Scores[i]), append(correct, candidate.Verdict == rcvae.Correct)
		}
	}
	return stats.AUROC(scores, correct)
}

// every returns 0 … n−1.
func every(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
