package gemm

import (
	"fmt"
	"os"
	"slices"
)

//go:generate go -C ../../tools run ./kernels -out ../internal/gemm/kernels_amd64.s -stubs ../internal/gemm/stubs_amd64.go -pkg gemm

// kernels is one implementation of everything that is worth a machine's own code.
//
// A panel of A holds rows rows of op(A) as (k, rows), a panel of B holds cols
// columns of op(B) as (k, cols).
type kernels struct {
	name       string
	rows, cols int

	// tile computes the first rows and cols of C = A·B, or C += A·B, from two panels.
	// Each element is summed in the order of k, whatever its place in the tile.
	tile func(rows, cols, k int, a, b, c []float32, ldc int, accumulate bool)
	// packing makes panels of float32, rounded those of elements rounded to bfloat16: with
	// tilePairs in pairs, else as float32.
	packing
	rounded packing
	// expand makes a panel of B of one in eight bits: size rows share a row of scales.
	expand func(dst []float32, values []int8, scales []float32, groups, size int)

	// For factors rounded to bfloat16, nil for none: pair turns a panel of (2·pairs, width) into
	// (pairs, width) words, of which each is two bfloat16 that are neighbours along k, and
	// tilePairs is tile for such panels. Products are rounded, sums are float32.
	pair      func(panel []float32, width, pairs int)
	tilePairs func(rows, cols, k int, a, b, c []float32, ldc int, accumulate bool)

	// For weights in eight bits, nil for none: quantize brings groups of a row to eight bits,
	// remainder what that left of a group, and tileBytes is tile for panels of such groups, see
	// [product.quantizeA]. Sums within a group are of integers, sums of groups float32.
	quantize  func(values, entries, src []float32, groups, size int)
	remainder func(values, entries, src, quantized []float32, step float32, size int)
	tileBytes func(rows, cols, entries, size, stride int, a, b, c []float32, ldc int, accumulate bool)

	addBias, addBiasReLU, addBiasGELU, siluTimes, exp, reluGrad func(x, y []float32)
	axpy                                                        func(alpha float32, x, y []float32)
	scale                                                       func(alpha float32, x []float32)
	normalize                                                   func(x, gamma, beta []float32, mean, inverse float32)
	dot                                                         func(x, y []float32) float32
	sum, maximum                                                func(x []float32) float32
	addSum                                                      func(x, residual, bias []float32) float32
	squaredDeviations, expSum                                   func(x []float32, shift float32) float32
	sumSquares                                                  func(x []float32) float64
	adam                                                        func(param, grad, m, v []float32, gradScale, beta1, rest1, beta2, rest2, decay, rate, rootScale, epsilon float32)
}

// packing are functions that make the panel dst of k rows, of which the first valid
// elements come from src: from row l for copy, from column l for transpose.
type packing struct {
	copyA, transposeA, copyB, transposeB func(dst, src []float32, ld, k, valid int)
}

// active are the kernels in force, notice what there is to say about the choice.
var active, notice = choose(os.Getenv("RCVAE_KERNELS"))

// choose returns the named kernels, or the fastest.
func choose(name string) (*kernels, string) {
	sets := supported()
	if name == "" {
		return sets[0], ""
	}
	for _, s := range sets {
		if s.name == name {
			return s, ""
		}
	}
	return sets[0], fmt.Sprintf("RCVAE_KERNELS=%s is not available here, using %s (this machine has %v)", name, sets[0].name, Available())
}

// Kernels returns the name of the kernels in force: "avx512-vnni", "avx512-bf16", "avx512",
// "avx2" or "go". The environment variable RCVAE_KERNELS sets them when the program starts.
// The first two round, see [Rounds] and [Quantizes].
func Kernels() string { return active.name }

// Rounds reports whether the kernels in force multiply bfloat16: they round both factors,
// by 2⁻⁹ at most, where weights are in eight bits and not quantized, see [Quantizes].
func Rounds() bool { return active.pair != nil }

// Quantizes reports whether the kernels in force bring the other factor to eight bits too
// where weights are and a multiple of four of them share a scale: by half a step, which
// is the largest magnitude in the part of a row that meets one scale, over 127.
func Quantizes() bool { return active.quantize != nil }

// Available returns the names of the kernels that this machine can run, fastest first.
func Available() []string {
	var names []string
	for _, s := range supported() {
		names = append(names, s.name)
	}
	return names
}

// Notice returns a sentence for people when RCVAE_KERNELS asked for kernels that
// this machine does not have, and "" otherwise.
func Notice() string { return notice }

// Force switches to the named kernels until restore is called. It is for tests
// and must not run while other goroutines use this package.
func Force(name string) (restore func(), err error) {
	sets := supported()
	i := slices.IndexFunc(sets, func(s *kernels) bool { return s.name == name })
	if i < 0 {
		return nil, fmt.Errorf("force kernels %q: this machine has %v", name, Available())
	}
	old := active
	active = sets[i]
	return func() { active = old }, nil
}
