package eval

import (
	"math"

	"rcvae"
	"rcvae/eval/stats"
)

// diagnose sums up what model m said of all candidates.
func (p plan) diagnose(m int, outcomes []outcome) Diagnostic {
	d := Diagnostic{Model: p.config.modelName(m)}
	var sum rcvae.DiagnosticsSum
	var out, outQuestions float64
	for _, o := range outcomes {
		posteriors, outside := make([]rcvae.Posterior, len(o.inferences[m])), 0
		for i, x := range o.inferences[m] {
			posteriors[i] = x.Posterior
			if x.InDistribution == 0 {
				outside++
			}
		}
		sum.Add(posteriors...)
		out += float64(outside)
		if outside == len(posteriors) {
			outQuestions++
		}
	}
	d.Diagnostics = sum.Diagnostics()
	if p.sources.Models[m].Info().Calibration.Far > 0 {
		d.OutOfDistribution = new(out / float64(d.Solutions))
		d.OutOfDistributionQuestions = new(outQuestions / float64(len(outcomes)))
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
