package gemm

import "math"

// withRounding returns kernels that round factors to bfloat16 and multiply them as float32.
func withRounding(s kernels) kernels {
	s.rounded = packing{
		copyA: thenRound(s.copyA, s.rows), transposeA: thenRound(s.transposeA, s.rows),
		copyB: thenRound(s.copyB, s.cols), transposeB: thenRound(s.transposeB, s.cols),
	}
	return s
}

// thenRound returns the function that makes a panel of a width and rounds it.
func thenRound(pack func(dst, src []float32, ld, k, valid int), width int) func(dst, src []float32, ld, k, valid int) {
	return func(dst, src []float32, ld, k, valid int) {
		pack(dst, src, ld, k, valid)
		for i, v := range dst[:k*width] {
			dst[i] = roundBF16(v)
		}
	}
}

// roundBF16 returns the nearest bfloat16, the even one of two.
func roundBF16(x float32) float32 {
	if x != x {
		return x
	}
	bits := math.Float32bits(x)
	return math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff)
}
