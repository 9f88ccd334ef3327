package eval

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"

	"rcvae"
	"rcvae/selector"
)

const (
	activeVariance = 0.01 // variance of the posterior mean from which a unit is active
	collapsedSD    = 0.01 // nats; below this the entropies of a question are all the same
)

// spread sums up one model's posteriors of one question.
type spread struct {
	n         int
	entropySD float64   // nats; NaN for one candidate
	kl        float64   // sum over candidates
	sum, sum2 []float64 // (d) of the posterior mean and its square
	strangers int       // candidates with a familiarity of 0; −1: the model cannot tell
}

func spreads(e *selector.Evidence) []spread {
	out := make([]spread, e.Models())
	for m := range out {
		out[m] = spreadOf(e.Posteriors(m))
		out[m].strangers = strangers(e.Familiarity(m))
	}
	return out
}

func strangers(familiarity []float64) int {
	if familiarity == nil {
		return -1
	}
	n := 0
	for _, f := range familiarity {
		if f == 0 {
			n++
		}
	}
	return n
}

func spreadOf(posteriors []rcvae.Posterior) spread {
	s := spread{n: len(posteriors), entropySD: math.NaN()}
	if len(posteriors) > 1 {
		s.entropySD = stat.StdDev(entropies(posteriors), nil)
	}
	s.sum, s.sum2 = make([]float64, len(posteriors[0].Mu)), make([]float64, len(posteriors[0].Mu))
	for _, p := range posteriors {
		s.kl += p.KL()
		for j, mu := range p.Mu {
			s.sum[j] += float64(mu)
			s.sum2[j] += float64(mu) * float64(mu)
		}
	}
	return s
}

func entropies(posteriors []rcvae.Posterior) []float64 {
	out := make([]float64, len(posteriors))
	for i, p := range posteriors {
		out[i] = p.HalfLogVar()
	}
	return out
}

// agreement returns the mean Spearman correlation of the entropies over all pairs
// of models; NaN if it is undefined for all.
func agreement(e *selector.Evidence) float64 {
	var all []float64
	for a := range e.Models() {
		for b := range a {
			all = append(all, Spearman(entropies(e.Posteriors(a)), entropies(e.Posteriors(b))))
		}
	}
	mean, _ := meanDefined(all)
	return mean
}

// diagnose sums up model m over all questions.
func diagnose(name string, m int, outcomes []outcome) Diagnostic {
	d := Diagnostic{Model: name}
	var sum, sum2, sds []float64
	var n, strange, strangeQuestions int
	for _, o := range outcomes {
		s := o.spread[m]
		if sum == nil {
			sum, sum2 = make([]float64, len(s.sum)), make([]float64, len(s.sum))
		}
		for j := range sum {
			sum[j] += s.sum[j]
			sum2[j] += s.sum2[j]
		}
		n += s.n
		strange += s.strangers
		if s.strangers == s.n {
			strangeQuestions++
		}
		d.KL += s.kl
		sds = append(sds, s.entropySD)
	}
	if strange >= 0 {
		share, questions := float64(strange)/float64(n), float64(strangeQuestions)/float64(len(outcomes))
		d.Unfamiliar, d.UnfamiliarQuestions = &share, &questions
	}
	d.LatentDim = len(sum)
	d.KL /= float64(n)
	for j := range sum {
		mean := sum[j] / float64(n)
		if sum2[j]/float64(n)-mean*mean > activeVariance {
			d.ActiveUnits++
		}
	}
	if sd, count := meanDefined(sds); count > 0 {
		d.EntropySD = sd
	}
	return d
}

// collapse returns a warning in plain words if the posterior says nothing.
func (d Diagnostic) collapse() string {
	switch {
	case d.ActiveUnits == 0:
		return fmt.Sprintf("%s: the posterior has collapsed (0 of %d units active, KL %.3g nats): its entropy says nothing about a candidate; "+
			"train with the objective contrastive, or lower beta", d.Model, d.LatentDim, d.KL)
	case d.EntropySD < collapsedSD:
		return fmt.Sprintf("%s: the entropies of a question's candidates differ by %.2g nats only: choices by entropy are close to arbitrary", d.Model, d.EntropySD)
	}
	return ""
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
