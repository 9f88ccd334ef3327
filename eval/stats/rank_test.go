package stats_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"rcvae/eval/stats"
)

func near(got, want float64) bool { return math.Abs(got-want) < 1e-9 }

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
		if got := stats.AUROC(tt.scores, tt.correct); got != tt.want {
			t.Errorf("%s: AUROC() = %v, want %v", tt.name, got, tt.want)
		}
	}
	if got := stats.AUROC([]float64{1, 2}, []bool{true, true}); !math.IsNaN(got) {
		t.Errorf("AUROC() without incorrect ones = %v, want NaN", got)
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
		if got := stats.Spearman(tt.x, tt.y); !near(got, tt.want) {
			t.Errorf("%s: Spearman() = %v, want %v", tt.name, got, tt.want)
		}
	}
	if got := stats.Spearman([]float64{1, 1}, []float64{1, 2}); !math.IsNaN(got) {
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
		a, b := stats.Spearman(x, y), stats.Spearman(stretched, y)
		if a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
			t.Fatalf("Spearman = %v, stretched %v", a, b)
		}
		a, b = stats.AUROC(x, correct), stats.AUROC(stretched, correct)
		if a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
			t.Fatalf("AUROC = %v, stretched %v", a, b)
		}
	})
}
