package gemm_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"rcvae/internal/gemm"
)

// eightBits returns a random (n, k) matrix in eight bits and in float32.
func eightBits(r *rand.Rand, n, k, group int) (values []int8, scales, floats []float32) {
	values, scales, floats = make([]int8, n*k), make([]float32, n*k/group), make([]float32, n*k)
	for i := range scales {
		scales[i] = float32(r.NormFloat64()) / 64
	}
	for i := range values {
		values[i] = int8(r.IntN(256) - 128)
		floats[i] = scales[i/group] * float32(values[i])
	}
	return values, scales, floats
}

// eightTolerance is how far a product of weights in eight bits may be from the reference,
// relative to the sum of its absolute terms: both factors are rounded to bfloat16 by the
// kernels that round, by 2⁻⁹ each. It is 0, for the usual one, with the others, and where
// slack says how far rows in eight bits may be off.
func eightTolerance(group int) float64 {
	if gemm.Rounds() && !quantizes(group) {
		return 1.0 / 256
	}
	return 0
}

// quantizes reports whether rows are brought to eight bits too for weights of a group.
func quantizes(group int) bool { return gemm.Quantizes() && group%4 == 0 && group >= 32 }

// quantizationSlack returns how far each element of a product may be off because elements of
// A are rounded to 254 steps between the largest of their group and its negative: by half
// a step each, as if all were in the direction of the weight.
//
//go:norace
func quantizationSlack(p problem, group int) []float64 {
	slack := make([]float64, p.m*p.n)
	for i := range slack {
		a, b := p.a[i/p.n*p.lda:], p.b[i%p.n*p.ldb:]
		for l := 0; l < p.k; l += group {
			var top, weights float64
			for j := l; j < l+group; j++ {
				top, weights = max(top, math.Abs(float64(a[j]))), weights+math.Abs(float64(b[j]))
			}
			slack[i] += top / 254 * weights * (1 + 1e-5)
		}
	}
	return slack
}

// TestPack8 compares with the product in float64 of the unpacked weights, and to the bit
// between one worker, two, and single rows.
func TestPack8(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		r, one, two := newRand(), newPool(t, 1), newPool(t, 2)
		for _, s := range []struct{ m, n, k, group int }{
			{1, 1, 1, 1}, {5, 7, 16, 16}, {13, 33, 64, 32}, {40, 31, 100, 25}, {3, 70, 384, 384}, {129, 131, 896, 32}, {37, 65, 770, 77},
			{280, 100, 400, 16}, {520, 40, 448, 64}, {700, 33, 131, 131}, {7, 33, 60, 12}, {6, 32, 40, 4}, {25, 70, 1760, 88}, {18, 64, 960, 48}, {1, 100, 36, 36}, {0, 5, 32, 32}, {5, 0, 32, 32}, {600, 96, 1536, 16},
		} {
			values, scales, floats := eightBits(r, s.n, s.k, s.group)
			packed := gemm.Pack8(s.k, s.n, values, scales, s.group)
			for _, accumulate := range []bool{false, true} {
				p := newProblem(r, gemm.NoTrans, gemm.Trans, s.m, s.n, s.k, 0, accumulate)
				p.tolerance = eightTolerance(s.group)
				p.b = floats
				for i := range s.m * s.n {
					p.reference(i/s.n, i%s.n)
				}
				if quantizes(s.group) {
					p.slack = quantizationSlack(p, s.group)
				}
				var results [2][]float32
				for i, pool := range []*gemm.Pool{one, two} {
					p.check(t, "MulPacked in eight bits", func(c []float32) {
						pool.MulPacked(s.m, p.a, p.lda, packed, c, p.ldc, accumulate, nil)
						results[i] = c
					})
				}
				for i, v := range results[0] {
					if v != results[1][i] {
						t.Fatalf("%v: element %d = %v on one worker and %v on two", s, i, v, results[1][i])
					}
				}
				for row := 0; row < s.m && s.n > 0; row += 97 {
					c := append([]float32(nil), p.c[row*p.ldc:row*p.ldc+s.n]...)
					two.MulPacked(1, p.a[row*p.lda:], p.lda, packed, c, s.n, accumulate, nil)
					for j, v := range c {
						if v != results[0][row*p.ldc+j] {
							t.Fatalf("%v: row %d alone has %v at %d, want %v", s, row, v, j, results[0][row*p.ldc+j])
						}
					}
				}
			}
		}
	})
}

// TestPack8EqualsUnpacked: where groups divide the blocks along k, the result is that of
// the unpacked weights to the bit.
func TestPack8EqualsUnpacked(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		r, pool := newRand(), newPool(t, 2)
		for _, s := range []struct{ m, n, k, group int }{{277, 384, 384, 16}, {30, 384, 1536, 32}, {600, 70, 768, 64}} {
			values, scales, floats := eightBits(r, s.n, s.k, s.group)
			x, got, want := normals(r, s.m*s.k), make([]float32, s.m*s.n), make([]float32, s.m*s.n)
			covered := make([]int, s.m*s.n)
			pool.MulPacked(s.m, x, s.k, gemm.Pack(gemm.Trans, s.k, s.n, floats, s.k), want, s.n, false, nil)
			pool.MulPacked(s.m, x, s.k, gemm.Pack8(s.k, s.n, values, scales, s.group), got, s.n, false, func(row, rows, col, cols int) {
				for i := range rows * cols {
					covered[(row+i/cols)*s.n+col+i%cols]++
				}
			})
			for i, v := range got {
				same := v == want[i] || (gemm.Rounds() || gemm.Quantizes()) && math.Abs(float64(v-want[i])) < 0.04*math.Sqrt(float64(s.k))
				if !same || covered[i] != 1 {
					t.Fatalf("%v: element %d = %v, covered %d times by epilogues, want %v and once", s, i, v, covered[i], want[i])
				}
			}
		}
	})
}

func TestPack8Rejects(t *testing.T) {
	for name, f := range map[string]func(){
		"group": func() { gemm.Pack8(10, 1, make([]int8, 10), make([]float32, 3), 4) },
		"size":  func() { gemm.Pack8(10, 2, make([]int8, 19), make([]float32, 4), 5) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
