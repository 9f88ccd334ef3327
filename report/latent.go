package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

const (
	mapPoints  = 4000 // latent means on the PCA map
	tsnePoints = 2000 // on the t-SNE map
	mapSeed    = 1
)

// point is the latent mean of a graded candidate.
type point struct {
	mu      []float32 // (d)
	correct bool
}

// reservoir keeps a uniform sample of mapPoints points.
//
// Source: Vitter 1985, algorithm R.
type reservoir struct {
	points []point
	order  []int // of each point, when it came
	seen   int
	rng    *rand.Rand
}

func newReservoir() reservoir { return reservoir{rng: rand.New(rand.NewPCG(mapSeed, 0))} }

func (r *reservoir) add(p point) {
	r.seen++
	if len(r.points) < mapPoints {
		r.points, r.order = append(r.points, p), append(r.order, r.seen)
		return
	}
	if i := r.rng.IntN(r.seen); i < mapPoints {
		r.points[i], r.order[i] = p, r.seen
	}
}

// at is a place on a map.
type at struct {
	x, y    float64
	correct bool
}

// matrix returns the first n points that came, (n, d).
func (r *reservoir) matrix(n int) (*mat.Dense, []bool, error) {
	by := make([]int, len(r.points))
	for i := range by {
		by[i] = i
	}
	slices.SortFunc(by, func(a, b int) int { return r.order[a] - r.order[b] })
	// Even distances, so that a smaller map shows all of the pool.
	n = min(n, len(by))
	d := len(r.points[0].mu)
	x, correct := mat.NewDense(n, d, nil), make([]bool, n)
	for i := range n {
		p := r.points[by[i*len(by)/n]]
		if len(p.mu) != d {
			return nil, nil, fmt.Errorf("latent means have %d and %d dimensions", d, len(p.mu))
		}
		for j, v := range p.mu {
			if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, nil, fmt.Errorf("a latent mean is %v", v)
			}
			x.Set(i, j, float64(v))
		}
		correct[i] = p.correct
	}
	return x, correct, nil
}

// pca projects the rows of x onto their first principal axes, at most k, and returns the
// shares of the variance along them. The sign of an axis makes its largest component
// positive.
func pca(x *mat.Dense, k int) (*mat.Dense, []float64, error) {
	n, d := x.Dims()
	k = min(k, d)
	var covariance mat.SymDense
	stat.CovarianceMatrix(&covariance, x, nil)
	var eigen mat.EigenSym
	if !eigen.Factorize(&covariance, true) {
		return nil, nil, fmt.Errorf("the covariance of %d latent means has no eigenvectors", n)
	}
	values := eigen.Values(nil) // increasing
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	var total float64
	for _, v := range values {
		total += max(v, 0)
	}
	axes, shares := mat.NewDense(d, k, nil), make([]float64, k)
	for j := range k {
		axis := mat.Col(nil, d-1-j, &vectors)
		largest := slices.MaxFunc(axis, func(a, b float64) int { return compareSize(a, b) })
		for i, v := range axis {
			axes.Set(i, j, math.Copysign(1, largest)*v)
		}
		shares[j] = max(values[d-1-j], 0) / max(total, math.SmallestNonzeroFloat64)
	}
	for j := range d {
		column := mat.Col(nil, j, x)
		mean := stat.Mean(column, nil)
		for i, v := range column {
			x.Set(i, j, v-mean)
		}
	}
	var out mat.Dense
	out.Mul(x, axes)
	return &out, shares, nil
}

func compareSize(a, b float64) int {
	switch a, b := math.Abs(a), math.Abs(b); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// places returns the first two columns as a map.
func places(x *mat.Dense, correct []bool) []at {
	n, k := x.Dims()
	out := make([]at, n)
	for i := range out {
		out[i] = at{x: x.At(i, 0), correct: correct[i]}
		if k > 1 {
			out[i].y = x.At(i, 1)
		}
	}
	return out
}
