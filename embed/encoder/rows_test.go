package encoder

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestToEight: the largest value is kept, every other is within half a step, and values
// without a step are zero.
func TestToEight(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	dst := make([]int8, 32)
	for _, scale := range []float64{0, 1e-45, 1e-40, 1e-30, 1, 1e30} {
		for range 200 {
			values, top := make([]float32, 32), 0.0
			for i := range values {
				values[i] = float32(scale * rng.NormFloat64())
				top = max(top, math.Abs(float64(values[i])))
			}
			clear(dst)
			step := float64(toEight(dst, values))
			if step == 0 {
				if top > 1e-36 {
					t.Fatalf("values up to %g have no step", top)
				}
				continue
			}
			for i, v := range values {
				if d := math.Abs(float64(dst[i])*step - float64(v)); d > step*0.5001 {
					t.Fatalf("value %g is %d steps of %g, %g away", v, dst[i], step, d)
				}
			}
		}
	}
}

// BenchmarkToEight reports how many weights are rounded in a second.
func BenchmarkToEight(b *testing.B) {
	values, dst := make([]float32, 32), make([]int8, 32)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	for b.Loop() {
		toEight(dst, values)
	}
	b.ReportMetric(float64(b.N*len(values))/b.Elapsed().Seconds(), "weights/s")
}
