package eval_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/combin"
	"pgregory.net/rapid"

	"rcvae/eval"
)

func near(got, want float64) bool { return math.Abs(got-want) < 1e-9 }

// Small tables by hand: 2·Σ C(n, i)/2ⁿ.
func TestMcNemar(t *testing.T) {
	for _, tt := range []struct {
		b, c int
		want float64
	}{
		{0, 0, 1}, {1, 0, 1}, {0, 5, 0.0625}, {6, 0, 0.03125}, {1, 9, 22.0 / 1024}, {3, 3, 1}, {2, 8, 112.0 / 1024},
		{4, 6, 2 * 386.0 / 1024},
	} {
		if got := eval.McNemar(tt.b, tt.c); !near(got, tt.want) {
			t.Errorf("McNemar(%d, %d) = %v, want %v", tt.b, tt.c, got, tt.want)
		}
		if got, mirrored := eval.McNemar(tt.b, tt.c), eval.McNemar(tt.c, tt.b); got != mirrored {
			t.Errorf("McNemar(%d, %d) = %v, mirrored %v", tt.b, tt.c, got, mirrored)
		}
	}
}

// PassAtK is the share of subsets of size k that hold a right sample.
func TestPassAtKByEnumeration(t *testing.T) {
	for n := 1; n <= 7; n++ {
		for c := 0; c <= n; c++ {
			for k := 1; k <= n; k++ {
				sets := combin.Combinations(n, k)
				hits := 0
				for _, set := range sets {
					if set[0] < c { // the first c are right, and sets are increasing
						hits++
					}
				}
				if got, want := eval.PassAtK(n, c, k), float64(hits)/float64(len(sets)); !near(got, want) {
					t.Errorf("PassAtK(%d, %d, %d) = %v, want %v", n, c, k, got, want)
				}
			}
		}
	}
	if got := eval.PassAtK(3, 1, 4); !math.IsNaN(got) {
		t.Errorf("PassAtK(3, 1, 4) = %v, want NaN", got)
	}
}

func TestAUROC(t *testing.T) {
	for _, tt := range []struct {
		name    string
		scores  []float64
		correct []bool
		want    float64
	}{
		{"perfect", []float64{1, 2, 3}, []bool{false, false, true}, 1},
		{"reversed", []float64{3, 2, 1}, []bool{false, false, true}, 0},
		{"ties", []float64{1, 1, 1}, []bool{false, true, true}, 0.5},
		{"three of four pairs", []float64{1, 2, 3, 4}, []bool{false, true, false, true}, 0.75},
		{"a tie and a win", []float64{1, 2, 2}, []bool{false, false, true}, 0.75},
	} {
		if got := eval.AUROC(tt.scores, tt.correct); got != tt.want {
			t.Errorf("%s: AUROC() = %v, want %v", tt.name, got, tt.want)
		}
	}
	if got := eval.AUROC([]float64{1, 2}, []bool{true, true}); !math.IsNaN(got) {
		t.Errorf("AUROC() without wrong ones = %v, want NaN", got)
	}
}

func TestSpearman(t *testing.T) {
	for _, tt := range []struct {
		name string
		x, y []float64
		want float64
	}{
		{"monotone", []float64{1, 2, 3}, []float64{1, 10, 100}, 1},
		{"reversed", []float64{1, 2, 3}, []float64{3, 2, 1}, -1},
		{"one swap: 1 − 6·2/(4·15)", []float64{1, 2, 3, 4}, []float64{2, 1, 3, 4}, 0.8},
		{"ties: ranks 1, 2.5, 2.5, 4 against 1 … 4", []float64{1, 2, 2, 3}, []float64{1, 2, 3, 4}, 4.5 / math.Sqrt(4.5*5)},
	} {
		if got := eval.Spearman(tt.x, tt.y); !near(got, tt.want) {
			t.Errorf("%s: Spearman() = %v, want %v", tt.name, got, tt.want)
		}
	}
	if got := eval.Spearman([]float64{1, 1}, []float64{1, 2}); !math.IsNaN(got) {
		t.Errorf("Spearman() of a constant = %v, want NaN", got)
	}
}

// Spearman and AUROC see ranks only.
func TestRankStatisticsAreMonotoneInvariant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-5, 5), 2, 20).Draw(t, "x")
		y := rapid.SliceOfN(rapid.Float64Range(-5, 5), len(x), len(x)).Draw(t, "y")
		correct := rapid.SliceOfN(rapid.Bool(), len(x), len(x)).Draw(t, "correct")
		stretched := make([]float64, len(x))
		for i := range x {
			stretched[i] = x[i]*1024 + 1 // exact enough to keep the order
		}
		for i := range x {
			for j := range x {
				if (x[i] < x[j]) != (stretched[i] < stretched[j]) {
					t.Skip("order lost to rounding")
				}
			}
		}
		a, b := eval.Spearman(x, y), eval.Spearman(stretched, y)
		if a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
			t.Fatalf("Spearman = %v, stretched %v", a, b)
		}
		a, b = eval.AUROC(x, correct), eval.AUROC(stretched, correct)
		if a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
			t.Fatalf("AUROC = %v, stretched %v", a, b)
		}
	})
}
