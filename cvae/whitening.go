package cvae

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"

	"rcvae/internal/gemm"
)

const (
	ridge        = 1e-3 // ε, of the mean variance
	maxWhitening = 4096 // elements; the covariance of more is too large
	nearQuantile = 0.75 // of the distances of held-out samples
	farQuantile  = 0.95
)

// fitWhitening gives the model its whitening and the distances near and far, or says
// why it has none. C is the second moment of the training candidates, correct or not,
//
//	C = (1/n) Σ x xᵀ + ε·(tr C₀ / W)·I
//
// where C₀ is the sum without the ridge. Near and Far are the 75 % and 95 % quantiles
// over the candidates of the held-out questions.
func (m *Model) fitWhitening(pool *gemm.Pool, d *data, train, held []question) error {
	W, samples := m.config.elements(), d.solutions(train)
	switch {
	case !m.config.Standardize:
		return errors.New("its inputs are not standardised: set standardize")
	case W > maxWhitening:
		return fmt.Errorf("embedding and signals have %d elements, at most %d are allowed", W, maxWhitening)
	case len(samples) < 2*W:
		return fmt.Errorf("%d training candidates are too few for %d elements of embedding and signals: give at least %d", len(samples), W, 2*W)
	case len(held) == 0:
		return errors.New("no question is held out, which its thresholds are chosen on: give more questions, or raise holdout")
	}
	missing := make([]float32, len(m.config.Signals))
	rows, err := whiten(covariance(pool, W, len(samples), func(i int, x []float32) { m.elements(x, missing, samples[i]) }), ridge)
	if err != nil {
		return err
	}
	m.whitening = newWhitening(W, rows)
	near, far, err := m.thresholds(pool, d, held)
	if err != nil {
		m.whitening = nil
		return err
	}
	m.calibration.Near, m.calibration.Far = near, far
	return nil
}

// thresholds returns the distances near and far over the questions' candidates.
func (m *Model) thresholds(pool *gemm.Pool, d *data, questions []question) (near, far float64, err error) {
	each, errs := make([][]float64, len(questions)), make([]error, len(questions))
	pool.Run(len(questions), func(_, i int) {
		w := m.workspaces.Get().(*workspace)
		defer m.workspaces.Put(w)
		if errs[i] = m.standardize(w, questions[i].embedding, d.solutions(questions[i:i+1])); errs[i] == nil {
			each[i] = slices.Clone(m.distances(w))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return 0, 0, err
	}
	squares := slices.Concat(each...)
	slices.Sort(squares)
	near = stat.Quantile(nearQuantile, stat.Empirical, squares, nil)
	far = stat.Quantile(farQuantile, stat.Empirical, squares, nil)
	if err := checkThresholds(near, far); err != nil {
		return 0, 0, fmt.Errorf("%w over %d candidates: give more, or candidates that differ", err, len(squares))
	}
	return near, far, nil
}
