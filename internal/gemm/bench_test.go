package gemm_test

import (
	"fmt"
	"testing"

	"rcvae/internal/gemm"
)

// forBench runs f with every implementation and with one and two workers.
func forBench(b *testing.B, f func(b *testing.B, pool *gemm.Pool)) {
	for _, name := range gemm.Available() {
		restore, err := gemm.Force(name)
		if err != nil {
			b.Fatal(err)
		}
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", name, workers), func(b *testing.B) { f(b, newPool(b, workers)) })
		}
		restore()
	}
}

func gflops(b *testing.B, m, n, k int) {
	b.ReportMetric(2*float64(m)*float64(n)*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// BenchmarkMul has the products of a training step with 256 samples: forward,
// gradient of the input, gradient of the weights.
func BenchmarkMul(b *testing.B) {
	for _, s := range []struct {
		name     string
		opA, opB gemm.Op
		m, n, k  int
	}{
		{"forward", false, false, 256, 1024, 2048},
		{"forward-narrow", false, false, 256, 64, 1024},
		{"grad-input", false, true, 256, 1024, 1024},
		{"grad-weights", true, false, 2048, 1024, 256},
	} {
		b.Run(fmt.Sprintf("%s-%dx%dx%d", s.name, s.m, s.n, s.k), func(b *testing.B) {
			forBench(b, func(b *testing.B, pool *gemm.Pool) {
				r := newRand()
				p := newProblem(r, s.opA, s.opB, 0, 0, 0, 0, false)
				p.a, p.b, p.c = normals(r, s.m*s.k), normals(r, s.k*s.n), normals(r, s.m*s.n)
				lda, ldb := s.k, s.n
				if s.opA {
					lda = s.m
				}
				if s.opB {
					ldb = s.k
				}
				for b.Loop() {
					pool.Mul(s.opA, s.opB, s.m, s.n, s.k, p.a, lda, p.b, ldb, p.c, s.n, false, nil)
				}
				gflops(b, s.m, s.n, s.k)
			})
		})
	}
}

// BenchmarkMulPacked has the products of the encoder, and one of a few rows.
func BenchmarkMulPacked(b *testing.B) {
	for _, s := range [][3]int{{2048, 1152, 384}, {2048, 384, 1536}, {2048, 1536, 384}, {2048, 384, 384}, {16, 256, 768}} {
		m, n, k := s[0], s[1], s[2]
		b.Run(fmt.Sprintf("%dx%dx%d", m, n, k), func(b *testing.B) {
			forBench(b, func(b *testing.B, pool *gemm.Pool) {
				r := newRand()
				x, y, c := normals(r, m*k), normals(r, k*n), normals(r, m*n)
				packed := gemm.Pack(false, k, n, y, n)
				for b.Loop() {
					pool.MulPacked(m, x, k, packed, c, n, false, nil)
				}
				gflops(b, m, n, k)
			})
		})
	}
}

// BenchmarkMulPacked8 has the products of one text of 276 tokens in MiniLM and of a batch
// in Qwen2.5-0.5B and in XLM-RoBERTa (jina-v3), with weights in float32 and in eight bits, but for plain Go, which takes
// seconds for each.
func BenchmarkMulPacked8(b *testing.B) {
	for _, s := range [][3]int{{276, 1536, 384}, {276, 384, 1536}, {512, 9728, 896}, {512, 896, 4864}, {512, 4096, 1024}, {512, 1024, 4096}} {
		m, n, k := s[0], s[1], s[2]
		r := newRand()
		x, c := normals(r, m*k), make([]float32, m*n)
		values, scales, floats := eightBits(r, n, k, 32)
		for bits, pack := range map[string]func() *gemm.Packed{
			"float32": func() *gemm.Packed { return gemm.Pack(gemm.Trans, k, n, floats, k) },
			"int8":    func() *gemm.Packed { return gemm.Pack8(k, n, values, scales, 32) },
		} {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", m, n, k, bits), func(b *testing.B) {
				forBench(b, func(b *testing.B, pool *gemm.Pool) {
					if gemm.Kernels() == "go" {
						b.Skip("plain Go takes seconds")
					}
					packed := pack()
					for b.Loop() {
						pool.MulPacked(m, x, k, packed, c, n, false, nil)
					}
					gflops(b, m, n, k)
				})
			})
		}
	}
}

// BenchmarkAttention has the products of one head: scores of a sequence, and
// their sum over values.
func BenchmarkAttention(b *testing.B) {
	const heads, head = 12, 32
	for _, length := range []int{64, 260, 512} {
		b.Run(fmt.Sprintf("length=%d", length), func(b *testing.B) {
			forBench(b, func(b *testing.B, pool *gemm.Pool) {
				const ld = 3 * heads * head
				r := newRand()
				qkv, scores, out := normals(r, length*ld), normals(r, pool.Workers()*length*length), make([]float32, length*heads*head)
				for b.Loop() {
					pool.Run(heads, func(worker, h int) {
						s := scores[worker*length*length:]
						gemm.Mul(false, true, length, length, head, qkv[h*head:], ld, qkv[(heads+h)*head:], ld, s, length, false)
						gemm.Mul(false, false, length, head, length, s, length, qkv[(2*heads+h)*head:], ld, out[h*head:], heads*head, false)
					})
				}
				gflops(b, length, length, 2*heads*head)
			})
		})
	}
}

// BenchmarkVector reports the bytes that each loop reads and writes.
func BenchmarkVector(b *testing.B) {
	const n = 1536
	r := newRand()
	x, y, z, w := normals(r, n), normals(r, n), normals(r, n), normals(r, n)
	step := gemm.AdamStep{LR: 1e-9, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Correction1: 1, Correction2: 1, GradScale: 1}
	for _, l := range []struct {
		name  string
		bytes int64 // an element
		run   func()
	}{
		{"AddBias", 12, func() { gemm.AddBias(x, y) }},
		{"AddBiasReLU", 12, func() { gemm.AddBiasReLU(x, y) }},
		{"AddBiasGELU", 12, func() { gemm.AddBiasGELU(x, y) }},
		{"AddLayerNorm", 24, func() { gemm.AddLayerNorm(x, y, z, w, y, 1e-5) }},
		{"Softmax", 8, func() { gemm.Softmax(x) }},
		{"Exp", 8, func() { gemm.Exp(x, y) }},
		{"Dot", 8, func() { gemm.Dot(x, y) }},
		{"Axpy", 12, func() { gemm.Axpy(1e-9, x, y) }},
		{"SumSquares", 4, func() { gemm.SumSquares(x) }},
		{"ReLUGrad", 12, func() { gemm.ReLUGrad(x, y) }},
		{"Adam", 28, func() { clear(w); gemm.Adam(step, x, y, z, w) }},
	} {
		b.Run(l.name, func(b *testing.B) {
			for _, name := range gemm.Available() {
				restore, err := gemm.Force(name)
				if err != nil {
					b.Fatal(err)
				}
				b.Run(name, func(b *testing.B) {
					b.SetBytes(l.bytes * n)
					for b.Loop() {
						l.run()
					}
				})
				restore()
			}
		})
	}
}
