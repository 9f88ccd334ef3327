package eval

import (
	"fmt"
	"math"

	"rcvae"
	"rcvae/selector"
)

// together is the view of all models at once; other views are one model alone.
const together = -1

// Columns of every table of values: the baselines come first.
const (
	columnMean = iota
	columnMajority
	columnFirst // of the contenders asked for
)

// contender is one rule that looks at all models together, or at one alone.
type contender struct {
	view int // together, or the index of a model
	rule selector.Rule
}

// plan is what to do with every question.
type plan struct {
	config     Config
	sources    selector.Sources
	contenders []contender // the baselines, then view by view
	sizes      []int       // k, increasing
	need       selector.Needs
}

func newPlan(c Config, src selector.Sources, rules []selector.Rule) (plan, error) {
	p := plan{config: c, sources: src, sizes: c.sizes()}
	for _, name := range []string{"random", "majority"} {
		rule, err := selector.Parse(name)
		if err != nil {
			return plan{}, err
		}
		p.contenders = append(p.contenders, contender{together, rule})
	}
	for _, rule := range rules {
		p.contenders = append(p.contenders, contender{together, rule})
		p.need |= rule.Needs
	}
	p.need |= selector.NeedAnswers
	if !p.need.Has(selector.NeedModel) {
		p.sources.Models = nil
	}
	if len(p.sources.Models) > 1 {
		for m := range p.sources.Models {
			for _, rule := range rules {
				if rule.Needs.Has(selector.NeedModel) {
					p.contenders = append(p.contenders, contender{m, rule})
				}
			}
		}
	}
	return p, nil
}

// outcome is what one question contributes.
type outcome struct {
	right      int         // right candidates
	value      []float64   // (contenders) expected correctness, all candidates
	served     []bool      // (contenders) the deterministic choice is right
	unanswered []bool      // (contenders) the deterministic choice has no answer
	auroc      []float64   // (contenders) NaN: undefined
	byK        [][]float64 // (sizes) (contenders); nil where the question has too few candidates
	agreement  float64     // mean Spearman of the models' entropies; NaN: undefined
	spread     []spread    // (models)
}

// measure applies all contenders to one question. The embeddings may be nil if
// the plan needs none.
func (p plan) measure(position int, q Question, question rcvae.Embedding, solutions []rcvae.Embedding) (outcome, error) {
	e, err := p.sources.Weigh(question, solutions, q.Candidates, p.need)
	if err != nil {
		return outcome{}, fmt.Errorf("question %s: %w", q.ID, err)
	}
	e = e.WithVerdicts(q.Correct)
	views := p.views(e)
	o := outcome{
		value: make([]float64, len(p.contenders)), auroc: make([]float64, len(p.contenders)),
		served: make([]bool, len(p.contenders)), unanswered: make([]bool, len(p.contenders)),
		agreement: agreement(e), spread: spreads(e),
	}
	for _, right := range q.Correct {
		if right {
			o.right++
		}
	}
	var choice selector.Choice
	for c, x := range p.contenders {
		x.rule.ChooseInto(&choice, views[c], nil)
		o.value[c] = expected(choice, q.Correct)
		o.served[c] = len(choice.Tied) > 0 && q.Correct[choice.Best]
		o.unanswered[c] = e.Class(choice.Best) < 0
		o.auroc[c] = math.NaN()
		if x.rule.Ranks() {
			o.auroc[c] = AUROC(choice.Scores, q.Correct)
		}
	}
	for _, k := range p.sizes {
		o.byK = append(o.byK, p.measureAt(k, position, q, views, &choice))
	}
	return o, nil
}

// measureAt returns the contenders' mean values over subsets of size k, or nil if
// the question has fewer candidates.
func (p plan) measureAt(k, position int, q Question, views []*selector.Evidence, choice *selector.Choice) []float64 {
	if k > len(q.Candidates) {
		return nil
	}
	values := make([]float64, len(p.contenders))
	sets := subsets(len(q.Candidates), k, p.config.Subsets, p.config.Seed, position)
	for c, x := range p.contenders {
		for _, subset := range sets {
			x.rule.ChooseInto(choice, views[c], subset)
			values[c] += expected(*choice, q.Correct)
		}
		values[c] /= float64(len(sets))
	}
	return values
}

// views returns the evidence that each contender looks at.
func (p plan) views(e *selector.Evidence) []*selector.Evidence {
	alone := make([]*selector.Evidence, e.Models())
	views := make([]*selector.Evidence, len(p.contenders))
	for c, x := range p.contenders {
		views[c] = e
		if x.view != together {
			if alone[x.view] == nil {
				alone[x.view] = e.Alone(x.view)
			}
			views[c] = alone[x.view]
		}
	}
	return views
}

// expected returns the share of right candidates among the tied winners; 0 if a
// vote found no answer.
func expected(c selector.Choice, correct []bool) float64 {
	if len(c.Tied) == 0 {
		return 0
	}
	right := 0
	for _, i := range c.Tied {
		if correct[i] {
			right++
		}
	}
	return float64(right) / float64(len(c.Tied))
}
