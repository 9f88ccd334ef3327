package selector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"rcvae"
)

// Score is a number for each candidate by which rules rank or weigh them; higher is
// better. It is a plain value: fill in the fields to make one.
type Score struct {
	Name  string   // in the names of rules, for example "entropy"
	About string   // what is preferred, for help: "lowest posterior entropy, ½ Σ ln σ²"
	Best  string   // what the candidate with the best score has, for reasons: "lowest posterior entropy"
	Needs Needs    // what Values looks at
	Tau   *float64 // τ of votes by this score; nil: the mean of the models' calibrations

	// Values computes the score of each of the evidence's candidates, and looks at the
	// context where that takes long. It is not called if there are Terms. With NeedModel among the needs the values are taken for a
	// model's and discounted where a candidate is out-of-distribution, see [Column].
	Values func(context.Context, *Evidence) ([]float64, error)

	// Partial says that NaN among the values is a candidate that has no such score: it
	// gets the mean of the others. For other scores NaN is an error.
	Partial bool

	// Terms make the score a weighted sum of others.
	Terms []Term
}

// Term is one summand of a fused [Score].
type Term struct {
	Weight float64
	Score  Score
}

// Column is a [Score] of all candidates of an [Evidence].
type Column struct {
	Raw []float64 // (n), as computed, missing values filled in

	// Scores is Raw with the values of models discounted. Each value sᵢ shrinks towards
	// the mean s̄ of the candidates that vote, and what needs less to be known takes the
	// place of what is lost:
	//
	//	sᵢ ← s̄ + wᵢ·(sᵢ − s̄) + (1 − wᵢ)·fᵢ/τ
	//
	// where wᵢ is the candidate's [Evidence.InDistribution], 1 for a text like those that
	// the models were trained on and 0 for an out-of-distribution one, whose score says
	// nothing, and τ is the models' own. fᵢ is what the model of signals says, times its τ
	// and discounted in the same way where it does not apply; last and without such a
	// model it is the score "arithmetic". A vote among out-of-distribution texts is that
	// of vote:signals or vote:arithmetic. Where nobody votes nothing is discounted.
	Scores []float64 // (n)
}

// needs returns what the score and its terms look at.
func (s Score) needs() Needs {
	need := s.Needs
	for _, t := range s.Terms {
		need |= t.Score.needs()
	}
	return need
}

// ofModel reports whether a model has a say in the values.
func (s Score) ofModel() bool {
	need := s.needs()
	return need.Has(NeedModel) || need.Has(NeedSignalModel)
}

// check reports what is wrong with a score that somebody made.
func (s Score) check() error {
	switch {
	case s.Name == "":
		return errors.New("a score without a name")
	case s.Values == nil && len(s.Terms) == 0:
		return fmt.Errorf("score %s has neither a function of its values nor terms", s.Name)
	}
	for _, t := range s.Terms {
		if err := t.Score.check(); err != nil {
			return fmt.Errorf("score %s: %w", s.Name, err)
		}
	}
	return nil
}

// Column computes the score of each candidate. A value that is not a finite number is
// an error that names the score and the candidate.
func (e *Evidence) Column(ctx context.Context, s Score) (Column, error) {
	if !e.need.Has(s.needs()) {
		return Column{}, fmt.Errorf("score %s needs %v, the evidence was prepared for %v", s.Name, s.needs(), e.need)
	}
	if len(s.Terms) > 0 {
		return e.sum(ctx, s)
	}
	e = e.seenBy(s)
	raw, err := s.Values(ctx, e)
	if err != nil {
		return Column{}, fmt.Errorf("score %s: %w", s.Name, err)
	}
	if len(raw) != e.Len() {
		return Column{}, fmt.Errorf("score %s has %d values for %d candidates", s.Name, len(raw), e.Len())
	}
	if s.Partial {
		raw = e.filled(raw)
	}
	if err := e.checkFinite(s.Name, raw); err != nil {
		return Column{}, err
	}
	c := Column{Raw: raw, Scores: raw}
	if s.ofModel() {
		c.Scores = e.discount(raw)
	}
	return c, nil
}

// sum adds up the columns of the score's terms, discounted ones to discounted ones.
func (e *Evidence) sum(ctx context.Context, s Score) (Column, error) {
	total := Column{Raw: make([]float64, e.Len()), Scores: make([]float64, e.Len())}
	for _, t := range s.Terms {
		c, err := e.Column(ctx, t.Score)
		if err != nil {
			return Column{}, fmt.Errorf("score %s: %w", s.Name, err)
		}
		for i := range total.Raw {
			total.Raw[i] += t.Weight * c.Raw[i]
			total.Scores[i] += t.Weight * c.Scores[i]
		}
	}
	return total, e.checkFinite(s.Name, total.Raw)
}

// discount returns the scores of a model as [Column] says.
func (e *Evidence) discount(raw []float64) []float64 {
	mean, voters := e.voterMean(raw)
	if voters == 0 || e.allInDistribution() {
		return raw
	}
	tau := e.meanOverModels(0, func(_ rcvae.Inference, c rcvae.Calibration) float64 { return c.Tau })
	instead := e.standIn()
	scores := make([]float64, len(raw))
	for i, s := range raw {
		w := e.InDistribution(i)
		if scores[i] = s; w == 1 {
			continue
		}
		scores[i] = mean
		if w > 0 { // else exactly the mean: such candidates are equals
			scores[i] += w * (s - mean)
		}
		if tau > 0 {
			scores[i] += (1 - w) * instead[i] / tau
		}
	}
	return scores
}

// standIn returns what counts of candidates that the models do not know, for a vote of
// τ 1: the model of signals, or checked arithmetic where there is none or it is the one
// that does not apply.
func (e *Evidence) standIn() []float64 {
	if len(e.fitted) == 0 {
		return e.arithmetic()
	}
	seen := *e
	seen.models, seen.fitted = e.fitted, nil
	raw := seen.perModel(scaledEntropy)
	mean, _ := e.voterMean(raw)
	tau := e.fitted[0].info.Calibration.Tau
	values := seen.discount(raw)
	for i := range values {
		values[i] = tau * (values[i] - mean)
	}
	return values
}

func (e *Evidence) allInDistribution() bool {
	for i := range e.index {
		if e.InDistribution(i) < 1 {
			return false
		}
	}
	return true
}

// filled returns the values with each NaN replaced by the mean of the others that vote,
// or else of all others, or else by 0: it neither helps nor harms a vote.
func (e *Evidence) filled(values []float64) []float64 {
	mean, known := e.voterMean(values)
	if known == 0 {
		mean, _ = meanOf(values, func(int) bool { return true })
	}
	values = slices.Clone(values)
	for i, v := range values {
		if math.IsNaN(v) {
			values[i] = mean
		}
	}
	return values
}

// voterMean returns the mean of the voting candidates' values that are not NaN, and
// their number.
func (e *Evidence) voterMean(values []float64) (mean float64, n int) {
	return meanOf(values, func(i int) bool { return e.candidates[i].Votes() })
}

// meanOf returns the mean of the values that count and are not NaN, 0 if there are none.
func meanOf(values []float64, counts func(i int) bool) (mean float64, n int) {
	for i, v := range values {
		if counts(i) && !math.IsNaN(v) {
			n++
			mean += (v - mean) / float64(n)
		}
	}
	return mean, n
}

// checkFinite returns an error that names the first candidate whose value is NaN or
// infinite.
func (e *Evidence) checkFinite(name string, values []float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("score %s of candidate %d is %v, want a finite number", name, e.index[i]+1, v)
		}
	}
	return nil
}
