package gemm

import (
	"sync"
	"unsafe"
)

// Mul computes C = op(A)·op(B), or C += op(A)·op(B) with accumulate, on the
// caller's goroutine. op(A) is (m, k), op(B) is (k, n) and C is (m, n); lda, ldb
// and ldc are the row strides of the matrices as they are stored. C must not
// overlap A or B.
func Mul(opA, opB Op, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	A, B, C := matrix{opA, a, lda}, matrix{opB, b, ldb}, matrix{NoTrans, c, ldc}
	if !checkProduct(m, n, k, A, B, C, accumulate) {
		return
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	mul(active, s, m, n, k, A, B, C, accumulate)
}

// checkProduct panics on arguments that do not fit each other. It deals with empty
// products and returns false for them.
func checkProduct(m, n, k int, a, b, c matrix, accumulate bool) bool {
	if m < 0 || n < 0 || k < 0 {
		panic("gemm: negative dimension")
	}
	a.check("A", m, k)
	b.check("B", k, n)
	c.check("C", m, n)
	if k == 0 && !accumulate && n > 0 {
		for i := range m {
			clear(c.from(i, 0)[:n])
		}
	}
	return m > 0 && n > 0 && k > 0
}

// rowBlock is the most rows of A that are packed at once: with depth they fill
// about half of the second cache.
const rowBlock = 264

// mul computes a product that is not empty.
func mul(s *kernels, buf *scratch, m, n, k int, a, b, c matrix, accumulate bool) {
	kc := blockDepth(k)
	for row := 0; row < m; row += rowBlock {
		rows := min(rowBlock, m-row)
		for k0 := 0; k0 < k; k0 += kc {
			kk := min(kc, k-k0)
			panels := buf.a.grow(ceil(rows, s.rows) * s.rows * kk)
			for i := 0; i < rows; i += s.rows {
				s.panelA(panels[i*kk:], a, row+i, min(s.rows, rows-i), k0, kk)
			}
			panel := buf.b.grow(s.cols * kk)
			for col := 0; col < n; col += s.cols {
				cols := min(s.cols, n-col)
				s.panelB(panel, b, col, cols, k0, kk)
				s.column(rows, cols, kk, panels, panel, c.from(row, col), c.ld, accumulate || k0 > 0)
			}
		}
	}
}

// column multiplies all panels of A with one panel of B.
func (s *kernels) column(rows, cols, k int, panels, panel, c []float32, ldc int, accumulate bool) {
	for i := 0; i < rows; i += s.rows {
		s.tile(min(s.rows, rows-i), cols, k, panels[i*k:], panel, c[i*ldc:], ldc, accumulate)
	}
}

// scratch holds packed panels of one goroutine.
type scratch struct{ a, b buffer }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// buffer is memory that grows and starts at a cache line.
type buffer []float32

// grow returns n elements, of which the content is not kept.
func (b *buffer) grow(n int) []float32 {
	if cap(*b) < n {
		*b = aligned(n)
	}
	return (*b)[:n]
}

// aligned returns n zeros that start at a multiple of 64 bytes.
func aligned(n int) []float32 {
	x := make([]float32, n+15)
	at := uintptr(unsafe.Pointer(unsafe.SliceData(x))) / 4 % 16
	skip := int(16-at) % 16
	return x[skip : skip+n : skip+n]
}
