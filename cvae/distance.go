package cvae

import (
	"fmt"
	"math"

	"rcvae"
	"rcvae/internal/gemm"
	"rcvae/internal/nn"
)

// whitening maps a standardised R_e to uncorrelated elements of variance 1: it is L⁻¹
// where L Lᵀ = C is the covariance of the training samples. Their mean is 0, since the
// standardiser was fitted on the same samples.
type whitening struct {
	rows   []float32    // (W(W+1)/2), W = D+S, the rows of L⁻¹ up to its diagonal
	packed *gemm.Packed // (W, W), (L⁻¹)ᵀ
}

func newWhitening(W int, rows []float32) *whitening {
	square := make([]float32, W*W)
	for i, rest := 0, rows; i < W; i++ {
		copy(square[i*W:], rest[:i+1])
		rest = rest[i+1:]
	}
	return &whitening{rows: rows, packed: gemm.Pack(gemm.Trans, W, W, square, W)}
}

// weigh sets the in-distribution weights.
func (m *Model) weigh(w *workspace, out []rcvae.Inference) error {
	if m.whitening == nil || m.calibration.Far == 0 {
		for i := range out {
			out[i].InDistribution = 1
		}
		return nil
	}
	for i, d2 := range m.distances(w) {
		if d2-d2 != 0 {
			return fmt.Errorf("solution %d: its distance is not finite: the embedding is not of unit length, or the model's weights are broken", i)
		}
		out[i].InDistribution = inDistribution(d2, m.calibration)
	}
	return nil
}

// distances returns the squared Mahalanobis distance per element of the workspace's
// solutions from the training samples,
//
//	d² = xᵀ C⁻¹ x / W = |L⁻¹ x|² / W
//
// where x is the standardised R_e. Training samples have about 1 on average.
func (m *Model) distances(w *workspace) []float64 {
	W := m.config.elements()
	n := len(w.target) / W
	w.white, w.squares = nn.Resize(w.white, n*W), nn.Resize(w.squares, n)
	w.pool.MulPacked(n, w.target, W, m.whitening.packed, w.white, W, false, nil)
	for i := range w.squares {
		w.squares[i] = gemm.SumSquares(w.white[i*W:(i+1)*W]) / float64(W)
	}
	return w.squares
}

// inDistribution returns the weight of [rcvae.Inference].
func inDistribution(square float64, c rcvae.Calibration) float64 {
	far := math.Log(c.Far)
	return min(max((far-math.Log(square))/(far-math.Log(c.Near)), 0), 1)
}

// checkCalibration refuses what scores, votes and weights cannot be computed with.
func checkCalibration(c rcvae.Calibration) error {
	switch {
	case !(c.Tau >= 0) || math.IsInf(c.Tau, 0):
		return fmt.Errorf("calibration: tau %g is not a finite number of at least 0", c.Tau)
	case !(c.Scale > 0) || math.IsInf(c.Scale, 0):
		return fmt.Errorf("calibration: scale %g is not a finite number above 0", c.Scale)
	}
	if c.Near == 0 && c.Far == 0 {
		return nil
	}
	return checkThresholds(c.Near, c.Far)
}

func checkThresholds(near, far float64) error {
	if near > 0 && math.Log(near) < math.Log(far) && !math.IsInf(far, 0) {
		return nil
	}
	return fmt.Errorf("the distances near %g and far %g are not 0 < near < far", near, far)
}
