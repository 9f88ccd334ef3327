package gemm

import "golang.org/x/sys/cpu"

// supported returns the kernels that this machine can run, fastest first.
func supported() []*kernels {
	var sets []*kernels
	x := &cpu.X86
	avx2 := x.HasAVX2 && x.HasFMA && x.HasBMI2
	if avx2 && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL {
		switch {
		case x.HasAVX512VNNI && x.HasAVX512BF16:
			sets = append(sets, &vnniKernels, &bf16Kernels)
		case x.HasAVX512VNNI:
			sets = append(sets, &vnniOnlyKernels)
		case x.HasAVX512BF16:
			sets = append(sets, &bf16Kernels)
		}
		sets = append(sets, &avx512Kernels)
	}
	if avx2 {
		sets = append(sets, &avx2Kernels)
	}
	return append(sets, &goKernels)
}

var avx512Kernels = withRounding(kernels{
	name: "avx512", rows: 12, cols: 32,
	tile:    tileAVX512,
	packing: packing{copyAAVX512, transposeAAVX512, copyBAVX512, transposeBAVX512}, expand: expandAVX512,
	addBias: addBiasAVX512, addBiasReLU: addBiasReLUAVX512, addBiasGELU: addBiasGELUAVX512, siluTimes: siluTimesAVX512, exp: expAVX512, reluGrad: reluGradAVX512,
	axpy: axpyAVX512, scale: scaleAVX512, normalize: normalizeAVX512,
	dot: dotAVX512, sum: sumAVX512, maximum: maximumAVX512, addSum: addSumAVX512,
	squaredDeviations: squaredDeviationsAVX512, expSum: expSumAVX512, sumSquares: sumSquaresAVX512,
	adam: adamAVX512,
})

var bf16Kernels = withPairs(avx512Kernels)

// withPairs returns kernels that multiply pairs of bfloat16.
func withPairs(s kernels) kernels {
	s.name, s.pair, s.tilePairs = "avx512-bf16", pairBF16, tileBF16
	s.rounded = packing{copyABF16, transposeABF16, copyBBF16, transposeBBF16}
	return s
}

var vnniKernels = withBytes(bf16Kernels)

// vnniOnlyKernels are for processors that have no bfloat16: float32 is for groups that
// bytes are not for.
var vnniOnlyKernels = withBytes(avx512Kernels)

// withBytes returns kernels that multiply weights in eight bits with rows in eight bits,
// where groups allow it.
func withBytes(s kernels) kernels {
	s.name, s.quantize, s.remainder, s.tileBytes = "avx512-vnni", quantizeVNNI, remainderVNNI, tileVNNI
	return s
}

var avx2Kernels = withRounding(kernels{
	name: "avx2", rows: 6, cols: 16,
	tile:    tileAVX2,
	packing: packing{copyAAVX2, transposeAAVX2, copyBAVX2, transposeBAVX2}, expand: expandAVX2,
	addBias: addBiasAVX2, addBiasReLU: addBiasReLUAVX2, addBiasGELU: addBiasGELUAVX2, siluTimes: siluTimesAVX2, exp: expAVX2, reluGrad: reluGradAVX2,
	axpy: axpyAVX2, scale: scaleAVX2, normalize: normalizeAVX2,
	dot: dotAVX2, sum: sumAVX2, maximum: maximumAVX2, addSum: addSumAVX2,
	squaredDeviations: squaredDeviationsAVX2, expSum: expSumAVX2, sumSquares: sumSquaresAVX2,
	adam: adamAVX2,
})
