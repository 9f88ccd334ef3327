package gemm_test

import (
	"math"
	"testing"

	"rcvae/internal/gemm"
)

// roundingTolerance bounds the error of a product of rounded factors, relative to the sum of
// its absolute terms: each factor is off by 2⁻⁹ at most, so a term by 2⁻⁸ + 2⁻¹⁸.
const roundingTolerance = 1.0/256 + 1.0/(1<<18) + 1e-6

// TestMulBF16 compares with the product in float64, and to the bit between one worker, two,
// and single rows.
func TestMulBF16(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		r, one, two := newRand(), newPool(t, 1), newPool(t, 2)
		for _, s := range [][3]int{
			{1, 1, 1}, {5, 7, 3}, {13, 33, 64}, {12, 32, 17}, {40, 31, 101}, {129, 131, 67}, {513, 33, 65}, {520, 65, 31},
			{37, 300, 641}, {265, 40, 385}, {61, 129, 769}, {1, 700, 900}, {700, 1, 901}, {4, 5, 0}, {0, 5, 4}, {5, 0, 4},
		} {
			for i := range 8 {
				if raceEnabled && (i+s[0])%4 != 0 {
					continue
				}
				p := newProblem(r, i&1 == 1, i&2 == 2, s[0], s[1], s[2], i%3, i&4 == 4)
				p.tolerance = roundingTolerance
				var results [2][]float32
				for w, pool := range []*gemm.Pool{one, two} {
					p.check(t, "MulBF16", func(c []float32) {
						pool.MulBF16(p.opA, p.opB, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, c, p.ldc, p.accumulate, nil)
						results[w] = c
					})
				}
				for at, v := range results[0] {
					if v != results[1][at] {
						t.Fatalf("%v: element %d = %v on one worker and %v on two", &p, at, v, results[1][at])
					}
				}
			}
		}
	})
}

// TestMulBF16Rounds checks values whose rounding is known: one factor is 1, so that C is the
// other as bfloat16. What is halfway goes to the even neighbour.
func TestMulBF16Rounds(t *testing.T) {
	const ulp = 1.0 / 128 // of bfloat16 between 1 and 2
	cases := [][2]float32{
		{1, 1}, {1 + ulp, 1 + ulp}, {1 + 0.49*ulp, 1}, {1 + 0.51*ulp, 1 + ulp}, {1 + 0.5*ulp, 1}, {1 + 1.5*ulp, 1 + 2*ulp}, {-1 - 1.5*ulp, -1 - 2*ulp},
		{0, 0}, {3e38, 0x1.c4p127}, {float32(math.Inf(1)), float32(math.Inf(1))}, {float32(math.NaN()), float32(math.NaN())},
	}
	forEachKernels(t, func(t *testing.T) {
		pool := newPool(t, 1)
		for _, v := range cases {
			one, c := []float32{1}, []float32{0}
			for name, factors := range map[string][2][]float32{"A": {{v[0]}, one}, "B": {one, {v[0]}}} {
				pool.MulBF16(false, false, 1, 1, 1, factors[0], 1, factors[1], 1, c, 1, false, nil)
				if !near(c[0], float64(v[1]), 0) {
					t.Errorf("%v as element of %s becomes %v, want %v", v[0], name, c[0], v[1])
				}
			}
		}
	})
}

// TestMulBF16Epilogue checks that the blocks are finished, disjoint and cover C.
func TestMulBF16Epilogue(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		r, pool := newRand(), newPool(t, 2)
		for _, s := range [][3]int{{3, 5, 7}, {130, 310, 401}, {600, 70, 41}, {9, 8, 0}} {
			m, n, k := s[0], s[1], s[2]
			p := newProblem(r, false, false, m, n, k, 0, false)
			p.tolerance = roundingTolerance
			for i := range p.want {
				p.want[i] += 100
			}
			p.check(t, "MulBF16", func(c []float32) {
				pool.MulBF16(false, false, m, n, k, p.a, k, p.b, n, c, n, false, func(row, rows, col, cols int) {
					for i := range rows * cols {
						c[(row+i/cols)*n+col+i%cols] += 100
					}
				})
			})
		}
	})
}
