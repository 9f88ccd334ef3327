package gemm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"rcvae/internal/gemm"
)

// problem is a product with its float64 reference.
type problem struct {
	opA, opB      gemm.Op
	m, n, k       int
	a, b, c       []float32 // c before the product
	lda, ldb, ldc int
	accumulate    bool
	want, scale   []float64 // (m, n): C, and the sum of the absolute terms
	tolerance     float64   // relative to scale; 0: the usual
	slack         []float64 // (m, n): what the element may be off beside; nil for none
}

func newProblem(r *rand.Rand, opA, opB gemm.Op, m, n, k, gap int, accumulate bool) problem {
	p := problem{opA: opA, opB: opB, m: m, n: n, k: k, lda: k + gap, ldb: n + gap, ldc: n + gap, accumulate: accumulate}
	rowsA, rowsB := m, k
	if opA == gemm.Trans {
		p.lda, rowsA = m+gap, k
	}
	if opB == gemm.Trans {
		p.ldb, rowsB = k+gap, n
	}
	// No element after the last one that counts: reads beyond it end in a fault or in a NaN.
	p.a, p.b = normals(r, max(0, rowsA*p.lda-gap)), normals(r, max(0, rowsB*p.ldb-gap))
	p.c = normals(r, max(0, m*p.ldc-gap))
	p.want, p.scale = make([]float64, m*n), make([]float64, m*n)
	for i := range m {
		for j := range n {
			p.reference(i, j)
		}
	}
	return p
}

// reference sets element (i, j) of want.
//
//go:norace
func (p *problem) reference(i, j int) {
	var sum, scale float64
	if p.accumulate {
		sum = float64(p.c[i*p.ldc+j])
	}
	for l := range p.k {
		at, bt := i*p.lda+l, l*p.ldb+j
		if p.opA == gemm.Trans {
			at = l*p.lda + i
		}
		if p.opB == gemm.Trans {
			bt = j*p.ldb + l
		}
		term := float64(p.a[at]) * float64(p.b[bt])
		sum += term
		scale += math.Abs(term)
	}
	p.want[i*p.n+j], p.scale[i*p.n+j] = sum, scale
}

// check runs the product and compares all of C, and what lies between its rows.
func (p *problem) check(t *testing.T, name string, run func(c []float32)) {
	t.Helper()
	c, intact := guarded(t, name, p.c)
	run(c)
	intact()
	for i, v := range c {
		row, col := i/p.ldc, i%p.ldc
		if col >= p.n {
			if v != p.c[i] {
				t.Fatalf("%s %v: wrote between rows, at (%d, %d)", name, p, row, col)
			}
			continue
		}
		want := p.want[row*p.n+col]
		slack := 0.0
		if p.slack != nil {
			slack = p.slack[row*p.n+col]
		}
		if d := math.Abs(float64(v) - want); !(d <= slack+max(1e-6, p.tolerance)*(2+p.scale[row*p.n+col])) {
			t.Fatalf("%s %v: C[%d,%d] = %v, want %v", name, p, row, col, v, want)
		}
	}
}

func (p *problem) String() string {
	return fmt.Sprintf("(m %d, n %d, k %d, transposed %v %v, accumulate %v, ldc %d)", p.m, p.n, p.k, p.opA, p.opB, p.accumulate, p.ldc)
}

func (p *problem) checkAll(t *testing.T, pool *gemm.Pool) {
	t.Helper()
	p.check(t, "Mul", func(c []float32) {
		gemm.Mul(p.opA, p.opB, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, c, p.ldc, p.accumulate)
	})
	p.check(t, "Pool.Mul", func(c []float32) {
		pool.Mul(p.opA, p.opB, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, c, p.ldc, p.accumulate, nil)
	})
	if p.opA == gemm.NoTrans {
		packed := gemm.Pack(p.opB, p.k, p.n, p.b, p.ldb)
		p.check(t, "MulPacked", func(c []float32) {
			pool.MulPacked(p.m, p.a, p.lda, packed, c, p.ldc, p.accumulate, nil)
		})
	}
}

func newPool(t testing.TB, workers int) *gemm.Pool {
	pool := gemm.NewPool(workers)
	t.Cleanup(pool.Close)
	return pool
}

// TestMulSmall takes every m and n up to 40, and every k up to 40 with some of them.
func TestMulSmall(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		r, pool, step := newRand(), newPool(t, 2), 1
		if raceEnabled {
			step = 7
		}
		for m := 0; m <= 40; m += step {
			for n := 0; n <= 40; n += step {
				p := newProblem(r, r.IntN(2) == 1, r.IntN(2) == 1, m, n, r.IntN(41), r.IntN(3), r.IntN(2) == 1)
				p.checkAll(t, pool)
			}
		}
	})
}

// TestMulLarge takes shapes that take every way through the pool, around the
// limits of blocks.
func TestMulLarge(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		r, pool := newRand(), newPool(t, 2)
		for _, s := range [][3]int{{129, 131, 67}, {513, 33, 65}, {520, 65, 31}, {37, 300, 641}, {265, 40, 385}, {61, 129, 384}, {1, 700, 900}, {700, 1, 900}, {300, 7, 301}} {
			for i := range 8 {
				if raceEnabled && (i+s[0])%4 != 0 {
					continue
				}
				p := newProblem(r, i&1 == 1, i&2 == 2, s[0], s[1], s[2], i%3, i&4 == 4)
				p.checkAll(t, pool)
			}
		}
	})
}

// TestMulIndependence checks to the bit that an element of C depends neither on
// the workers, nor on the other rows and columns, nor on how B came.
func TestMulIndependence(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		r, one, two := newRand(), newPool(t, 1), newPool(t, 2)
		for _, s := range [][3]int{{530, 77, 700}, {270, 333, 400}, {70, 64, 390}} {
			m, n, k := s[0], s[1], s[2]
			p := newProblem(r, false, false, m, n, k, 0, false)
			want := make([]float32, m*n)
			one.Mul(false, false, m, n, k, p.a, k, p.b, n, want, n, false, nil)
			packed := gemm.Pack(false, k, n, p.b, n)
			compare := func(name string, row, rows int, run func(c []float32)) {
				c := make([]float32, rows*n)
				run(c)
				for i := range c {
					if c[i] != want[row*n+i] {
						t.Fatalf("%s %v: element %d = %v, want %v", name, s, i, c[i], want[row*n+i])
					}
				}
			}
			compare("two workers", 0, m, func(c []float32) { two.Mul(false, false, m, n, k, p.a, k, p.b, n, c, n, false, nil) })
			compare("packed", 0, m, func(c []float32) { two.MulPacked(m, p.a, k, packed, c, n, false, nil) })
			for _, row := range []int{0, 1, 17, m - 1} {
				compare("one row", row, 1, func(c []float32) { two.MulPacked(1, p.a[row*k:], k, packed, c, n, false, nil) })
			}
			compare("some rows", 5, 31, func(c []float32) { gemm.Mul(false, false, 31, n, k, p.a[5*k:], k, p.b, n, c, n, false) })
		}
	})
}

// TestMulEpilogue checks that the blocks are finished, disjoint and cover C.
func TestMulEpilogue(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		r, pool := newRand(), newPool(t, 2)
		for _, s := range [][3]int{{3, 5, 7}, {130, 310, 400}, {600, 70, 40}, {257, 64, 100}, {40, 900, 350}, {9, 8, 0}} {
			m, n, k := s[0], s[1], s[2]
			p := newProblem(r, false, false, m, n, k, 0, false)
			for i := range p.want {
				p.want[i] += 100
			}
			for name, run := range map[string]func(c []float32, epilogue func(row, rows, col, cols int)){
				"Mul": func(c []float32, epilogue func(row, rows, col, cols int)) {
					pool.Mul(false, false, m, n, k, p.a, k, p.b, n, c, n, false, epilogue)
				},
				"MulPacked": func(c []float32, epilogue func(row, rows, col, cols int)) {
					pool.MulPacked(m, p.a, k, gemm.Pack(false, k, n, p.b, n), c, n, false, epilogue)
				},
			} {
				p.check(t, name, func(c []float32) {
					run(c, func(row, rows, col, cols int) {
						for i := row; i < row+rows; i++ {
							for j := col; j < col+cols; j++ {
								c[i*n+j] += 100
							}
						}
					})
				})
			}
		}
	})
}

// TestMulSpecial checks that NaN and Inf reach exactly the elements that they belong to.
func TestMulSpecial(t *testing.T) {
	forEachKernels(t, func(t *testing.T) {
		for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
			const m, n, k = 15, 35, 19
			a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
			for i := range a {
				a[i] = 1
			}
			for i := range b {
				b[i] = 1
			}
			for i := range c {
				c[i] = float32(math.NaN()) // must not be read
			}
			a[14*k+7] = special
			gemm.Mul(false, false, m, n, k, a, k, b, n, c, n, false)
			for i, v := range c {
				want := float64(k)
				if i/n == 14 {
					want = float64(special)
				}
				if !near(v, want, 0) {
					t.Fatalf("with A[14,7] = %v: C[%d,%d] = %v, want %v", special, i/n, i%n, v, want)
				}
			}
		}
	})
}

func TestMulPanics(t *testing.T) {
	x := make([]float32, 11)
	for name, f := range map[string]func(){
		"short A":      func() { gemm.Mul(false, false, 3, 2, 4, x, 4, x, 2, make([]float32, 6), 2, false) },
		"short C":      func() { gemm.Mul(false, false, 4, 4, 2, x, 2, x, 4, x, 4, false) },
		"short stride": func() { gemm.Mul(false, false, 2, 2, 4, x, 3, x, 2, x, 2, false) },
		"negative":     func() { gemm.Mul(false, false, -1, 2, 4, x, 4, x, 2, x, 2, false) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestMulDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop what it holds")
	}
	r, pool := newRand(), newPool(t, 2)
	const m, n, k = 600, 128, 130
	p := newProblem(r, false, false, m, n, k, 0, false)
	packed := gemm.Pack(false, k, n, p.b, n)
	values, scales, _ := eightBits(r, n, k-k%32, 32)
	packed8 := gemm.Pack8(k-k%32, n, values, scales, 32)
	for name, f := range map[string]func(){
		"MulPacked in eight bits": func() { pool.MulPacked(m, p.a, k, packed8, p.c, n, false, nil) },
		"Mul":                     func() { gemm.Mul(false, false, 30, 40, 50, p.a, k, p.b, n, p.c, n, true) },
		"Pool.Mul":                func() { pool.Mul(false, false, m, n, k, p.a, k, p.b, n, p.c, n, false, nil) },
		"Pool.Mul small":          func() { pool.Mul(false, false, 30, 40, 50, p.a, k, p.b, n, p.c, n, false, nil) },
		"MulPacked":               func() { pool.MulPacked(m, p.a, k, packed, p.c, n, false, nil) },
		"MulBF16":                 func() { pool.MulBF16(false, false, m, n, k, p.a, k, p.b, n, p.c, n, false, nil) },
	} {
		if got := testing.AllocsPerRun(20, f); got >= 1 {
			t.Errorf("%s: %v allocations a call, want 0", name, got)
		}
	}
}
