package report

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"rcvae/eval"
)

func near(got, want float64) bool { return math.Abs(got-want) < 1e-9 }

// By hand: one sure and right, two equally sure of which one is right, one unsure and
// wrong.
func TestRiskCoverage(t *testing.T) {
	c := riskCoverage("rule", []outcome{{value: 1, margin: 0.5}, {value: 0, margin: 0.1}, {value: 1, margin: 0.9}, {value: 0, margin: 0.5}})
	if !slices.Equal(c.answered, []float64{0.25, 0.75, 1}) || !near(c.risk[0], 0) || !near(c.risk[1], 1.0/3) || !near(c.risk[2], 0.5) {
		t.Errorf("risk %v at %v", c.risk, c.answered)
	}
	if want := 0.25*0 + 0.5/3 + 0.25*0.5; !near(c.area, want) {
		t.Errorf("area %v, want %v", c.area, want)
	}
}

// The order of the questions does not matter, and full coverage has the risk of all.
func TestRiskCoverageLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	outcomes := make([]outcome, 200)
	var wrong float64
	for i := range outcomes {
		outcomes[i] = outcome{value: float64(rng.IntN(2)), margin: float64(rng.IntN(20)) / 20}
		wrong += 1 - outcomes[i].value
	}
	before := riskCoverage("rule", outcomes)
	rng.Shuffle(len(outcomes), func(i, j int) { outcomes[i], outcomes[j] = outcomes[j], outcomes[i] })
	after := riskCoverage("rule", outcomes)
	if !slices.Equal(before.risk, after.risk) || !near(before.area, after.area) {
		t.Error("the curve depends on the order of the questions")
	}
	if last := len(after.risk) - 1; !near(after.risk[last], wrong/200) || after.answered[last] != 1 {
		t.Errorf("risk %v at full coverage, want %v", after.risk[last], wrong/200)
	}
}

// Votes that are as often right as they say have a small error, others the difference.
func TestCalibration(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	honest, sure := make([]outcome, 20000), make([]outcome, 20000)
	for i := range honest {
		share := rng.Float64()
		right := 0.0
		if rng.Float64() < share {
			right = 1
		}
		honest[i] = outcome{value: right, share: share}
		sure[i] = outcome{value: float64(i % 2), share: 0.9}
	}
	if e := calibration(honest).expectedError; e > 0.02 {
		t.Errorf("honest votes have an error of %v", e)
	}
	if e := calibration(sure).expectedError; !near(e, 0.4) {
		t.Errorf("votes that say 0.9 and are right in half of the cases have an error of %v, want 0.4", e)
	}
	if r := calibration([]outcome{{share: math.NaN()}, {share: 1, value: 1}}); r.n != 1 || r.count[bins-1] != 1 {
		t.Errorf("a rule without votes is counted: %+v", r)
	}
}

// Reference: Newcombe 1998, table I: 81 of 263 and 0 of 20.
func TestWilson(t *testing.T) {
	for _, test := range []struct{ share, n, low, high float64 }{{81.0 / 263, 263, 0.2553, 0.3662}, {0, 20, 0, 0.1611}} {
		if low, high := wilson(test.share, test.n); math.Abs(low-test.low) > 5e-5 || math.Abs(high-test.high) > 5e-5 {
			t.Errorf("wilson(%v, %v) = %v, %v, want %v, %v", test.share, test.n, low, high, test.low, test.high)
		}
	}
}

// By hand: of the pairs (0, 1), (0, 2) the entropy misorders the second, which the column
// puts right, and a candidate without a verdict is in no pair.
func TestMisordered(t *testing.T) {
	d := eval.Details{Candidates: []eval.CandidateDetails{{Verdict: "correct"}, {Verdict: "incorrect"}, {Verdict: "no_answer"}, {Verdict: "ungraded"}}}
	entropy := []float64{2, 1, 3, 9}
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{5, 9, 4, 9}, 1}, {[]float64{5, 0, 6, 0}, 0}, {[]float64{5, 0, 5, 0}, 0.5},
	} {
		if got := misordered(d, test.values, entropy); got != test.want {
			t.Errorf("misordered(%v) = %v, want %v", test.values, got, test.want)
		}
	}
	if got := misordered(d, entropy, nil); !math.IsNaN(got) {
		t.Errorf("without an entropy misordered = %v, want NaN", got)
	}
}

// A budget is kept, and texts go to questions where the rules differ first.
func TestFillKeepsTheBudget(t *testing.T) {
	p := &part{}
	for i := range 30 {
		p.rows = append(p.rows, row{differ: i%3 == 2, correct: i % 2, graded: 2, payload: &payload{bare: "b", texts: "texts"}})
	}
	for budget := range 200 {
		payloads, without := p.fill(budget)
		size, texts, differing := 0, 0, 0
		for i, x := range payloads {
			if x == "texts" {
				size += len(x)
				texts++
				if p.rows[i].differ {
					differing++
				}
			}
		}
		if size > budget || texts+without != 30 || texts != min(budget/5, 30) || differing != min(texts, 10) {
			t.Fatalf("a budget of %d: %d bytes, %d with texts, of these %d differ, %d without", budget, size, texts, differing, without)
		}
	}
}

func TestTicks(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		low := rng.NormFloat64() * math.Pow(10, float64(rng.IntN(7)-3))
		high := low + rng.Float64()*math.Pow(10, float64(rng.IntN(7)-3)) + 1e-6
		got := ticks(low, high, 6)
		if len(got) < 1 || len(got) > 7 || got[0] < low-(high-low)*1e-6 || got[len(got)-1] > high+(high-low)*1e-6 || !slices.IsSorted(got) {
			t.Fatalf("ticks(%v, %v) = %v", low, high, got)
		}
	}
}

// Labels keep their order and their distance.
func TestApart(t *testing.T) {
	places := []float64{10, 11, 12, 90, 99}
	apart(places, 15, 100)
	for i := 1; i < len(places); i++ {
		if places[i]-places[i-1] < 15-1e-9 || places[i] > 100 {
			t.Errorf("labels lie at %v", places)
		}
	}
}

// Every point of a stream is kept with the same chance.
func TestReservoirIsUniform(t *testing.T) {
	r := newReservoir()
	const n = 5 * mapPoints
	for i := range n {
		r.add(point{mu: []float32{float32(i)}})
	}
	var sum float64
	for _, p := range r.points {
		sum += float64(p.mu[0])
	}
	// The mean of 4,000 uniform draws below n has a deviation of n/√(12·4000).
	if mean, sd := sum/mapPoints, n/math.Sqrt(12*mapPoints); len(r.points) != mapPoints || math.Abs(mean-n/2.0) > 4*sd {
		t.Errorf("%d points of mean %v, want %d of %v ± %v", len(r.points), mean, mapPoints, n/2, sd)
	}
}
