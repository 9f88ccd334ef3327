package gemm_test

import (
	"math"
	"testing"

	"rcvae/internal/gemm"
)

// lengths covers whole, unrolled and partial vectors.
func lengths() []int {
	var n []int
	for i := range 140 {
		n = append(n, i)
	}
	return append(n, 384, 1000)
}

// checkVectors compares a loop over several slices with its float64 definition.
// want gets element i of all slices and returns the new element of slice out.
func checkVectors(t *testing.T, name string, slices, out int, tolerance float64, run func(x [][]float32), want func(v []float64) float64) {
	t.Helper()
	r := newRand()
	for _, n := range lengths() {
		var before, x [][]float32
		var intact []func()
		for range slices {
			b := normals(r, n)
			g, f := guarded(t, name, b)
			before, x, intact = append(before, b), append(x, g), append(intact, f)
		}
		run(x)
		for _, f := range intact {
			f()
		}
		v := make([]float64, slices)
		for i := range n {
			for j := range v {
				v[j] = float64(before[j][i])
				if j != out && x[j][i] != before[j][i] {
					t.Fatalf("%s of %d elements: input %d changed at %d", name, n, j, i)
				}
			}
			if w := want(v); !near(x[out][i], w, tolerance) {
				t.Fatalf("%s of %d elements: element %d of %v = %v, want %v", name, n, i, v, x[out][i], w)
			}
		}
	}
}

func gelu(y float64) float64 { return y / 2 * math.Erfc(-y/math.Sqrt2) }

func TestElementwise(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		checkVectors(t, "AddBias", 2, 0, 1e-6, func(x [][]float32) { gemm.AddBias(x[0], x[1]) },
			func(v []float64) float64 { return v[0] + v[1] })
		checkVectors(t, "AddBiasReLU", 2, 0, 1e-6, func(x [][]float32) { gemm.AddBiasReLU(x[0], x[1]) },
			func(v []float64) float64 { return max(0, v[0]+v[1]) })
		checkVectors(t, "AddBiasGELU", 2, 0, 2e-6, func(x [][]float32) { gemm.AddBiasGELU(x[0], x[1]) },
			func(v []float64) float64 { return gelu(v[0] + v[1]) })
		checkVectors(t, "SiLUTimes", 2, 0, 1e-6, func(x [][]float32) { gemm.SiLUTimes(x[0], x[1]) },
			func(v []float64) float64 { return v[1] * v[0] / (1 + math.Exp(-v[0])) })
		checkVectors(t, "Exp", 2, 0, 3e-7, func(x [][]float32) { gemm.Exp(x[0], x[1]) },
			func(v []float64) float64 { return math.Exp(v[1]) })
		checkVectors(t, "Axpy", 2, 1, 1e-6, func(x [][]float32) { gemm.Axpy(0.75, x[0], x[1]) },
			func(v []float64) float64 { return 0.75*v[0] + v[1] })
		checkVectors(t, "Scale", 1, 0, 1e-6, func(x [][]float32) { gemm.Scale(-1.5, x[0]) },
			func(v []float64) float64 { return -1.5 * v[0] })
		checkVectors(t, "ReLUGrad", 2, 0, 0, func(x [][]float32) { gemm.ReLUGrad(x[0], x[1]) },
			func(v []float64) float64 {
				if v[1] <= 0 {
					return 0
				}
				return v[0]
			})
	})
}

func TestReductions(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		r := newRand()
		for _, n := range lengths() {
			x, y := normals(r, n), normals(r, n)
			var dot, scale, squares float64
			for i := range x {
				dot += float64(x[i]) * float64(y[i])
				scale += math.Abs(float64(x[i]) * float64(y[i]))
				squares += float64(x[i]) * float64(x[i])
			}
			if got := gemm.Dot(x, y); math.Abs(float64(got)-dot) > 1e-6*(1+scale) {
				t.Fatalf("Dot of %d elements = %v, want %v", n, got, dot)
			}
			if got := gemm.SumSquares(x); math.Abs(got-squares) > 1e-12*(1+squares) {
				t.Fatalf("SumSquares of %d elements = %v, want %v", n, got, squares)
			}
		}
	})
}

func TestLayerNorm(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		r := newRand()
		for _, n := range lengths()[1:] {
			x, residual, bias, gamma, beta := normals(r, n), normals(r, n), normals(r, n), normals(r, n), normals(r, n)
			sum := make([]float64, n)
			for i := range x {
				x[i] += 3
				sum[i] = float64(x[i]) + float64(residual[i]) + float64(bias[i])
			}
			got, intact := guarded(t, "AddLayerNorm", x)
			gemm.AddLayerNorm(got, residual, bias, gamma, beta, 1e-5)
			intact()
			compareNorm(t, "AddLayerNorm", got, sum, gamma, beta)
			for i := range x {
				sum[i] = float64(x[i])
			}
			got, intact = guarded(t, "LayerNorm", x)
			gemm.LayerNorm(got, gamma, beta, 1e-5)
			intact()
			compareNorm(t, "LayerNorm", got, sum, gamma, beta)
		}
	})
}

func compareNorm(t *testing.T, name string, got []float32, x []float64, gamma, beta []float32) {
	t.Helper()
	var mean, variance float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	// Where the row is almost constant, rounding of the input is what is normalised.
	tolerance := 2e-6 * (1 + 3/math.Sqrt(variance+1e-5))
	for i, v := range x {
		want := float64(gamma[i])*(v-mean)/math.Sqrt(variance+1e-5) + float64(beta[i])
		if !near(got[i], want, tolerance*(1+math.Abs(float64(gamma[i])))) {
			t.Fatalf("%s of %d elements: element %d = %v, want %v", name, len(x), i, got[i], want)
		}
	}
}

func TestSoftmax(t *testing.T) {
	inf := float32(math.Inf(1))
	forEachKernels(t, func(t *testing.T) {
		r := newRand()
		for _, n := range lengths() {
			x := normals(r, n)
			for i := range x {
				x[i] = x[i]*20 + 300
				if i%5 == 1 {
					x[i] = -inf
				}
			}
			var sum float64
			for _, v := range x {
				sum += math.Exp(float64(v) - 300)
			}
			got, intact := guarded(t, "Softmax", x)
			gemm.Softmax(got)
			intact()
			for i, v := range x {
				want := math.Exp(float64(v)-300) / sum
				if math.Abs(float64(got[i])-want) > 1e-6*want+1e-30 {
					t.Fatalf("Softmax of %d elements: element %d = %v, want %v", n, i, got[i], want)
				}
			}
		}
		for name, x := range map[string][]float32{"NaN": {1, float32(math.NaN()), 2}, "all -Inf": {-inf, -inf}, "+Inf": {inf, 1}} {
			gemm.Softmax(x)
			for _, v := range x {
				if v == v && v != 0 {
					t.Errorf("Softmax with %s = %v, want NaN", name, x)
				}
			}
		}
	})
}

func TestExpRange(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		var src []float32
		for x := -110.0; x <= 95; x += 0.0371 {
			src = append(src, float32(x))
		}
		src = append(src, 0, float32(math.Copysign(0, -1)), 88.72283, 88.72284, 89, -87.33654, -103.97208, -104, 1e30, -1e30,
			float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.MaxFloat32, math.SmallestNonzeroFloat32)
		dst := make([]float32, len(src))
		gemm.Exp(dst, src)
		for i, x := range src {
			want := math.Exp(float64(x))
			if want > math.MaxFloat32*(1+1e-7) {
				want = math.Inf(1)
			}
			smallest := float64(math.SmallestNonzeroFloat32)
			if g := float64(dst[i]); !near(dst[i], want, 0) && !(math.Abs(g-want) <= 3e-7*want+smallest) {
				t.Errorf("Exp(%v) = %v, want %v", x, g, want)
			}
		}
		gemm.Exp(src, src)
		for i := range src {
			if src[i] != dst[i] && src[i] == src[i] {
				t.Fatalf("Exp in place differs at %d: %v, want %v", i, src[i], dst[i])
			}
		}
	})
}

func TestGELURange(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		var x []float32
		for y := -20.0; y <= 20; y += 0.000371 {
			x = append(x, float32(y))
		}
		x = append(x, 0, -1e30, 1e30, float32(math.Inf(1)), float32(math.NaN()), -5e5)
		y := append([]float32(nil), x...)
		gemm.AddBiasGELU(y, make([]float32, len(y)))
		worst := 0.0
		for i, v := range x {
			want := gelu(float64(v))
			if !near(y[i], want, 2e-6) {
				t.Fatalf("AddBiasGELU(%v) = %v, want %v", v, y[i], want)
			}
			if math.Abs(want) < 20 {
				worst = max(worst, math.Abs(float64(y[i])-want))
			}
		}
		if worst > 2e-6 {
			t.Errorf("largest error of AddBiasGELU on [-20, 20] is %v, want below 2e-6", worst)
		}
		low := []float32{float32(math.Inf(-1))}
		gemm.AddBiasGELU(low, []float32{0})
		if math.Abs(float64(low[0])) > 2e-6 {
			t.Errorf("AddBiasGELU(-Inf) = %v, want 0", low[0])
		}
	})
}

func TestReLUKeepsNaN(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		x := make([]float32, 37)
		for i := range x {
			x[i] = float32(math.NaN())
		}
		gemm.AddBiasReLU(x, make([]float32, len(x)))
		for i, v := range x {
			if v == v {
				t.Fatalf("AddBiasReLU(NaN) = %v at %d, want NaN", v, i)
			}
		}
	})
}

func TestAdam(t *testing.T) {
	step := gemm.AdamStep{LR: 0.01, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.05, Correction1: 0.19, Correction2: 0.001999, GradScale: 0.5}
	forEachKernels(t, func(t *testing.T) {
		r := newRand()
		for _, n := range lengths() {
			start := [][]float32{normals(r, n), normals(r, n), normals(r, n), normals(r, n)}
			var x [][]float32
			var intact []func()
			for j := range start {
				for i := range start[j] {
					if j == 3 {
						start[j][i] *= start[j][i]
					}
				}
				g, f := guarded(t, "Adam", start[j])
				x, intact = append(x, g), append(intact, f)
			}
			gemm.Adam(step, x[0], x[1], x[2], x[3])
			for i := range n {
				f := func(v float32) float64 { return float64(v) }
				g := f(step.GradScale) * f(start[1][i])
				m := f(step.Beta1)*f(start[2][i]) + (1-f(step.Beta1))*g
				v := f(step.Beta2)*f(start[3][i]) + (1-f(step.Beta2))*g*g
				p := f(start[0][i])*(1-f(step.LR)*f(step.WeightDecay)) - f(step.LR)*(m/f(step.Correction1))/(math.Sqrt(v/f(step.Correction2))+f(step.Epsilon))
				if !near(x[0][i], p, 1e-6) || !near(x[2][i], m, 1e-6) || !near(x[3][i], v, 1e-6) || x[1][i] != start[1][i] {
					t.Fatalf("Adam of %d elements at %d: param %v, m %v, v %v, want %v, %v, %v", n, i, x[0][i], x[2][i], x[3][i], p, m, v)
				}
			}
			for _, f := range intact {
				f()
			}
		}
	})
}

func TestVectorsDoNotAllocate(t *testing.T) {
	x, y, z, w := make([]float32, 99), make([]float32, 99), make([]float32, 99), make([]float32, 99)
	if got := testing.AllocsPerRun(10, func() {
		gemm.AddBias(x, y)
		gemm.AddLayerNorm(x, y, z, w, w, 1e-5)
		gemm.Softmax(x)
		gemm.Adam(gemm.AdamStep{Correction1: 1, Correction2: 1}, x, y, z, w)
	}); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
