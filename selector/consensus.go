package selector

import (
	"math"

	"rcvae"
)

// consensusSharpness is the factor of the similarity in the rule "consensus".
const consensusSharpness = 20

// similarities returns exp(20·(rᵢ·rⱼ − 1)) for all pairs, (n, n) row-major and
// symmetric. The shift by one keeps the sums of [consensus] near one.
func similarities(r []rcvae.Embedding) []float64 {
	n := len(r)
	sim := make([]float64, n*n)
	for i := range n {
		for j := range i + 1 {
			s := math.Exp(consensusSharpness * (dot(r[i], r[j]) - 1))
			sim[i*n+j], sim[j*n+i] = s, s
		}
	}
	return sim
}

// dot sums in four float64 accumulators, which lets the products overlap.
func dot(a, b rcvae.Embedding) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	j := 0
	for ; j+4 <= len(a); j += 4 {
		s0 += float64(a[j]) * float64(b[j])
		s1 += float64(a[j+1]) * float64(b[j+1])
		s2 += float64(a[j+2]) * float64(b[j+2])
		s3 += float64(a[j+3]) * float64(b[j+3])
	}
	for ; j < len(a); j++ {
		s0 += float64(a[j]) * float64(b[j])
	}
	return s0 + s1 + s2 + s3
}

// consensus sets dst[i] to ln meanⱼ exp(20·rᵢ·rⱼ) over the subset, i included.
func (e *Evidence) consensus(dst []float64, subset []int) {
	for a, i := range subset {
		row := e.similarity[i*e.n : (i+1)*e.n]
		var sum float64
		for _, j := range subset {
			sum += row[j]
		}
		dst[a] = consensusSharpness + math.Log(sum/float64(len(subset)))
	}
}
