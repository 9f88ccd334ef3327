package cvae

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"rcvae/internal/gemm"
)

const covarianceRows = 256 // samples that are added to the covariance at a time

// covariance returns the mean of x xᵀ over n samples x (W). Each element is summed in
// the order of the samples, whatever the number of workers.
func covariance(pool *gemm.Pool, W, n int, sample func(i int, x []float32)) *mat.SymDense {
	sum := make([]float64, W*W)                  // upper triangle
	columns := make([]float64, W*covarianceRows) // (W, covarianceRows), one sample per column
	x := make([]float32, W)
	for from := 0; from < n; from += covarianceRows {
		count := min(n-from, covarianceRows)
		for k := range count {
			sample(from+k, x)
			for j, v := range x {
				columns[j*covarianceRows+k] = float64(v)
			}
		}
		pool.Run(W, func(_, i int) {
			rest := columns[i*covarianceRows:]
			blas64.Gemv(blas.NoTrans, 1, blas64.General{Rows: W - i, Cols: count, Stride: covarianceRows, Data: rest},
				blas64.Vector{N: count, Inc: 1, Data: rest}, 1, blas64.Vector{N: W - i, Inc: 1, Data: sum[i*W+i:]})
		})
	}
	for i := range sum {
		sum[i] /= float64(n)
	}
	return mat.NewSymDense(W, sum)
}

// whiten returns the rows of L⁻¹ up to its diagonal, where L Lᵀ is the covariance
// plus ridge times its mean variance. It changes the covariance.
func whiten(covariance *mat.SymDense, ridge float64) ([]float32, error) {
	W := covariance.SymmetricDim()
	add := ridge * mat.Trace(covariance) / float64(W)
	for i := range W {
		covariance.SetSym(i, i, covariance.At(i, i)+add)
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(covariance) {
		return nil, errors.New("the covariance of the training candidates is not positive definite: give candidates that differ")
	}
	var lower mat.TriDense
	cholesky.LTo(&lower)
	if err := lower.InverseTri(&lower); err != nil {
		return nil, fmt.Errorf("invert the covariance of the training candidates: %w", err)
	}
	packed := make([]float32, 0, W*(W+1)/2)
	for i := range W {
		for j := range i + 1 {
			packed = append(packed, float32(lower.At(i, j)))
		}
	}
	return packed, nil
}
