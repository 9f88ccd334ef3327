// Package gemm holds the float32 kernels that training and the encoder run on:
// matrix products and the loops over vectors between them.
//
// All matrices are row-major slices with a row stride. Every kernel exists for
// AVX-512, for AVX2 with FMA, and in plain Go; the fastest that the machine can
// run is chosen at start, see [Kernels].
package gemm

// Op says how a stored matrix enters a product.
type Op bool

const (
	NoTrans Op = false // as it is stored
	Trans   Op = true  // transposed
)

// Mul computes C = op(A)·op(B), or C += op(A)·op(B) with accumulate, on the
// caller's goroutine. op(A) is (m, k), op(B) is (k, n) and C is (m, n); lda, ldb
// and ldc are the row strides of the matrices as they are stored.
func Mul(opA, opB Op, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	mulRows(opA, opB, 0, m, n, k, a, lda, b, ldb, c, ldc, accumulate)
}

func mulRows(opA, opB Op, from, to, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool) {
	for i := from; i < to; i++ {
		row := c[i*ldc : i*ldc+n]
		if !accumulate {
			clear(row)
		}
		if opB == Trans && opA == NoTrans {
			for j := range row {
				row[j] += Dot(a[i*lda:i*lda+k], b[j*ldb:j*ldb+k])
			}
			continue
		}
		for l := range k {
			at := i*lda + l
			if opA == Trans {
				at = l*lda + i
			}
			x := a[at]
			if opB == NoTrans {
				Axpy(x, b[l*ldb:l*ldb+n], row)
				continue
			}
			for j := range row {
				row[j] += x * b[j*ldb+l]
			}
		}
	}
}

// Mul computes C = op(A)·op(B), or C += op(A)·op(B) with accumulate, on all
// workers. op(A) is (m, k), op(B) is (k, n) and C is (m, n); lda, ldb and ldc are
// the row strides of the matrices as they are stored.
//
// epilogue, if not nil, is called once for every finished block of C (rows
// [row, row+rows), columns [col, col+cols)) while it is warm, possibly concurrently.
func (p *Pool) Mul(opA, opB Op, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, accumulate bool, epilogue func(row, rows, col, cols int)) {
	const block = 16
	p.Run((m+block-1)/block, func(_, task int) {
		from := task * block
		to := min(m, from+block)
		mulRows(opA, opB, from, to, n, k, a, lda, b, ldb, c, ldc, accumulate)
		if epilogue != nil {
			epilogue(from, to-from, 0, n)
		}
	})
}

// Packed is an op(B) of shape (k, n) in the order in which the kernels read it,
// for weights that are used many times.
type Packed struct {
	k, n int
	data []float32 // (k, n)
}

// Pack packs op(B), of shape (k, n) and stored with row stride ldb.
func Pack(opB Op, k, n int, b []float32, ldb int) *Packed {
	p := &Packed{k: k, n: n, data: make([]float32, k*n)}
	for l := range k {
		for j := range n {
			if opB == Trans {
				p.data[l*n+j] = b[j*ldb+l]
			} else {
				p.data[l*n+j] = b[l*ldb+j]
			}
		}
	}
	return p
}

// Shape returns the shape (k, n) of op(B).
func (b *Packed) Shape() (k, n int) { return b.k, b.n }

// MulPacked is [Pool.Mul] with a packed op(B) and A as it is stored.
func (p *Pool) MulPacked(m int, a []float32, lda int, b *Packed, c []float32, ldc int, accumulate bool, epilogue func(row, rows, col, cols int)) {
	p.Mul(NoTrans, NoTrans, m, b.n, b.k, a, lda, b.data, b.n, c, ldc, accumulate, epilogue)
}
