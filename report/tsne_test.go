package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// clusters returns n points in d dimensions around two distant centres; the first half
// belongs to the first.
func clusters(n, d int) *mat.Dense {
	rng := rand.New(rand.NewPCG(3, 4))
	x := mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			v := rng.NormFloat64()
			if j == 1 && i < n/2 {
				v += 20
			}
			x.Set(i, j, v)
		}
	}
	return x
}

func TestPCAFindsTheAxisOfTheClusters(t *testing.T) {
	x := clusters(200, 5)
	want := mat.Col(nil, 1, x)
	got, shares, err := pca(x, 2)
	if err != nil {
		t.Fatal(err)
	}
	var product, square float64
	for i, v := range want {
		v -= 10
		product += v * got.At(i, 0)
		square += got.At(i, 0) * got.At(i, 0)
	}
	if shares[0] < 0.9 || shares[0]+shares[1] > 1 || product/square < 0.95 {
		t.Errorf("shares %v, correlation with the axis %v, want most of the variance and near 1", shares, product/square)
	}
}

func TestConditionalHasThePerplexity(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	distances, row := make([]float64, 200), make([]float64, 200)
	for i := range distances {
		distances[i] = 100 + 50*rng.Float64()
	}
	conditional(row, distances, 7)
	var entropy, sum float64
	for j, p := range row {
		if sum += p; p > 0 {
			entropy -= p * math.Log(p)
		}
		if (p == 0) != (j == 7) {
			t.Fatalf("row[%d] = %v", j, p)
		}
	}
	if math.Abs(sum-1) > 1e-12 || math.Abs(math.Exp(entropy)-perplexity) > 1e-3 {
		t.Errorf("sum %v, perplexity %v, want 1 and %v", sum, math.Exp(entropy), perplexity)
	}
}

// The gradient agrees with finite differences of the divergence.
func TestDescendIsTheGradient(t *testing.T) {
	const n = 20
	p := affinities(clusters(n, 3))
	rng := rand.New(rand.NewPCG(5, 6))
	y := make([]float64, 2*n)
	for i := range y {
		y[i] = rng.NormFloat64()
	}
	gradient := make([]float64, 2*n)
	descend(gradient, make([]float64, 2*n), p, y, 1)
	for i := range y {
		const h = 1e-5
		moved := append([]float64(nil), y...)
		moved[i] += h
		up := divergence(p, moved)
		moved[i] -= 2 * h
		if want := (up - divergence(p, moved)) / (2 * h); math.Abs(gradient[i]-want) > 1e-6 {
			t.Fatalf("gradient[%d] = %v, want %v", i, gradient[i], want)
		}
	}
}

// divergence is Σ p ln(p/q).
func divergence(p, y []float64) (sum float64) {
	n := len(y) / 2
	w := func(i, j int) float64 {
		dx, dy := y[2*i]-y[2*j], y[2*i+1]-y[2*j+1]
		return 1 / (1 + dx*dx + dy*dy)
	}
	var all float64
	for i := range n {
		for j := range n {
			if i != j {
				all += w(i, j)
			}
		}
	}
	for i := range n {
		for j := range n {
			if i != j {
				sum += p[i*n+j] * math.Log(p[i*n+j]/(w(i, j)/all))
			}
		}
	}
	return sum
}

func TestTSNEKeepsClustersApart(t *testing.T) {
	const n = 120
	x, _, err := pca(clusters(n, 4), 4)
	if err != nil {
		t.Fatal(err)
	}
	y := tsne(x)
	var within, between float64
	for i := range n {
		for j := range i {
			d := math.Hypot(y.At(i, 0)-y.At(j, 0), y.At(i, 1)-y.At(j, 1))
			if (i < n/2) == (j < n/2) {
				within = max(within, d)
			} else if between == 0 || d < between {
				between = d
			}
		}
	}
	var nearest int
	for i := range n {
		best, at := math.Inf(1), 0
		for j := range n {
			if d := math.Hypot(y.At(i, 0)-y.At(j, 0), y.At(i, 1)-y.At(j, 1)); i != j && d < best {
				best, at = d, j
			}
		}
		if (i < n/2) == (at < n/2) {
			nearest++
		}
	}
	if nearest != n || !(between > 0) {
		t.Errorf("%d of %d points have their nearest neighbour in their own cluster (largest distance within %v, smallest between %v)", nearest, n, within, between)
	}
}

func BenchmarkTSNE(b *testing.B) {
	x, _, err := pca(clusters(tsnePoints, 32), tsneDimensions)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		tsne(x)
	}
}
