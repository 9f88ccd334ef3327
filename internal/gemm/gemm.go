// Package gemm holds the float32 kernels that training and the encoder run on:
// matrix products and the loops over vectors between them.
//
// All matrices are row-major slices with a row stride. Every kernel exists for
// AVX-512, for AVX2 with FMA, and in plain Go; the fastest that the machine can
// run is chosen at start, see [Kernels]. Weights may be in eight bits, see [Pack8].
//
// Products follow K. Goto and R. van de Geijn, "Anatomy of high-performance
// matrix multiplication" (2008): both matrices are brought into panels, and a
// micro-kernel multiplies a panel of A by a panel of B in registers. An element of
// C is summed in an order that depends on k alone, so it is the same, to the bit,
// for any number of workers and whatever other rows and columns are computed with it.
package gemm

import "fmt"

// Op says how a stored matrix enters a product.
type Op bool

// How a matrix enters a product.
const (
	NoTrans Op = false // as it is stored
	Trans   Op = true  // transposed
)

// matrix is op(X) of a stored X with a row stride.
type matrix struct {
	op   Op
	data []float32
	ld   int
}

// from returns the stored elements from element (i, j) of op(X) on.
func (x matrix) from(i, j int) []float32 {
	if x.op == Trans {
		i, j = j, i
	}
	return x.data[i*x.ld+j:]
}

// check panics unless the slice can hold op(X) of shape (rows, cols).
func (x matrix) check(name string, rows, cols int) {
	if x.op == Trans {
		rows, cols = cols, rows
	}
	if rows <= 0 || cols <= 0 {
		return
	}
	if x.ld < cols || len(x.data) < (rows-1)*x.ld+cols {
		panic(fmt.Sprintf("gemm: %s is stored as (%d, %d) with stride %d, but has %d elements", name, rows, cols, x.ld, len(x.data)))
	}
}

// depth is the most rows of a panel that a micro-kernel sees at once: a panel of A
// and the stream of B beside it stay in the first cache.
const depth = 384

// blockDepth returns how many of the k rows each pass takes: k in equal parts of at
// most depth. It must depend on nothing but k, see the package comment.
func blockDepth(k int) int { return blockOf(k, depth) }

// blockOf returns k in equal parts of at most most.
func blockOf(k, most int) int { return ceil(k, max(1, ceil(k, most))) }

func ceil(a, b int) int { return (a + b - 1) / b }

// panelA makes the panel of rows [row, row+valid) and columns [k0, k0+k) of op(A).
func (s *packing) panelA(dst []float32, a matrix, row, valid, k0, k int) {
	if a.op == Trans {
		s.copyA(dst, a.from(row, k0), a.ld, k, valid)
	} else {
		s.transposeA(dst, a.from(row, k0), a.ld, k, valid)
	}
}

// panelB makes the panel of rows [k0, k0+k) and columns [col, col+valid) of op(B).
func (s *packing) panelB(dst []float32, b matrix, col, valid, k0, k int) {
	if b.op == Trans {
		s.transposeB(dst, b.from(k0, col), b.ld, k, valid)
	} else {
		s.copyB(dst, b.from(k0, col), b.ld, k, valid)
	}
}
