package report

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"rcvae/eval"
	"rcvae/eval/stats"
)

// gathered is what is kept of the details of a pool.
type gathered struct {
	hasDetails bool
	rows       []row
	graded     []gradedCandidate
	signals    []signalValues
	latents    reservoir
	packing    *errgroup.Group // of the rows' payloads
	packers    *sync.Pool
	columns    []string // of signals
}

// row is a question.
type row struct {
	id, question, gold string
	correct, graded    int       // candidates
	outcomes           []outcome // one per rule
	answer             [2]string // of majority and of the part's rule
	differ             bool      // these two answers are not the same
	payload            *payload
}

// outcome is what a rule made of a question.
type outcome struct {
	value, margin, share float64 // share of the chosen answer's weight; NaN for rules that do not vote
}

// gradedCandidate is a candidate with a verdict and a posterior.
type gradedCandidate struct {
	entropy, centred float64 // nats; centred: minus the mean over the question's candidates
	correct          bool
}

func (p *part) begin() {
	p.hasDetails, p.latents = true, newReservoir()
	p.packing, p.packers = &errgroup.Group{}, &sync.Pool{New: func() any { return &packer{} }}
	p.packing.SetLimit(runtime.GOMAXPROCS(0))
}

// add takes the details of one question.
func (p *part) add(d eval.Details) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if p.rules == nil {
		for _, x := range d.Chosen {
			p.rules = append(p.rules, x.Rule)
		}
		p.columns = d.Signals
	}
	if !slices.Equal(d.Signals, p.columns) {
		return fmt.Errorf("its signals are %v, those of the question before %v", d.Signals, p.columns)
	}
	if len(d.Chosen) != len(p.rules) {
		return fmt.Errorf("%d rules chose, %d of the question before", len(d.Chosen), len(p.rules))
	}
	r := row{id: d.ID, question: d.Question, gold: d.Gold, payload: &payload{}}
	classes := [2]int{-1, -1}
	for i, x := range d.Chosen {
		if x.Rule != p.rules[i] {
			return fmt.Errorf("rule %d is %s, and %s of the question before", i+1, x.Rule, p.rules[i])
		}
		r.outcomes = append(r.outcomes, outcomeOf(x))
		for j, name := range []string{majority, p.focus} {
			if x.Rule == name && x.Best < len(d.Candidates) {
				r.answer[j], classes[j] = d.Candidates[x.Best].Answer, d.Candidates[x.Best].Class
			}
		}
	}
	r.differ = classes[0] != classes[1] && p.rule(majority) >= 0
	for _, c := range d.Candidates {
		if c.Verdict != "ungraded" {
			r.graded++
		}
		if c.Verdict == "correct" {
			r.correct++
		}
	}
	p.addEntropies(d)
	p.addSignals(d)
	for _, c := range d.Candidates {
		if len(c.Latent) > 0 && c.Verdict != "ungraded" {
			p.latents.add(point{c.Latent, c.Verdict == "correct"})
		}
	}
	p.rows = append(p.rows, r)
	p.packing.Go(func() (err error) {
		k := p.packers.Get().(*packer)
		defer p.packers.Put(k)
		*r.payload, err = k.payload(d, p.focus)
		return err
	})
	return nil
}

func outcomeOf(x eval.RuleDetails) outcome {
	o := outcome{value: x.Value, margin: x.Margin, share: math.NaN()}
	var sum, first float64
	for _, w := range x.Weights {
		sum += w
		first = max(first, w)
	}
	if sum > 0 {
		o.share = first / sum
	}
	return o
}

// addEntropies takes the entropies of the graded candidates.
func (p *part) addEntropies(d eval.Details) {
	var mean, n float64
	for _, c := range d.Candidates {
		if c.Entropy != nil {
			mean += *c.Entropy
			n++
		}
	}
	for _, c := range d.Candidates {
		if c.Entropy != nil && c.Verdict != "ungraded" {
			p.graded = append(p.graded, gradedCandidate{*c.Entropy, *c.Entropy - mean/n, c.Verdict == "correct"})
		}
	}
}

// signalValues is what one column is worth: a value per question in which it applies to
// correct and to incorrect candidates.
type signalValues struct {
	name            string
	applies, of     int // candidates
	ids             []string
	all, misordered []float64 // area under the ROC curve: over all pairs, and over those that the entropy misorders; NaN: no such pair
}

// addSignals compares correct with incorrect candidates by every column, and by the
// entropy, which comes first.
func (p *part) addSignals(d eval.Details) {
	if p.signals == nil {
		p.signals = []signalValues{{name: "posterior entropy, negated"}}
		for _, name := range d.Signals {
			p.signals = append(p.signals, signalValues{name: name})
		}
	}
	entropy := column(d, func(c eval.CandidateDetails) *float64 {
		if c.Entropy == nil {
			return nil
		}
		return new(-*c.Entropy)
	})
	p.signals[0].add(d, entropy, nil)
	for j := range d.Signals {
		p.signals[j+1].add(d, column(d, func(c eval.CandidateDetails) *float64 { return c.Signals[j] }), entropy)
	}
}

// column returns a value per candidate, NaN where there is none.
func column(d eval.Details, of func(eval.CandidateDetails) *float64) []float64 {
	values := make([]float64, len(d.Candidates))
	for i, c := range d.Candidates {
		values[i] = math.NaN()
		if x := of(c); x != nil {
			values[i] = *x
		}
	}
	return values
}

func (s *signalValues) add(d eval.Details, values, entropy []float64) {
	var scores []float64
	var correct []bool
	for i, c := range d.Candidates {
		s.of++
		if math.IsNaN(values[i]) {
			continue
		}
		s.applies++
		if c.Verdict != "ungraded" {
			scores, correct = append(scores, values[i]), append(correct, c.Verdict == "correct")
		}
	}
	if area := stats.AUROC(scores, correct); !math.IsNaN(area) {
		s.ids, s.all = append(s.ids, d.ID), append(s.all, area)
		s.misordered = append(s.misordered, misordered(d, values, entropy))
	}
}

// misordered returns the share of the pairs of a correct and an incorrect candidate which
// the entropy puts into the wrong order that the column puts right, ties counting one
// half.
func misordered(d eval.Details, values, entropy []float64) float64 {
	var right, pairs float64
	for i, a := range d.Candidates {
		for j, b := range d.Candidates {
			if entropy == nil || a.Verdict != "correct" || b.Verdict == "correct" || b.Verdict == "ungraded" || !(entropy[i] < entropy[j]) {
				continue
			}
			switch {
			case values[i] > values[j]:
				right++
				pairs++
			case values[i] == values[j]:
				right += 0.5
				pairs++
			case values[i] < values[j]:
				pairs++
			}
		}
	}
	return right / pairs
}
