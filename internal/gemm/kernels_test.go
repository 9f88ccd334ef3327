package gemm_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"rcvae/internal/gemm"
)

// forEachKernels runs f with every implementation that the machine has.
func forEachKernels(t *testing.T, f func(t *testing.T)) {
	for _, name := range gemm.Available() {
		t.Run(name, func(t *testing.T) {
			restore, err := gemm.Force(name)
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			f(t)
		})
	}
}

func TestForce(t *testing.T) {
	if _, err := gemm.Force("mmx"); err == nil || !strings.Contains(err.Error(), "mmx") {
		t.Errorf("Force(mmx) = %v, want an error that names mmx", err)
	}
	before := gemm.Kernels()
	restore, err := gemm.Force("go")
	if err != nil {
		t.Fatal(err)
	}
	if got := gemm.Kernels(); got != "go" {
		t.Errorf("Kernels() = %q, want go", got)
	}
	restore()
	if got := gemm.Kernels(); got != before {
		t.Errorf("after restore Kernels() = %q, want %q", got, before)
	}
	if available := gemm.Available(); available[len(available)-1] != "go" {
		t.Errorf("Available() = %v, want go last", available)
	}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func normals(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

const canary = 12345.5

// guarded returns a copy of x that is followed and preceded by canaries, and a
// function that checks them.
func guarded(t *testing.T, what string, x []float32) ([]float32, func()) {
	t.Helper()
	const margin = 40
	all := make([]float32, len(x)+2*margin)
	for i := range all {
		all[i] = canary
	}
	inside := all[margin : margin+len(x) : margin+len(x)]
	copy(inside, x)
	return inside, func() {
		t.Helper()
		for i, v := range all {
			if (i < margin || i >= margin+len(x)) && v != canary {
				t.Fatalf("%s of %d elements: wrote at index %d", what, len(x), i-margin)
			}
		}
	}
}

// near reports whether got is want up to a relative and absolute tolerance; NaN
// and infinities must be equal.
func near(got float32, want, tolerance float64) bool {
	g := float64(got)
	if math.IsNaN(want) || math.IsInf(want, 0) {
		return math.IsNaN(want) && math.IsNaN(g) || g == want
	}
	return math.Abs(g-want) <= tolerance*max(1, math.Abs(want))
}
