package gemm

import "math"

// goKernels are plain Go, for every machine and as the simple version that the
// others are compared with.
var goKernels = withRounding(kernels{
	name: "go", rows: 2, cols: 4,
	tile:    tileGo,
	packing: packing{copyPanel(2), transposePanel(2), copyPanel(4), transposePanel(4)}, expand: expandPanel(4),
	addBias: addBiasGo, addBiasReLU: addBiasReLUGo, addBiasGELU: addBiasGELUGo, siluTimes: siluTimesGo, exp: expGo, reluGrad: reluGradGo,
	axpy: axpyGo, scale: scaleGo, normalize: normalizeGo,
	dot: dotGo, sum: sumGo, maximum: maximumGo, addSum: addSumGo,
	squaredDeviations: squaredDeviationsGo, expSum: expSumGo, sumSquares: sumSquaresGo,
	adam: adamGo,
})

// tileGo is tile for panels of 2 rows and 4 columns: as many sums as fit the
// registers of most machines.
func tileGo(rows, cols, k int, a, b, c []float32, ldc int, accumulate bool) {
	var t [2][4]float32
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	for l := range k {
		x, y := a[2*l:2*l+2:2*l+2], b[4*l:4*l+4:4*l+4]
		s00 += x[0] * y[0]
		s01 += x[0] * y[1]
		s02 += x[0] * y[2]
		s03 += x[0] * y[3]
		s10 += x[1] * y[0]
		s11 += x[1] * y[1]
		s12 += x[1] * y[2]
		s13 += x[1] * y[3]
	}
	t[0] = [4]float32{s00, s01, s02, s03}
	t[1] = [4]float32{s10, s11, s12, s13}
	for i := range rows {
		row := c[i*ldc : i*ldc+cols]
		for j := range row {
			if accumulate {
				row[j] += t[i][j]
			} else {
				row[j] = t[i][j]
			}
		}
	}
}

func copyPanel(width int) func(dst, src []float32, ld, k, valid int) {
	return func(dst, src []float32, ld, k, valid int) {
		for l := range k {
			row := dst[l*width : (l+1)*width]
			clear(row[copy(row, src[l*ld:l*ld+valid]):])
		}
	}
}

func transposePanel(width int) func(dst, src []float32, ld, k, valid int) {
	return func(dst, src []float32, ld, k, valid int) {
		for i := range width {
			row := src[min(i, valid-1)*ld:][:k]
			for l, v := range row {
				dst[l*width+i] = v
			}
		}
	}
}

func addBiasGo(x, bias []float32) {
	for i, b := range bias {
		x[i] += b
	}
}

func addBiasReLUGo(x, bias []float32) {
	for i, b := range bias {
		x[i] = max(0, x[i]+b)
	}
}

func addBiasGELUGo(x, bias []float32) {
	for i, b := range bias {
		y := float64(x[i] + b)
		if math.IsInf(y, -1) {
			y = -100 // −Inf · 0 would be NaN
		}
		x[i] = float32(y * 0.5 * math.Erfc(-y/math.Sqrt2))
	}
}

func siluTimesGo(x, y []float32) {
	for i, v := range x {
		x[i] = float32(float64(v)/(1+math.Exp(-float64(v)))) * y[i]
	}
}

func expGo(dst, src []float32) {
	for i, v := range src {
		dst[i] = float32(math.Exp(float64(v)))
	}
}

func reluGradGo(dx, y []float32) {
	for i, v := range y {
		if v <= 0 {
			dx[i] = 0
		}
	}
}

func axpyGo(alpha float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += alpha * v
	}
}

func scaleGo(alpha float32, x []float32) {
	for i := range x {
		x[i] *= alpha
	}
}

func normalizeGo(x, gamma, beta []float32, mean, inverse float32) {
	for i, v := range x {
		x[i] = (v-mean)*inverse*gamma[i] + beta[i]
	}
}
