package stats_test

import (
	"math"
	"math/big"
	"testing"

	"gonum.org/v1/gonum/stat/combin"
	"pgregory.net/rapid"

	"rcvae/eval/stats"
)

// PassAtK is the share of subsets of size k that hold a correct candidate.
func TestPassAtKByEnumeration(t *testing.T) {
	for n := 1; n <= 7; n++ {
		for c := 0; c <= n; c++ {
			for k := 1; k <= n; k++ {
				sets := combin.Combinations(n, k)
				hits := 0
				for _, set := range sets {
					if set[0] < c { // the first c are correct, and sets are increasing
						hits++
					}
				}
				if got, want := stats.PassAtK(n, c, k), float64(hits)/float64(len(sets)); !near(got, want) {
					t.Errorf("PassAtK(%d, %d, %d) = %v, want %v", n, c, k, got, want)
				}
			}
		}
	}
	if got := stats.PassAtK(3, 1, 4); !math.IsNaN(got) {
		t.Errorf("PassAtK(3, 1, 4) = %v, want NaN", got)
	}
}

// enumerate is [stats.MajorityAtK] by looking at every subset.
func enumerate(classes []stats.Class, silent, k int) float64 {
	var class []int
	for a, c := range classes {
		for range c.Size {
			class = append(class, a)
		}
	}
	sets := combin.Combinations(len(class)+silent, k)
	var sum float64
	for _, set := range sets {
		votes := make([]int, len(classes))
		most := 0
		for _, i := range set {
			if i < len(class) {
				votes[class[i]]++
				most = max(most, votes[class[i]])
			}
		}
		var value, ties float64
		for a, v := range votes {
			if v == most && most > 0 {
				value += classes[a].Value
				ties++
			}
		}
		sum += value / max(ties, 1)
	}
	return sum / float64(len(sets))
}

func TestMajorityAtKByEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var classes []stats.Class
		n := rapid.IntRange(0, 3).Draw(t, "silent")
		silent := n
		for range rapid.IntRange(0, 4).Draw(t, "classes") {
			c := stats.Class{Size: rapid.IntRange(0, 3).Draw(t, "size"), Value: rapid.SampledFrom([]float64{0, 1, 1.0 / 3}).Draw(t, "value")}
			classes = append(classes, c)
			n += c.Size
		}
		if n == 0 {
			t.Skip("no candidates")
		}
		k := rapid.IntRange(1, n).Draw(t, "k")
		if got, want := stats.MajorityAtK(classes, silent, k), enumerate(classes, silent, k); !near(got, want) {
			t.Fatalf("MajorityAtK(%v, %d, %d) = %v, want %v", classes, silent, k, got, want)
		}
	})
}

func TestMajorityAtKBorders(t *testing.T) {
	for name, tt := range map[string]struct {
		classes   []stats.Class
		silent, k int
		want      float64
	}{
		"nobody votes":      {nil, 3, 2, 0},
		"one vote is drawn": {[]stats.Class{{Size: 1, Value: 1}}, 3, 1, 0.25},
		"one draw is mean":  {[]stats.Class{{Size: 300, Value: 1}, {Size: 700, Value: 0}}, 0, 1, 0.3},
		"all":               {[]stats.Class{{Size: 20, Value: 1}, {Size: 20, Value: 0}, {Size: 19, Value: 1}}, 5, 64, 0.5},
		"all of 20,000":     {[]stats.Class{{Size: 9000, Value: 1}, {Size: 9000, Value: 0.5}}, 2000, 20000, 0.75},
		"k of 0":            {[]stats.Class{{Size: 1, Value: 1}}, 0, 0, math.NaN()},
		"k too large":       {[]stats.Class{{Size: 1, Value: 1}}, 1, 3, math.NaN()},
	} {
		got := stats.MajorityAtK(tt.classes, tt.silent, tt.k)
		if !near(got, tt.want) && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
			t.Errorf("%s: MajorityAtK() = %v, want %v", name, got, tt.want)
		}
	}
}

// TestMajorityAtKOfManyCandidates: more draws than a float64 can count, of two answers,
// against the exact tail of the hypergeometric distribution.
func TestMajorityAtKOfManyCandidates(t *testing.T) {
	const right, wrong, k = 5100, 4900, 200
	ways := func(n, k int64) *big.Int { return new(big.Int).Binomial(n, k) }
	wins := new(big.Int) // twice the draws that the right answer wins; a tie counts half
	for x := int64(k / 2); x <= k; x++ {
		draws := new(big.Int).Mul(ways(right, x), ways(wrong, k-x))
		if x > k/2 {
			draws.Lsh(draws, 1)
		}
		wins.Add(wins, draws)
	}
	want, _ := new(big.Rat).SetFrac(wins, new(big.Int).Lsh(ways(right+wrong, k), 1)).Float64()
	got := stats.MajorityAtK([]stats.Class{{Size: right, Value: 1}, {Size: wrong, Value: 0}}, 0, k)
	if !(math.Abs(got-want) <= 1e-9) { // also if it is NaN
		t.Errorf("MajorityAtK() = %v, want %v", got, want)
	}
}

func BenchmarkMajorityAtK(b *testing.B) {
	classes := []stats.Class{{Size: 5, Value: 1}, {Size: 4}, {Size: 2}, {Size: 1}, {Size: 1}, {Size: 1}, {Size: 1}}
	for b.Loop() {
		stats.MajorityAtK(classes, 1, 8)
	}
}
