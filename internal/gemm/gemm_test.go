package gemm_test

import (
	"math/rand/v2"
	"testing"

	"rcvae/internal/gemm"
)

func TestMulSmoke(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	m, n, k := 5, 7, 9
	for _, opA := range []gemm.Op{false, true} {
		for _, opB := range []gemm.Op{false, true} {
			a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
			for i := range a {
				a[i] = r.Float32()
			}
			for i := range b {
				b[i] = r.Float32()
			}
			lda, ldb := k, n
			if opA {
				lda = m
			}
			if opB {
				ldb = k
			}
			gemm.Mul(opA, opB, m, n, k, a, lda, b, ldb, c, n, false)
			for i := range m {
				for j := range n {
					var want float32
					for l := range k {
						x, y := a[0], b[0]
						if opA {
							x = a[l*lda+i]
						} else {
							x = a[i*lda+l]
						}
						if opB {
							y = b[j*ldb+l]
						} else {
							y = b[l*ldb+j]
						}
						want += x * y
					}
					if d := c[i*n+j] - want; d > 1e-5 || d < -1e-5 {
						t.Fatalf("%v %v c[%d,%d] = %v, want %v", opA, opB, i, j, c[i*n+j], want)
					}
				}
			}
		}
	}
}
