package gemm_test

import (
	"math"
	"slices"
	"testing"

	"rcvae/internal/gemm"
)

// forQuantizing runs f with every set of kernels that brings rows to eight bits.
func forQuantizing(t *testing.T, f func(t *testing.T)) {
	forEachKernels(t, func(t *testing.T) {
		if !gemm.Quantizes() {
			t.Skip("these kernels leave rows as they are")
		}
		f(t)
	})
}

// quantizedDot is the product of a row and a column in eight bits as it is defined: rows
// are rounded group by group, what that leaves of groups with outliers is rounded again,
// and sums within a group are exact.
//
//go:norace
func quantizedDot(row []float32, values []int8, scales []float32, group int) (sum, magnitude float64) {
	var squares float64
	for _, v := range row {
		squares += float64(v) * float64(v)
	}
	limit := 10 * math.Sqrt(squares/float64(len(row)))
	for g, scale := range scales {
		x, w := slices.Clone(row[g*group:(g+1)*group]), values[g*group:(g+1)*group]
		top := float32(1e-30)
		for _, v := range x {
			top = max(top, v, -v)
		}
		step := top * float32(1./127)
		term := float64(step) * roundedDot(x, w, 127/top, step)
		if float64(top) > limit {
			term += float64(step/254) * roundedDot(x, w, 254/step, step/254)
		}
		term *= float64(scale)
		sum, magnitude = sum+term, magnitude+math.Abs(term)
	}
	return sum, magnitude
}

// roundedDot returns Σ q·w with q = round(x·inverse), and leaves x − step·q in x.
//
//go:norace
func roundedDot(x []float32, w []int8, inverse, step float32) float64 {
	sum := 0
	for i, v := range x {
		q := math.RoundToEven(float64(v * inverse))
		x[i] = float32(float64(v) - float64(step)*q)
		sum += int(q) * int(w[i])
	}
	return float64(sum)
}

// TestQuantizedArithmetic compares with the definition, so that nothing but the rounding of
// float32 sums of groups is left. Magnitudes differ between neighbours as in language models,
// so that some groups have outliers.
func TestQuantizedArithmetic(t *testing.T) {
	forQuantizing(t, func(t *testing.T) {
		r, pool := newRand(), newPool(t, 2)
		for _, s := range []struct{ m, n, k, group int }{
			{1, 1, 32, 32}, {6, 32, 64, 64}, {7, 33, 64, 32}, {12, 64, 128, 64}, {13, 31, 108, 36}, {11, 5, 96, 48}, {530, 40, 832, 32},
		} {
			values, scales, _ := eightBits(r, s.n, s.k, s.group)
			x, got := normals(r, s.m*s.k), make([]float32, s.m*s.n)
			for i := range x {
				x[i] *= float32(math.Exp(r.NormFloat64()))
			}
			pool.MulPacked(s.m, x, s.k, gemm.Pack8(s.k, s.n, values, scales, s.group), got, s.n, false, nil)
			groups := s.k / s.group
			for i, v := range got {
				row, col := i/s.n, i%s.n
				want, magnitude := quantizedDot(x[row*s.k:(row+1)*s.k], values[col*s.k:(col+1)*s.k], scales[col*groups:(col+1)*groups], s.group)
				if d := math.Abs(float64(v) - want); d > 1e-6*magnitude {
					t.Fatalf("%v: C[%d,%d] = %v, want %v", s, row, col, v, want)
				}
			}
		}
	})
}

// Beside an element of 1000, those near 1 would be zero in steps of 1000/127. Rows of one
// tile have theirs in different groups, and none changes another.
func TestQuantizedOutliers(t *testing.T) {
	forQuantizing(t, func(t *testing.T) {
		const m, n, k, group = 8, 40, 512, 32
		r, pool := newRand(), newPool(t, 1)
		values, scales, floats := eightBits(r, n, k, group)
		p := newProblem(r, gemm.NoTrans, gemm.Trans, m, n, k, 0, false)
		p.b, p.tolerance = floats, 0.002
		for l := 0; l < len(values); l += group {
			values[l], floats[l] = 0, 0
		}
		for i := range m {
			p.a[i*k+i*group] = 1000 // meets weights of 0
		}
		for i := range m * n {
			p.reference(i/n, i%n)
		}
		packed := gemm.Pack8(k, n, values, scales, group)
		var together []float32
		p.check(t, "a product with outliers", func(c []float32) {
			pool.MulPacked(m, p.a, k, packed, c, n, false, nil)
			together = c
		})
		for i := range m {
			alone := make([]float32, n)
			pool.MulPacked(1, p.a[i*k:], k, packed, alone, n, false, nil)
			if !slices.Equal(alone, together[i*n:(i+1)*n]) {
				t.Errorf("row %d differs when it is alone", i)
			}
		}
	})
}

// Rows of zeros and rows with the least numbers are not divided by zero, and what is not
// finite does not come out as a number.
func TestQuantizedExtremes(t *testing.T) {
	const k, group, n = 64, 32, 3
	forQuantizing(t, func(t *testing.T) {
		values, scales, _ := eightBits(newRand(), n, k, group)
		packed, pool := gemm.Pack8(k, n, values, scales, group), newPool(t, 1)
		for _, c := range []struct {
			put    float32
			finite bool
		}{{0, true}, {math.SmallestNonzeroFloat32, true}, {-1e-38, true}, {1e30, true}, {float32(math.NaN()), false}, {float32(math.Inf(-1)), false}, {float32(math.Inf(1)), false}} {
			x, got := make([]float32, k), make([]float32, n)
			x[k-1] = c.put
			pool.MulPacked(1, x, k, packed, got, n, false, nil)
			for j, v := range got {
				last := float64(values[j*k+k-1])
				want, finite := float64(c.put)*last*float64(scales[j*k/group+1]), !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0)
				if finite != c.finite || finite && math.Abs(float64(v)-want) > 1e-6*math.Abs(want)+1e-30 {
					t.Errorf("a row that ends in %v: column %d = %v, want %v", c.put, j, v, want)
				}
			}
		}
	})
}
