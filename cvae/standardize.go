package cvae

import (
	"math"

	"rcvae"
)

const (
	minDeviation = 0.01 // floor of the scale that inputs are standardised by
	maxSignal    = 8    // deviations; a column further out is cut, so that it cannot swamp the others
)

// standardizer maps x to (x − mean) · inverse, per element.
type standardizer struct {
	mean    []float32
	scale   []float32 // the deviation
	inverse []float32 // 1/scale
}

func newStandardizer(mean, scale []float32) standardizer {
	inverse := make([]float32, len(scale))
	for j, s := range scale {
		inverse[j] = 1 / s
	}
	return standardizer{mean: mean, scale: scale, inverse: inverse}
}

// apply sets dst to the standardised x, which may be shorter than the standardizer.
func (s standardizer) apply(dst, x []float32) {
	mean, inverse := s.mean[:len(x)], s.inverse[:len(x)]
	dst = dst[:len(x)]
	for j, v := range x {
		dst[j] = (v - mean[j]) * inverse[j]
	}
}

// inputs turns embeddings and signals into what the network reads.
type inputs struct {
	config Config
	q      standardizer // (D)
	r      standardizer // (D+S), of R_e
}

// elements sets target (D+S) to the standardised R_e = [r; φ], and missing (S) to 1 for
// the columns that do not apply, whose element is 0.
func (in *inputs) elements(target, missing []float32, s rcvae.Solution) {
	D := in.config.Dimension
	in.r.apply(target, s.Embedding)
	for j, v := range s.Signals {
		target[D+j], missing[j] = 0, 1
		if !math.IsNaN(v) {
			x := (v - float64(in.r.mean[D+j])) / float64(in.r.scale[D+j])
			target[D+j], missing[j] = float32(min(max(x, -maxSignal), maxSignal)), 0
		}
	}
}

// encoderInput sets x to what the encoder reads of a solution: r, the copies of each
// column, and the indicators of missing ones.
func (in *inputs) encoderInput(x, target, missing []float32) {
	D, copies := in.config.Dimension, in.config.SignalCopies
	copy(x, target[:D])
	x = x[D:]
	for _, v := range target[D:] {
		for k := range copies {
			x[k] = v
		}
		x = x[copies:]
	}
	copy(x, missing)
}

// fit makes the standardisation of some questions: embeddings to mean 0 and deviation
// 1 over their candidates if the config asks for it (a question counts once per
// candidate), columns over the candidates where they apply.
func (d *data) fit(c Config, questions []question) *inputs {
	D := c.Dimension
	q, r := newMoments(D), newMoments(c.elements())
	for _, question := range questions {
		for j, v := range question.embedding {
			q.add(j, float64(v), float64(question.to-question.from))
		}
		for _, x := range d.candidates[question.from:question.to] {
			for j, v := range x.solution.Embedding {
				r.add(j, float64(v), 1)
			}
			for j, v := range x.solution.Signals {
				if !math.IsNaN(v) {
					r.add(D+j, v, 1)
				}
			}
		}
	}
	return &inputs{c, q.standardizer(c), r.standardizer(c)}
}

// moments are the weighted sums of x and x² per element.
type moments struct{ weight, sum, square []float64 }

func newMoments(n int) moments {
	return moments{make([]float64, n), make([]float64, n), make([]float64, n)}
}

func (m moments) add(j int, v, weight float64) {
	m.weight[j] += weight
	m.sum[j] += weight * v
	m.square[j] += weight * v * v
}

func (m moments) standardizer(c Config) standardizer {
	mean, scale := make([]float32, len(m.sum)), make([]float32, len(m.sum))
	for j := range mean {
		signal := j >= c.Dimension
		if !c.Standardize && !signal {
			scale[j] = 1
			continue
		}
		mu := m.sum[j] / max(m.weight[j], 1)
		variance := (m.square[j] - m.weight[j]*mu*mu) / max(m.weight[j]-1, 1)
		mean[j], scale[j] = float32(mu), float32(max(math.Sqrt(max(variance, 0)), minDeviation))
		if signal && variance <= 1e-12*mu*mu {
			scale[j] = math.MaxFloat32 // a column that never varied teaches nothing: it stays 0
		}
	}
	return newStandardizer(mean, scale)
}
