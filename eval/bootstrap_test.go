package eval

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/stat/combin"
)

// bernoulli draws a table of n questions with one column of chance p each.
func bernoulli(n int, rng *rand.Rand, p ...float64) table {
	t := table{columns: len(p)}
	for range n {
		row := make([]float64, len(p))
		for c := range p {
			if rng.Float64() < p[c] {
				row[c] = 1
			}
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// The interval covers the truth about 95 times in 100.
func TestBootstrapCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const rounds, p = 300, 0.37
	covered, width := 0, 0.0
	for range rounds {
		ci := percentiles(bernoulli(200, rng, p).bootstrap(400, rng)[0])
		if ci[0] <= p && p <= ci[1] {
			covered++
		}
		width += (ci[1] - ci[0]) / rounds
	}
	if share := float64(covered) / rounds; share < 0.91 || share > 0.98 {
		t.Errorf("the interval covers the truth in %v of rounds, want about 0.95", share)
	}
	if want := 2 * 1.96 * math.Sqrt(p*(1-p)/200); math.Abs(width-want) > 0.1*want {
		t.Errorf("mean width = %v, want about %v", width, want)
	}
}

// Columns are resampled together: equal columns have equal resamples.
func TestBootstrapIsPaired(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data := bernoulli(50, rng, 0.5)
	data.columns = 2
	for i, row := range data.rows {
		data.rows[i] = []float64{row[0], row[0]}
	}
	boot := data.bootstrap(100, rng)
	if !reflect.DeepEqual(boot[0], boot[1]) {
		t.Error("equal columns have different resamples")
	}
}

// On all 2ⁿ sign vectors the test is exact: five equal differences give 2/32.
func TestSignFlip(t *testing.T) {
	data := table{columns: 2}
	for range 5 {
		data.rows = append(data.rows, []float64{0, 0.25})
	}
	p := data.signFlip(0, 20000, rand.New(rand.NewPCG(5, 6)))
	if p[0] != 1 {
		t.Errorf("p of a column against itself = %v, want 1", p[0])
	}
	if math.Abs(p[1]-2.0/32) > 0.006 {
		t.Errorf("p = %v, want about %v", p[1], 2.0/32)
	}
}

// Under the null hypothesis p is below 0.05 about once in 20.
func TestSignFlipLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const rounds = 400
	rejected := 0
	for range rounds {
		if bernoulli(80, rng, 0.4, 0.4).signFlip(0, 200, rng)[1] < 0.05 {
			rejected++
		}
	}
	if share := float64(rejected) / rounds; share < 0.015 || share > 0.09 {
		t.Errorf("p < 0.05 in %v of rounds under the null hypothesis, want about 0.05", share)
	}
}

func TestSubsets(t *testing.T) {
	if got, want := subsets(5, 2, 10, 1, 0), combin.Combinations(5, 2); !reflect.DeepEqual(got, want) {
		t.Errorf("subsets(5, 2) of C(5, 2) = %v, want all: %v", got, want)
	}
	a, b, c := subsets(16, 8, 32, 1, 7), subsets(16, 8, 32, 1, 7), subsets(16, 8, 32, 1, 8)
	if !reflect.DeepEqual(a, b) {
		t.Error("one question has different subsets in two calls")
	}
	if reflect.DeepEqual(a, c) {
		t.Error("two questions have the same subsets")
	}
	count := make([]int, 16)
	for _, set := range subsets(16, 8, 8000, 1, 7) {
		for i, x := range set {
			count[x]++
			if i > 0 && set[i-1] >= x {
				t.Fatalf("subset %v is not increasing", set)
			}
		}
	}
	for i, n := range count {
		if n < 3780 || n > 4220 { // five standard deviations of Binomial(8000, ½)
			t.Errorf("candidate %d is in %d of 8000 subsets, want about 4000", i, n)
		}
	}
	for _, tt := range []struct {
		n, k, limit int
		want        bool
	}{{16, 2, 120, true}, {16, 2, 119, false}, {264, 132, 1000, false}, {5, 5, 1, true}} {
		if got := countAtMost(tt.n, tt.k, tt.limit); got != tt.want {
			t.Errorf("countAtMost(%d, %d, %d) = %v, want %v", tt.n, tt.k, tt.limit, got, tt.want)
		}
	}
}
