package cvae_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"rcvae/cvae"
)

// statistics returns those of three questions at random, one of them without a list.
func statistics(seed uint64) cvae.Statistics {
	rng := rand.New(rand.NewPCG(seed, 1))
	s := cvae.Statistics{
		LogVariance: rng.NormFloat64(), LogScale: rng.NormFloat64(), Elements: 9,
		Beta: 0.3, ELBOWeight: 0.7, ListwiseWeight: 1.3,
	}
	for i := range 14 {
		role := cvae.InList | cvae.Role(rng.IntN(2))*cvae.InELBO
		if i > 9 {
			role = cvae.InELBO
		}
		s.Rows = append(s.Rows, cvae.Row{
			Role: role, Correct: i%3 == 0, Elements: 7 + i%3, Square: 9 * rng.Float64(),
			ClassSquare: [2]float64{9 * rng.Float64(), 9 * rng.Float64()}, KL: 3 * rng.Float64(), HalfLogVar: rng.NormFloat64(),
		})
	}
	s.Lists = []cvae.List{{From: 0, To: 4, Weight: 5}, {From: 4, To: 10, Weight: 6}}
	return s
}

// TestLossGradients compares the gradient of every objective's loss by every statistic
// with central differences.
func TestLossGradients(t *testing.T) {
	objectives := []cvae.Objective{pairwise()}
	for _, name := range cvae.Objectives() {
		o, err := cvae.LookupObjective(name)
		if err != nil {
			t.Fatal(err)
		}
		objectives = append(objectives, o)
	}
	for _, o := range objectives {
		t.Run(o.Name, func(t *testing.T) {
			s := statistics(uint64(len(o.Name)))
			loss := o.Loss(s)
			if again := o.Loss(s); !reflect.DeepEqual(again, loss) {
				t.Error("a second call gives another loss: it is not a pure function")
			}
			check := func(name string, x *float64, got float64) {
				t.Helper()
				const h = 1e-5
				old := *x
				*x = old + h
				up := o.Loss(s).Value
				*x = old - h
				want := (up - o.Loss(s).Value) / (2 * h)
				*x = old
				if math.Abs(got-want) > 1e-6*math.Max(1, math.Abs(want)) {
					t.Errorf("gradient by %s = %g, want %g", name, got, want)
				}
			}
			check("ln s²", &s.LogVariance, loss.LogVariance)
			check("α", &s.LogScale, loss.LogScale)
			for i := range s.Rows {
				row, gradient := &s.Rows[i], loss.Rows[i]
				check(fmt.Sprint("square ", i), &row.Square, gradient.Square)
				check(fmt.Sprint("square of class 0 ", i), &row.ClassSquare[0], gradient.ClassSquare[0])
				check(fmt.Sprint("square of class 1 ", i), &row.ClassSquare[1], gradient.ClassSquare[1])
				check(fmt.Sprint("KL ", i), &row.KL, gradient.KL)
				check(fmt.Sprint("½ Σ ln σ² ", i), &row.HalfLogVar, gradient.HalfLogVar)
			}
		})
	}
}
