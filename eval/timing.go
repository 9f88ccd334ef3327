package eval

import (
	"context"
	"time"

	"rcvae"
	"rcvae/selector"
)

// timedQuestions is how many questions timing looks at.
const timedQuestions = 64

// time sets the selectors' microseconds per question: models, scores and choice as the
// rule needs them, from embeddings that are there already, on one goroutine.
func (p plan) time(ctx context.Context, questions []rcvae.Encoded, selectors []Selector) error {
	for s := range selectors {
		rule := p.contenders[s].rule
		start := time.Now()
		for _, q := range questions {
			prepared, err := selector.PrepareEncoded(ctx, q, p.sources, rule.Needs())
			if err != nil {
				return err
			}
			e, err := prepared.Evidence(nil)
			if err != nil {
				return err
			}
			if _, err = rule.Choose(ctx, e); err != nil {
				return err
			}
		}
		selectors[s].MicrosPerQuestion = float64(time.Since(start).Nanoseconds()) / 1e3 / float64(len(questions))
	}
	return nil
}
