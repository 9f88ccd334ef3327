package eval

import (
	"time"

	"rcvae/selector"
)

// timedQuestions is how many questions, at least, timing looks at.
const timedQuestions = 64

// time sets the selectors' microseconds a question: posteriors, likelihoods,
// scores and choice as the rule needs them, from embeddings that are there
// already, on one goroutine.
func (p plan) time(questions []embedded, selectors []Selector) error {
	for s := range selectors {
		rule := p.contenders[columnFirst+s].rule
		var choice selector.Choice
		start := time.Now()
		for _, q := range questions {
			e, err := p.sources.Weigh(q.question, q.solutions, q.Candidates, rule.Needs)
			if err != nil {
				return err
			}
			if rule.EvaluationOnly() {
				e = e.WithVerdicts(q.Correct)
			}
			rule.ChooseInto(&choice, e, nil)
		}
		selectors[s].MicrosPerQuestion = float64(time.Since(start).Nanoseconds()) / 1e3 / float64(len(questions))
	}
	return nil
}
