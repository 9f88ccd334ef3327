package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rcvae/eval/stats"
)

// resample returns the bootstrap of rows, with an id per row unless there are ids.
func resample(t interface {
	Helper()
	Fatal(args ...any)
}, rows [][]float64, ids []string, resamples int, seed uint64,
) *stats.Resampled {
	t.Helper()
	for len(ids) < len(rows) {
		ids = append(ids, fmt.Sprintf("question %04d", len(ids)))
	}
	s, err := stats.NewSample(ids, rows)
	if err != nil {
		t.Fatal(err)
	}
	r, err := stats.Bootstrap{Resamples: resamples, Seed: seed}.Resample(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// bernoulli draws n rows with a column of chance p each.
func bernoulli(n int, rng *rand.Rand, p ...float64) [][]float64 {
	rows := make([][]float64, n)
	for q := range rows {
		for _, p := range p {
			value := 0.0
			if rng.Float64() < p {
				value = 1
			}
			rows[q] = append(rows[q], value)
		}
	}
	return rows
}

// The law of the package: p < 0.05 exactly when the interval excludes 0, for
// differences and for shares, whatever the number of resamples.
func TestIntervalAndPAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SampledFrom([]float64{0, 0, 1, 0.5, 1.0 / 3})
		rows := rapid.SliceOfN(rapid.SliceOfN(value, 3, 3), 1, 30).Draw(t, "rows")
		ids := rapid.SliceOfN(rapid.SampledFrom(strings.Split("abcdefghijklmnopqrst", "")), len(rows), len(rows)).Draw(t, "ids")
		r := resample(t, rows, ids, rapid.IntRange(100, 400).Draw(t, "resamples"), rapid.Uint64().Draw(t, "seed"))
		for name, e := range map[string]stats.Estimate{"mean": r.Mean(0), "difference": r.Difference(1, 0), "share": r.Share(1, 0, 2)} {
			if (e.CI95 == nil) != (e.P == nil) || e.CI95 == nil && len(e.Warnings) == 0 {
				t.Fatalf("%s: interval %v and p %v, warnings %q", name, e.CI95, e.P, e.Warnings)
			}
			if e.CI95 == nil {
				continue
			}
			if excludes := e.CI95[0] > 0 || e.CI95[1] < 0; excludes != (*e.P < 0.05) {
				t.Fatalf("%s: interval %v and p = %v", name, *e.CI95, *e.P)
			}
			if !(e.CI95[0] <= e.CI95[1]) || !(*e.P > 0 && *e.P <= 1) || math.IsInf(e.CI95[0], 0) || math.IsInf(e.CI95[1], 0) {
				t.Fatalf("%s: interval %v and p = %v", name, *e.CI95, *e.P)
			}
		}
	})
}

// A difference that every question has is certain: nothing to resample.
func TestConstantDifference(t *testing.T) {
	rows := make([][]float64, 40)
	for q := range rows {
		rows[q] = []float64{0.5, 1}
	}
	e := resample(t, rows, nil, 2000, 1).Difference(1, 0)
	if e.Value != 0.5 || *e.CI95 != (stats.Interval{0.5, 0.5}) || !near(*e.P, 2.0/2001) {
		t.Errorf("difference = %v %v, p = %v, want 0.5 [0.5, 0.5], p = 2/2001", e.Value, *e.CI95, *e.P)
	}
	e = resample(t, rows, nil, 2000, 1).Difference(1, 1)
	if e.Value != 0 || *e.CI95 != (stats.Interval{}) || *e.P != 1 {
		t.Errorf("difference to itself = %v %v, p = %v, want 0 [0, 0], p = 1", e.Value, *e.CI95, *e.P)
	}
}

// Differences that cancel but for rounding are 0, not significant.
func TestRoundingIsNotSignificant(t *testing.T) {
	tenth := 0.1
	for n := 6; n < 40; n++ {
		rows := make([][]float64, n)
		for q := range rows {
			rows[q] = []float64{tenth + 2*tenth, 0.3} // 0.30000000000000004 in float64
		}
		if e := resample(t, rows, nil, 100, 1).Difference(0, 1); e.Value != 0 || *e.P != 1 {
			t.Errorf("difference of %d questions = %v, p = %v, want 0 and 1", n, e.Value, *e.P)
		}
	}
}

// Neither the order of the questions nor that of a cluster's questions changes a bit.
func TestOrderDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	rows, ids := make([][]float64, 60), make([]string, 60)
	for q := range rows {
		rows[q], ids[q] = []float64{rng.Float64(), rng.Float64(), 1 + rng.Float64()}, fmt.Sprint("id ", rng.IntN(25))
	}
	all := func() []stats.Estimate {
		r := resample(t, rows, ids, 500, 3)
		return []stats.Estimate{r.Mean(0), r.Difference(1, 0), r.Share(1, 0, 2)}
	}
	want := all()
	for range 5 {
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i]; ids[i], ids[j] = ids[j], ids[i] })
		if got := all(); !reflect.DeepEqual(got, want) {
			t.Fatalf("shuffled: %+v, want %+v", got, want)
		}
	}
}

// Asking every question twice adds nothing to know: with one id per question the
// interval stays, while as independent questions it would shrink by √2.
func TestClusters(t *testing.T) {
	rows := bernoulli(100, rand.New(rand.NewPCG(5, 6)), 0.4, 0.5)
	ids := make([]string, len(rows))
	for q := range ids {
		ids[q] = fmt.Sprint("id ", q)
	}
	once := resample(t, rows, ids, 1000, 1).Difference(1, 0)
	twice := resample(t, append(rows, rows...), append(ids, ids...), 1000, 1).Difference(1, 0)
	if *once.CI95 != *twice.CI95 || *once.P != *twice.P || twice.N != 200 || twice.Clusters != 100 {
		t.Errorf("twice: %+v, want the interval and p of %+v", twice, once)
	}
	apart := resample(t, append(rows, rows...), nil, 1000, 1).Difference(1, 0)
	if got, want := (apart.CI95[1]-apart.CI95[0])/(once.CI95[1]-once.CI95[0]), 1/math.Sqrt2; math.Abs(got-want) > 0.1 {
		t.Errorf("independent questions shrink the interval to %v of it, want about %v", got, want)
	}
}

func TestTooFewClusters(t *testing.T) {
	rows := bernoulli(40, rand.New(rand.NewPCG(5, 6)), 0.4, 0.5, 0.9)
	r := resample(t, rows, strings.Split(strings.Repeat("abcde", 8), ""), 100, 1)
	for _, e := range []stats.Estimate{r.Mean(0), r.Difference(1, 0), r.Share(1, 0, 2)} {
		if e.CI95 != nil || e.P != nil || !strings.Contains(strings.Join(e.Warnings, ""), "5 questions: at least 6 are needed") {
			t.Errorf("five questions: %+v, want neither interval nor p", e)
		}
	}
}

func TestShare(t *testing.T) {
	rows := make([][]float64, 60)
	for q := range rows {
		rows[q] = []float64{0, float64(q % 2), 1, 0}
	}
	r := resample(t, rows, nil, 400, 1)
	if e := r.Share(1, 0, 2); e.Value != 0.5 || !(e.CI95[0] > 0.3 && e.CI95[0] < 0.5 && e.CI95[1] > 0.5 && e.CI95[1] < 0.7) {
		t.Errorf("share = %+v, want 0.5 within its interval", e)
	}
	if e := r.Share(1, 0, 3); !math.IsNaN(e.Value) || e.CI95 != nil || e.P != nil || len(e.Warnings) == 0 {
		t.Errorf("share of no gap = %+v, want it undefined", e)
	}
	if e := r.Share(1, 2, 0); !math.IsNaN(e.Value) {
		t.Errorf("share of a negative gap = %+v, want it undefined", e)
	}
}

// The interval covers the truth about 95 times in 100, with the width of theory.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const rounds, p = 300, 0.37
	covered, width := 0, 0.0
	for round := range rounds {
		ci := resample(t, bernoulli(200, rng, p), nil, 400, uint64(round)).Mean(0).CI95
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

// Under the null hypothesis p is below 0.05 about once in 20.
func TestLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const rounds = 400
	rejected := 0
	for round := range rounds {
		if *resample(t, bernoulli(80, rng, 0.4, 0.4), nil, 200, uint64(round)).Difference(1, 0).P < 0.05 {
			rejected++
		}
	}
	if share := float64(rejected) / rounds; share < 0.015 || share > 0.09 {
		t.Errorf("p < 0.05 in %v of rounds under the null hypothesis, want about 0.05", share)
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		ids  []string
		rows [][]float64
	}{
		"none":    {nil, nil},
		"ids":     {[]string{"a"}, [][]float64{{1}, {2}}},
		"columns": {[]string{"a", "b"}, [][]float64{{1}, {2, 3}}},
		"NaN":     {[]string{"a"}, [][]float64{{math.NaN()}}},
	} {
		if _, err := stats.NewSample(tt.ids, tt.rows); err == nil {
			t.Errorf("%s: NewSample() succeeds, want an error", name)
		}
	}
	s, err := stats.NewSample([]string{"a"}, [][]float64{{1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (stats.Bootstrap{Resamples: 99}).Resample(s); err == nil {
		t.Error("Resample() with 99 resamples succeeds, want an error")
	}
}
