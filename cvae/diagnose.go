package cvae

import (
	"math"

	"rcvae/internal/gemm"
)

const (
	activeVariance  = 0.01  // Burda, Grosse, Salakhutdinov 2016
	diagnoseSamples = 20000 // at most so many, evenly spread over the questions
)

// tally adds up the posteriors of some solutions.
type tally struct {
	samples           int
	mu, muSquare, kls []float64 // (d), sums
	spread            float64   // Σ over questions with several solutions
	several           int
	questions         int
}

func newTally(latent int) *tally {
	return &tally{mu: make([]float64, latent), muSquare: make([]float64, latent), kls: make([]float64, latent)}
}

// add counts one question's posteriors mu and logVar, both (n, d).
func (t *tally) add(n int, mu, logVar []float32) {
	d := len(t.mu)
	var sum, square float64
	for i := range n {
		var half float64
		for j := range d {
			m, lv := float64(mu[i*d+j]), float64(logVar[i*d+j])
			t.mu[j] += m
			t.muSquare[j] += m * m
			t.kls[j] += (math.Expm1(lv) - lv + m*m) / 2
			half += lv / 2
		}
		sum += half
		square += half * half
	}
	t.samples += n
	t.questions++
	if n > 1 {
		t.several++
		t.spread += math.Sqrt(max(square-sum*sum/float64(n), 0) / float64(n-1))
	}
}

func (t *tally) diagnostics() Diagnostics {
	d := Diagnostics{Latent: len(t.mu), Questions: t.questions, Samples: t.samples, KLByUnit: make([]float64, len(t.mu))}
	n := float64(max(t.samples, 1))
	for j := range t.mu {
		mean := t.mu[j] / n
		if t.muSquare[j]/n-mean*mean > activeVariance {
			d.ActiveUnits++
		}
		d.KLByUnit[j] = t.kls[j] / n
		d.KL += d.KLByUnit[j]
	}
	if t.several > 0 {
		d.Spread = t.spread / float64(t.several)
	}
	d.Collapsed = d.ActiveUnits == 0
	return d
}

// Diagnose measures the model's latent on data; verdicts are not looked at. When
// there are more than about 20,000 solutions, questions at even distances are used.
func (m *Model) Diagnose(data Data) (Diagnostics, error) {
	if err := (Data{Questions: data.Questions, Solutions: data.Solutions, Group: data.Group}).check(Config{Dimension: m.config.Dimension}); err != nil {
		return Diagnostics{}, err
	}
	pool := gemm.NewPool(0)
	defer pool.Close()
	return m.diagnose(pool, data, data.questions()), nil
}

func (m *Model) diagnose(pool *gemm.Pool, data Data, questions []question) Diagnostics {
	samples := 0
	for _, q := range questions {
		samples += q.to - q.from
	}
	stride := (samples + diagnoseSamples - 1) / diagnoseSamples
	var chosen []question
	for i := 0; i < len(questions); i += max(stride, 1) {
		chosen = append(chosen, questions[i])
	}
	results := make([]*workspace, len(chosen))
	pool.Run(len(chosen), func(_, i int) {
		q := chosen[i]
		w := m.workspace()
		if err := m.encode(w, data.Questions[q.index], data.Solutions[q.from:q.to]); err == nil {
			results[i] = &workspace{mu: append([]float32{}, w.mu...), logVar: append([]float32{}, w.logVar...)}
		}
		m.workspaces.Put(w)
	})
	t := newTally(m.config.Latent)
	for i, r := range results { // in order: the sums do not depend on the workers
		if r != nil {
			t.add(chosen[i].to-chosen[i].from, r.mu, r.logVar)
		}
	}
	return t.diagnostics()
}
