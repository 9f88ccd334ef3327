package report

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Settings of t-SNE, those of its authors but for fewer iterations, which suffice from a
// start by PCA.
const (
	perplexity      = 30.0
	tsneIterations  = 500
	exaggeration    = 12.0
	exaggeratedFor  = 125 // iterations
	earlyMomentum   = 0.5
	lateMomentum    = 0.8
	tsneDimensions  = 50   // kept by PCA before distances are taken
	tsneStart       = 1e-4 // standard deviation of the first axis at the start
	smallestGain    = 0.01
	bisections      = 60
	bisectTolerance = 1e-5 // nats
)

// tsne maps the rows of x, (n, d) with their principal axes first, to two dimensions. It
// is exact, O(n²) per iteration, and starts from the first two axes, so that equal input
// gives an equal map.
//
// Source: van der Maaten and Hinton 2008, "Visualizing data using t-SNE"; the start by
// PCA: Kobak and Berens 2019.
func tsne(x *mat.Dense) *mat.Dense {
	n, _ := x.Dims()
	p := affinities(x)
	y := start(x)
	gradient, velocity, gain := make([]float64, 2*n), make([]float64, 2*n), make([]float64, 2*n)
	for i := range gain {
		gain[i] = 1
	}
	repulsion := make([]float64, 2*n)
	rate := max(float64(n)/exaggeration/4, 50)
	for t := range tsneIterations {
		scale, momentum := 1.0, lateMomentum
		if t < exaggeratedFor {
			scale, momentum = exaggeration, earlyMomentum
		}
		descend(gradient, repulsion, p, y, scale)
		for i, g := range gradient {
			if (g > 0) == (velocity[i] > 0) {
				gain[i] = max(gain[i]*0.8, smallestGain)
			} else {
				gain[i] += 0.2
			}
			velocity[i] = momentum*velocity[i] - rate*gain[i]*g
			y[i] += velocity[i]
		}
	}
	return mat.NewDense(n, 2, y)
}

// start returns the first two columns, scaled down, row by row.
func start(x *mat.Dense) []float64 {
	n, d := x.Dims()
	y := make([]float64, 2*n)
	var square float64
	for i := range n {
		square += x.At(i, 0) * x.At(i, 0)
	}
	scale := tsneStart / math.Sqrt(max(square/float64(n), math.SmallestNonzeroFloat64))
	for i := range n {
		y[2*i] = scale * x.At(i, 0)
		if d > 1 {
			y[2*i+1] = scale * x.At(i, 1)
		}
	}
	return y
}

// descend sets the gradient
//
//	∂C/∂yᵢ = 4 Σⱼ (s·pᵢⱼ − wᵢⱼ/Σw) wᵢⱼ (yᵢ − yⱼ),  wᵢⱼ = 1/(1 + |yᵢ − yⱼ|²)
//
// with s the exaggeration. Only pairs i < j are looked at, once: what p pulls together and
// what w pushes apart, in repulsion, are added up beside each other, since Σw is known at
// the end only.
func descend(gradient, repulsion, p, y []float64, s float64) {
	n := len(y) / 2
	clear(gradient)
	clear(repulsion)
	var sum float64
	for i := range n {
		pi, xi, yi := p[i*n:i*n+n], y[2*i], y[2*i+1]
		var px, py, wx, wy float64
		for j := i + 1; j < n; j++ {
			dx, dy := xi-y[2*j], yi-y[2*j+1]
			w := 1 / (1 + dx*dx + dy*dy)
			sum += w
			f := pi[j] * w
			px += f * dx
			py += f * dy
			gradient[2*j] -= f * dx
			gradient[2*j+1] -= f * dy
			w *= w
			wx += w * dx
			wy += w * dy
			repulsion[2*j] -= w * dx
			repulsion[2*j+1] -= w * dy
		}
		gradient[2*i] += px
		gradient[2*i+1] += py
		repulsion[2*i] += wx
		repulsion[2*i+1] += wy
	}
	for i := range gradient {
		gradient[i] = 4 * (s*gradient[i] - repulsion[i]/(2*sum))
	}
}

// affinities returns the joint probabilities of all pairs, (n, n), which sum to 1.
func affinities(x *mat.Dense) []float64 {
	n, _ := x.Dims()
	p := make([]float64, n*n)
	distances := make([]float64, n)
	for i := range n {
		for j := range n {
			other, square := x.RawRowView(j), 0.0
			for k, v := range x.RawRowView(i) {
				d := v - other[k]
				square += d * d
			}
			distances[j] = square
		}
		conditional(p[i*n:i*n+n], distances, i)
	}
	for i := range n {
		for j := range i {
			joint := (p[i*n+j] + p[j*n+i]) / float64(2*n)
			p[i*n+j], p[j*n+i] = joint, joint
		}
	}
	return p
}

// conditional sets row[j] ∝ exp(−β·distances[j]) with row[self] = 0, β such that the
// row's entropy is ln(perplexity).
func conditional(row, distances []float64, self int) {
	want := math.Log(min(perplexity, float64(len(row)-1)/3))
	nearest := math.Inf(1)
	for j, d := range distances {
		if j != self {
			nearest = min(nearest, d)
		}
	}
	beta, low, high := 1.0, 0.0, math.Inf(1)
	for range bisections {
		var sum, weighted float64
		for j, d := range distances {
			row[j] = 0
			if j != self {
				row[j] = math.Exp(-beta * (d - nearest))
				sum += row[j]
				weighted += row[j] * (d - nearest)
			}
		}
		entropy := math.Log(sum) + beta*weighted/sum
		for j := range row {
			row[j] /= sum
		}
		switch {
		case math.Abs(entropy-want) < bisectTolerance:
			return
		case entropy > want && math.IsInf(high, 1):
			low, beta = beta, 2*beta
		case entropy > want:
			low, beta = beta, (beta+high)/2
		default:
			high, beta = beta, (beta+low)/2
		}
	}
}
