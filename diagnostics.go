package rcvae

import (
	"fmt"
	"math"
)

const (
	activeVariance = 0.01 // of a unit's posterior mean; Burda, Grosse, Salakhutdinov 2016
	minSolutions   = 20   // below this many the active units are not judged
	minQuestions   = 6    // below this many the entropy spread is not judged
	collapsedSD    = 0.01 // nats; below this the entropies of a question are all the same
)

// Diagnostics say whether a model's latent carries anything, over the posteriors of
// some questions.
type Diagnostics struct {
	Latent      int       `json:"latent"`       // d
	Solutions   int       `json:"solutions"`    // measured on: n of ActiveUnits and KL
	ActiveUnits int       `json:"active_units"` // latent dimensions whose posterior mean has a variance above 0.01
	KL          float64   `json:"kl_nats"`      // mean over the solutions
	KLByUnit    []float64 `json:"kl_nats_by_dimension,omitempty"`

	// EntropySD is the mean over questions of the standard deviation of the posterior
	// entropy over a question's solutions, in nats; nil when no question has two.
	EntropySD        *float64 `json:"entropy_sd_within_question"`
	EntropyQuestions int      `json:"entropy_questions"` // with two solutions or more: n of EntropySD
}

// Collapsed reports whether the posterior is the prior for every solution: no unit
// is active over enough solutions to judge by.
func (d Diagnostics) Collapsed() bool { return d.Solutions >= minSolutions && d.ActiveUnits == 0 }

// Warning returns in plain words what is wrong with the posterior, or "" if nothing
// is or too little was seen to judge by.
func (d Diagnostics) Warning() string {
	switch {
	case d.Collapsed():
		return fmt.Sprintf("the posterior has collapsed: 0 of %d latent units are active (KL %.3g nats), so the encoder ignores the solution and its entropy cannot tell candidates apart",
			d.Latent, d.KL)
	case d.EntropySD != nil && d.EntropyQuestions >= minQuestions && *d.EntropySD < collapsedSD:
		return fmt.Sprintf("the entropies of a question's candidates differ by %.2g nats only: choices by entropy are close to arbitrary", *d.EntropySD)
	default:
		return ""
	}
}

// DiagnosticsSum adds up posteriors, question by question. The zero value is empty.
// The result depends on the order of the questions in its last digits only.
type DiagnosticsSum struct {
	solutions        int
	mu, square, kl   []float64 // (d), sums over solutions
	spread           float64   // Σ over questions of the entropies' standard deviation
	entropyQuestions int
}

// Add counts the posteriors of one question's solutions, all of one dimension d.
func (s *DiagnosticsSum) Add(posteriors ...Posterior) {
	var mean, squares float64 // of the entropies, updated one by one (Welford 1962)
	for i, p := range posteriors {
		if s.mu == nil {
			d := len(p.Mu)
			s.mu, s.square, s.kl = make([]float64, d), make([]float64, d), make([]float64, d)
		}
		for j, lv := range p.LogVar {
			m, v := float64(p.Mu[j]), float64(lv)
			s.mu[j] += m
			s.square[j] += m * m
			s.kl[j] += (math.Expm1(v) - v + m*m) / 2
		}
		h := p.HalfLogVar()
		delta := h - mean
		mean += delta / float64(i+1)
		squares += delta * (h - mean)
	}
	s.solutions += len(posteriors)
	if n := len(posteriors); n > 1 {
		s.entropyQuestions++
		s.spread += math.Sqrt(squares / float64(n-1))
	}
}

// Diagnostics returns what was added up.
func (s *DiagnosticsSum) Diagnostics() Diagnostics {
	d := Diagnostics{Latent: len(s.mu), Solutions: s.solutions, EntropyQuestions: s.entropyQuestions}
	n := float64(s.solutions)
	for j := range s.mu {
		mean := s.mu[j] / n
		if s.square[j]/n-mean*mean > activeVariance {
			d.ActiveUnits++
		}
		d.KLByUnit = append(d.KLByUnit, s.kl[j]/n)
		d.KL += s.kl[j] / n
	}
	if s.entropyQuestions > 0 {
		sd := s.spread / float64(s.entropyQuestions)
		d.EntropySD = &sd
	}
	return d
}
