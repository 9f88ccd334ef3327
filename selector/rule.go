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

// The aggregates. The last three have no score.
const (
	Pick     Aggregate = iota // takes the candidate with the best score
	Vote                      // takes the answer with the largest sum of weights exp(τ·score), and its best candidate
	Tiebreak                  // takes the most frequent answer, ties broken by the score, and its best candidate
	Majority                  // takes the most frequent answer and its first candidate
	First                     // takes the first candidate
	Random                    // takes a random candidate
)

// aggregates names and describes them; where there is a score, its name follows.
var aggregates = [...]struct {
	name, about   string
	scored, votes bool
}{
	Pick:     {"", "", true, false},
	Vote:     {"vote:", "vote of the answers, weighted by exp(τ·score) of ", true, true},
	Tiebreak: {"tiebreak:", "most frequent answer, ties broken by ", true, true},
	Majority: {"majority", "most frequent answer, ties to the earlier candidate", false, true},
	First:    {"first", "the first candidate", false, false},
	Random:   {"random", "a random candidate; its expected value is mean@1", false, false},
}

// valid reports whether the aggregate is one of those above.
func (a Aggregate) valid() bool { return a >= 0 && int(a) < len(aggregates) }

// scored reports whether the rule has a score.
func (r Rule) scored() bool { return r.Aggregate.valid() && aggregates[r.Aggregate].scored }

// Votes reports whether the rule chooses an answer by votes.
func (r Rule) Votes() bool { return r.Aggregate.valid() && aggregates[r.Aggregate].votes }

// Weighted reports whether the rule's votes have weights. Other votes count 1 each.
func (r Rule) Weighted() bool { return r.Aggregate == Vote }

// EvaluationOnly reports whether the rule looks at verdicts, which nobody has
// when a question is answered.
func (r Rule) EvaluationOnly() bool { return r.Needs().Has(NeedVerdicts) }

// Ranks reports whether the rule orders candidates by a score that says something of
// them, so that the area under its ROC curve is worth a look.
func (r Rule) Ranks() bool { return r.scored() && !r.EvaluationOnly() }

// Name returns the rule's name, for example "vote:entropy".
func (r Rule) Name() string {
	switch {
	case !r.Aggregate.valid():
		return fmt.Sprintf("of aggregate %d", r.Aggregate)
	case r.scored():
		return aggregates[r.Aggregate].name + r.Score.Name
	default:
		return aggregates[r.Aggregate].name
	}
}

// About says in one line for people what the rule does.
func (r Rule) About() string {
	switch {
	case r.Aggregate == Pick:
		return r.Score.About
	case r.scored():
		return aggregates[r.Aggregate].about + r.Score.Name
	default:
		return aggregates[r.Aggregate].about
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

// Decided reports whether so many candidates to come can neither change the answer with
// the largest of the weights nor make it a tie. Where votes count 1 each that is so if
// its lead is larger than their number.
//
// Note: of weighted votes it is never so. A candidate to come may have any score, and
// weights are relative to the highest score: it can make all earlier ones as small as it
// likes. [Share] and [Choice.Margin] say how clear such a vote is.
func (r Rule) Decided(weights []float64, remaining int) bool {
	first, second, _ := leaders(weights)
	return r.Votes() && !r.Weighted() && first-second > float64(remaining)
}

// check reports what is wrong with a rule that somebody made.
func (r Rule) check() error {
	for _, tau := range []*float64{r.Tau, r.Score.Tau} {
		if tau != nil && !(*tau >= 0 && *tau <= math.MaxFloat64) {
			return fmt.Errorf("τ is %v, want a finite number of at least 0", *tau)
		}
	}
	switch {
	case !r.Aggregate.valid():
		return fmt.Errorf("%d is no aggregate", r.Aggregate)
	case r.scored():
		return r.Score.check()
	}
	return nil
}
