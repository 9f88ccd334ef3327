package cvae

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
	"rcvae/internal/safetensors"
)

const (
	domainTensor   = "domain.whitening"
	domainRidge    = 1e-3 // ε, of the mean variance
	maxDomain      = 4096 // dimensions; the covariance of more is too large
	nearQuantile   = 0.75 // of the distances of held-out samples
	farQuantile    = 0.95
	covarianceRows = 256 // samples that are added to the covariance at a time
)

// domain is where the solutions lie that the model was trained on: the covariance
// C = L Lᵀ of their standardised embeddings. Their mean is 0, since the standardiser
// was fitted on the same samples.
type domain struct {
	whitening []float32    // (D(D+1)/2), the rows of L⁻¹ up to its diagonal
	packed    *gemm.Packed // (D, D), (L⁻¹)ᵀ
}

var _ rcvae.FamiliarModel = (*Model)(nil)

func newDomain(D int, whitening []float32) *domain {
	square := make([]float32, D*D)
	for i, rest := 0, whitening; i < D; i++ {
		copy(square[i*D:], rest[:i+1])
		rest = rest[i+1:]
	}
	return &domain{whitening: whitening, packed: gemm.Pack(gemm.Trans, D, D, square, D)}
}

// Distances returns the squared Mahalanobis distance a dimension of n solutions
// from the training samples,
//
//	d² = xᵀ C⁻¹ x / D = |L⁻¹ x|² / D
//	C  = (1/n) Σ x xᵀ + ε·(tr C₀ / D)·I
//
// where x is the standardised embedding, the sum over all n training samples, right
// or wrong, C₀ the sum without the ridge and ε = 0.001. Training samples have about 1 on
// average. It returns nil for models that were trained without standardisation, on
// fewer than 2D samples, or before distances were known. Errors are those of
// [Model.Posteriors].
func (m *Model) Distances(question rcvae.Embedding, solutions []rcvae.Embedding) ([]float64, error) {
	if len(solutions) == 0 {
		return nil, nil
	}
	w := m.workspace()
	defer m.workspaces.Put(w)
	if err := m.standardizeInputs(w, question, solutions); err != nil || m.domain == nil {
		return nil, err
	}
	n, D := len(solutions), m.config.Dimension
	white := nn.Resize(w.buffers[0], n*D)
	w.buffers[0] = white
	w.pool.MulPacked(n, w.solutions, D, m.domain.packed, white, D, false, nil)
	out := make([]float64, n)
	for i := range out {
		out[i] = gemm.SumSquares(white[i*D:(i+1)*D]) / float64(D)
		if out[i]-out[i] != 0 {
			return nil, fmt.Errorf("solution %d: its distance is not finite: the embedding is not of unit length, or the model's weights are broken", i)
		}
	}
	return out, nil
}

// Familiarity implements [rcvae.FamiliarModel] on [Model.Distances]. Near and Far
// are the 75 % and 95 % quantiles over the samples of the held-out questions, or of
// all without held-out ones. Models without distances return ones.
func (m *Model) Familiarity(question rcvae.Embedding, solutions []rcvae.Embedding) ([]float64, error) {
	out, err := m.Distances(question, solutions)
	if err != nil {
		return nil, err
	}
	if out == nil {
		out = slices.Repeat([]float64{1}, len(solutions))
		return out, nil
	}
	for i, square := range out {
		out[i] = familiarity(square, m.calibration)
	}
	return out, nil
}

func familiarity(square float64, c rcvae.Calibration) float64 {
	far := math.Log(c.Far)
	return min(max((far-math.Log(square))/(far-math.Log(c.Near)), 0), 1)
}

// checkThresholds refuses what familiarity cannot be computed with.
func checkThresholds(near, far float64) error {
	if near > 0 && math.Log(near) < math.Log(far) && !math.IsInf(far, 0) {
		return nil
	}
	return fmt.Errorf("the distances near %g and far %g are not 0 < near < far", near, far)
}

// fitDomain gives the model its domain, or says why it has none.
func (t *trainer) fitDomain(m *Model) error {
	var samples []rcvae.Embedding
	for _, q := range t.train {
		samples = append(samples, t.data.Solutions[q.from:q.to]...)
	}
	D := t.config.Dimension
	switch {
	case !t.config.Standardize:
		return errors.New("its inputs are not standardised: set standardize")
	case D > maxDomain:
		return fmt.Errorf("embeddings of %d dimensions have too many, at most %d are allowed", D, maxDomain)
	case len(samples) < 2*D:
		return fmt.Errorf("%d training samples are too few for embeddings of %d dimensions: give at least %d", len(samples), D, 2*D)
	}
	whitening, err := whiten(covariance(t.pool, m.r, samples), domainRidge)
	if err != nil {
		return err
	}
	m.domain = newDomain(D, whitening)
	near, far, err := t.thresholds(m)
	if err != nil {
		m.domain = nil
		return err
	}
	m.calibration.Near, m.calibration.Far = near, far
	return nil
}

// covariance returns the mean of x xᵀ over the standardised samples. Each element
// is summed in the order of the samples, whatever the number of workers.
func covariance(pool *gemm.Pool, s standardizer, samples []rcvae.Embedding) *mat.SymDense {
	D := len(s.mean)
	sum := make([]float64, D*D)                  // upper triangle
	columns := make([]float64, D*covarianceRows) // (D, covarianceRows), a sample a column
	x := make([]float32, D)
	for rest := samples; len(rest) > 0; {
		n := min(len(rest), covarianceRows)
		for k, sample := range rest[:n] {
			s.apply(x, sample)
			for j, v := range x {
				columns[j*covarianceRows+k] = float64(v)
			}
		}
		rest = rest[n:]
		pool.Run(D, func(_, i int) {
			from := columns[i*covarianceRows:]
			blas64.Gemv(blas.NoTrans, 1, blas64.General{Rows: D - i, Cols: n, Stride: covarianceRows, Data: from},
				blas64.Vector{N: n, Inc: 1, Data: from}, 1, blas64.Vector{N: D - i, Inc: 1, Data: sum[i*D+i:]})
		})
	}
	for i := range sum {
		sum[i] /= float64(len(samples))
	}
	return mat.NewSymDense(D, sum)
}

// whiten returns the rows of L⁻¹ up to its diagonal, where L Lᵀ is the covariance
// plus ridge times its mean variance. It changes the covariance.
func whiten(covariance *mat.SymDense, ridge float64) ([]float32, error) {
	D := covariance.SymmetricDim()
	add := ridge * mat.Trace(covariance) / float64(D)
	for i := range D {
		covariance.SetSym(i, i, covariance.At(i, i)+add)
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(covariance) {
		return nil, errors.New("the covariance of the training samples is not positive definite: give samples that differ")
	}
	var lower mat.TriDense
	cholesky.LTo(&lower)
	if err := lower.InverseTri(&lower); err != nil {
		return nil, fmt.Errorf("invert the covariance of the training samples: %w", err)
	}
	packed := make([]float32, 0, D*(D+1)/2)
	for i := range D {
		for j := range i + 1 {
			packed = append(packed, float32(lower.At(i, j)))
		}
	}
	return packed, nil
}

// thresholds returns the distances near and far.
func (t *trainer) thresholds(m *Model) (near, far float64, err error) {
	questions := t.held
	if len(questions) == 0 {
		questions = t.train
	}
	each := make([][]float64, len(questions))
	errs := make([]error, len(questions))
	t.pool.Run(len(questions), func(_, i int) {
		q := questions[i]
		each[i], errs[i] = m.Distances(t.data.Questions[q.index], t.data.Solutions[q.from:q.to])
	})
	if err := errors.Join(errs...); err != nil {
		return 0, 0, err
	}
	squares := slices.Concat(each...)
	slices.Sort(squares)
	near = stat.Quantile(nearQuantile, stat.Empirical, squares, nil)
	far = stat.Quantile(farQuantile, stat.Empirical, squares, nil)
	if err := checkThresholds(near, far); err != nil {
		return 0, 0, fmt.Errorf("%w over %d samples: give more samples, or samples that differ", err, len(squares))
	}
	return near, far, nil
}

func (d *domain) tensor() safetensors.Tensor {
	return safetensors.Float32s(domainTensor, []int{len(d.whitening)}, d.whitening)
}

// readDomain returns the domain of a model file, or nil if it has none.
func readDomain(file *safetensors.File, D int, c rcvae.Calibration) (*domain, error) {
	stored := slices.ContainsFunc(file.Tensors, func(t safetensors.Tensor) bool { return t.Name == domainTensor })
	if !stored && c.Near == 0 && c.Far == 0 {
		return nil, nil
	}
	whitening, err := readTensor(file, domainTensor, []int{D * (D + 1) / 2})
	if err != nil {
		return nil, err
	}
	if err := checkThresholds(c.Near, c.Far); err != nil {
		return nil, fmt.Errorf("calibration: %w: train again", err)
	}
	return newDomain(D, whitening), nil
}
