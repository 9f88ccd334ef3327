package selector

import (
	"fmt"
	"math"
)

// Rule is a selection rule: a score and what becomes of it. It is a plain value, and
//
//	selector.Rule{Score: mine, Aggregate: selector.Vote}
//
// is one of a program's own.
type Rule struct {
	Score     Score
	Aggregate Aggregate
	Tau       *float64 // τ of a vote in place of the score's; 0 makes it a majority vote
}

// Aggregate is what a [Rule] makes of the scores of the candidates.
type Aggregate int

// The aggregates.
const (
	Pick     Aggregate = iota // takes the candidate with the best score
	Vote                      // takes the answer with the largest sum of weights exp(τ·score), and its best candidate
	Tiebreak                  // takes the most frequent answer, ties broken by the score, and its best candidate
	Majority                  // takes the most frequent answer and its first candidate; has no score
	Random                    // takes a random candidate; has no score
)

// aggregate describes an [Aggregate]; where there is a score, its name or description
// follows.
type aggregate struct {
	name, about   string
	scored, votes bool
}

var aggregates = [...]aggregate{
	Pick:     {"", "", true, false},
	Vote:     {"vote:", "vote of the answers, weighted by exp(τ·score) of ", true, true},
	Tiebreak: {"tiebreak:", "most frequent answer, ties broken by ", true, true},
	Majority: {"majority", "most frequent answer, ties to the earlier candidate", false, true},
	Random:   {"random", "a random candidate; its expected value is mean@1", false, false},
}

// aggregate returns the description of the rule's aggregate.
func (r Rule) aggregate() aggregate {
	if r.Aggregate < 0 || int(r.Aggregate) >= len(aggregates) {
		return aggregate{name: "unknown"}
	}
	return aggregates[r.Aggregate]
}

// Name returns the rule's name, for example "vote:entropy".
func (r Rule) Name() string {
	a := r.aggregate()
	if a.scored {
		return a.name + r.Score.Name
	}
	return a.name
}

// About says in one line for people what the rule does.
func (r Rule) About() string {
	switch a := r.aggregate(); {
	case !a.scored:
		return a.about
	case !a.votes:
		return r.Score.About
	default:
		return a.about + r.Score.Name
	}
}

// Needs returns what the rule cannot do without.
func (r Rule) Needs() (need Needs) {
	if r.scored() {
		need = r.Score.needs()
	}
	if r.Votes() {
		need |= NeedAnswers
	}
	return need
}

// Votes reports whether the rule chooses an answer by votes.
func (r Rule) Votes() bool { return r.aggregate().votes }

// Weighted reports whether the rule's votes have weights. Other votes count 1 each.
func (r Rule) Weighted() bool { return r.Aggregate == Vote }

// EvaluationOnly reports whether the rule looks at verdicts, which nobody has
// when a question is answered.
func (r Rule) EvaluationOnly() bool { return r.Needs().Has(NeedVerdicts) }

// Ranks reports whether the rule orders candidates by a score that says something of
// them, so that the area under its ROC curve is worth a look.
func (r Rule) Ranks() bool {
	return r.scored() && r.Score.Name != first().Name && !r.EvaluationOnly()
}

// scored reports whether the rule has a score.
func (r Rule) scored() bool { return r.aggregate().scored }

// check reports what is wrong with a rule that somebody made.
func (r Rule) check() error {
	for _, tau := range []*float64{r.Tau, r.Score.Tau} {
		if tau != nil && !(*tau >= 0 && *tau <= math.MaxFloat64) {
			return fmt.Errorf("τ is %v, want a finite number of at least 0", *tau)
		}
	}
	switch {
	case r.aggregate().name == "unknown":
		return fmt.Errorf("%d is no aggregate", r.Aggregate)
	case r.scored():
		return r.Score.check()
	}
	return nil
}

// tau returns the τ of the rule's vote.
func (r Rule) tau(e *Evidence) (float64, error) {
	switch {
	case !r.Weighted():
		return 0, nil
	case r.Tau != nil:
		return *r.Tau, nil
	case r.Score.Tau != nil:
		return *r.Score.Tau, nil
	default:
		return e.tau()
	}
}
