package gemm

import "math"

func dotGo(x, y []float32) float32 {
	y = y[:len(x)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += x[i] * y[i]
		s1 += x[i+1] * y[i+1]
		s2 += x[i+2] * y[i+2]
		s3 += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		s0 += x[i] * y[i]
	}
	return s0 + s1 + (s2 + s3)
}

func sumGo(x []float32) float32 {
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	return float32(sum)
}

func addSumGo(x, residual, bias []float32) float32 {
	for i := range x {
		x[i] += residual[i] + bias[i]
	}
	return sumGo(x)
}

func squaredDeviationsGo(x []float32, mean float32) float32 {
	var sum float64
	for _, v := range x {
		d := float64(v - mean)
		sum += d * d
	}
	return float32(sum)
}

func maximumGo(x []float32) float32 {
	top := float32(math.Inf(-1))
	for _, v := range x {
		if v > top {
			top = v
		}
	}
	return top
}

func expSumGo(x []float32, shift float32) float32 {
	var sum float64
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v - shift)))
		sum += float64(x[i])
	}
	return float32(sum)
}

func sumSquaresGo(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

func adamGo(param, grad, m, v []float32, gradScale, beta1, rest1, beta2, rest2, decay, rate, rootScale, epsilon float32) {
	for i := range param {
		g := gradScale * grad[i]
		m[i] = beta1*m[i] + rest1*g
		v[i] = beta2*v[i] + rest2*(g*g)
		root := float32(math.Sqrt(float64(v[i])))
		param[i] = decay*param[i] - rate*m[i]/(rootScale*root+epsilon)
	}
}
