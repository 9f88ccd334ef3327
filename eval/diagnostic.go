package eval

import (
	"math"

	"rcvae"
	"rcvae/eval/stats"
)

// said sums up what the models said of the candidates, question by question in their
// order, so that the sums do not depend on the workers.
type said struct {
	next       int // the question that is added next
	models     []modelSaid
	agreements []float64 // (questions)
}

// modelSaid is what one model said.
type modelSaid struct {
	posteriors    rcvae.DiagnosticsSum
	out, outOfAll int // candidates that are out of distribution; questions of such alone
}

func newSaid(models int) *said { return &said{models: make([]modelSaid, models)} }

// take adds the questions that are measured and whose predecessors are, and forgets the
// inferences.
func (s *said) take(outcomes []outcome) {
	for ; s.next < len(outcomes) && outcomes[s.next].measured; s.next++ {
		o := &outcomes[s.next]
		for m := range s.models {
			s.models[m].add(o.inferences[m])
		}
		s.agreements = append(s.agreements, agreement(o.inferences))
		o.inferences = nil
	}
}

func (s *modelSaid) add(inferences []rcvae.Inference) {
	posteriors, outside := make([]rcvae.Posterior, len(inferences)), 0
	for i, x := range inferences {
		posteriors[i] = x.Posterior
		if x.InDistribution == 0 {
			outside++
		}
	}
	s.posteriors.Add(posteriors...)
	s.out += outside
	if outside == len(posteriors) {
		s.outOfAll++
	}
}

// diagnose says what model m made of the candidates.
func (p plan) diagnose(m int, said *said) Diagnostic {
	s := said.models[m]
	d := Diagnostic{Model: p.config.modelName(m), Diagnostics: s.posteriors.Diagnostics()}
	if p.sources.Models[m].Info().Calibration.Far > 0 {
		d.OutOfDistribution = new(float64(s.out) / float64(d.Solutions))
		d.OutOfDistributionQuestions = new(float64(s.outOfAll) / float64(said.next))
	}
	return d
}

// agreement returns the mean Spearman correlation of the entropies over all pairs
// of models; NaN if it is undefined for all.
func agreement(inferences [][]rcvae.Inference) float64 {
	entropies := make([][]float64, len(inferences))
	for m, of := range inferences {
		for _, x := range of {
			entropies[m] = append(entropies[m], x.Posterior.HalfLogVar())
		}
	}
	var all []float64
	for a := range entropies {
		for b := range a {
			all = append(all, stats.Spearman(entropies[a], entropies[b]))
		}
	}
	mean, _ := meanDefined(all)
	return mean
}

// meanDefined returns the mean and the number of the values that are not NaN.
func meanDefined(values []float64) (mean float64, count int) {
	var sum float64
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
			count++
		}
	}
	return sum / float64(count), count
}
