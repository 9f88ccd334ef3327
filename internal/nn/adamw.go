package nn

import (
	"math"

	"rcvae/internal/gemm"
)

// AdamW is Adam with decoupled weight decay (Kingma, Ba 2015; Loshchilov, Hutter
// 2019) over a flat parameter vector.
type AdamW struct {
	WeightDecay float64
	M, V        []float32 // first and second moments, as long as the parameters
	Steps       int       // updates done
}

const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-8
)

// NewAdamW returns an optimizer for size parameters.
func NewAdamW(size int, weightDecay float64) *AdamW {
	return &AdamW{WeightDecay: weightDecay, M: make([]float32, size), V: make([]float32, size)}
}

// block is the number of parameters that one task handles: three of its vectors
// fit into a core's second-level cache.
const block = 16384

// Update takes one step with the gradient gradScale·grads.
func (a *AdamW) Update(pool *gemm.Pool, params, grads []float32, learningRate, gradScale float64) {
	a.Steps++
	t := float64(a.Steps)
	step := gemm.AdamStep{
		LR: float32(learningRate), Beta1: beta1, Beta2: beta2, Epsilon: epsilon, WeightDecay: float32(a.WeightDecay),
		Correction1: float32(1 - math.Pow(beta1, t)), Correction2: float32(1 - math.Pow(beta2, t)), GradScale: float32(gradScale),
	}
	eachBlock(pool, len(params), func(_, from, to int) {
		gemm.Adam(step, params[from:to], grads[from:to], a.M[from:to], a.V[from:to])
	})
}

// Norm returns the Euclidean norm of x.
func Norm(pool *gemm.Pool, x []float32) float64 {
	sums := make([]float64, (len(x)+block-1)/block)
	eachBlock(pool, len(x), func(task, from, to int) { sums[task] = gemm.SumSquares(x[from:to]) })
	var sum float64
	for _, s := range sums {
		sum += s
	}
	return math.Sqrt(sum)
}

func eachBlock(pool *gemm.Pool, n int, f func(task, from, to int)) {
	pool.Run((n+block-1)/block, func(_, task int) { f(task, task*block, min((task+1)*block, n)) })
}

// ClipScale returns the factor that brings a gradient of the given norm down to
// at most limit; a limit of 0 does not clip.
func ClipScale(norm, limit float64) float64 {
	if limit <= 0 || norm <= limit {
		return 1
	}
	return limit / (norm + 1e-6)
}

// Cosine returns the learning rate of a step in [0, steps), falling from peak to 0
// along half a cosine:
//
//	peak · ½ (1 + cos(π·step/steps))
func Cosine(peak float64, step, steps int) float64 {
	return peak * (1 + math.Cos(math.Pi*float64(step)/float64(steps))) / 2
}
