package selector

import (
	"fmt"
	"math"

	"rcvae"
)

const (
	consensusSharpness = 20   // factor of the similarity
	consensusLimit     = 4096 // candidates; the time grows with their square
)

func consensus() Score {
	return Score{
		Name: "consensus", About: "most similar to the other candidates, ln meanⱼ exp(20·rᵢ·rⱼ)", Best: "closest to the other candidates",
		Needs: NeedEmbeddings, Tau: new(defaultTau), Values: consensusOf,
	}
}

// consensusOf returns ln meanⱼ exp(20·rᵢ·rⱼ) of each candidate i, j = i included. It
// keeps one sum per candidate and no matrix of pairs.
//
// Note: the exponent is lowered by 20 until the end, so that the sums of embeddings of
// unit length, which [PrepareEncoded] checks, lie between 1 and n.
func consensusOf(e *Evidence) ([]float64, error) {
	if e.Len() > consensusLimit {
		return nil, fmt.Errorf("%d candidates, it takes %d at most; use another rule", e.Len(), consensusLimit)
	}
	sums := make([]float64, e.Len())
	for i := range sums {
		for j := range i + 1 {
			s := math.Exp(consensusSharpness * (dot(e.Embedding(i), e.Embedding(j)) - 1))
			sums[i] += s
			if j < i {
				sums[j] += s
			}
		}
	}
	for i, sum := range sums {
		sums[i] = consensusSharpness + math.Log(sum/float64(len(sums)))
	}
	return sums, nil
}

// dot sums in four float64 accumulators, which lets the products overlap. Note: a BLAS
// adds up in an order that depends on where a vector lies in memory.
func dot(a, b rcvae.Embedding) float64 {
	var s [4]float64
	for ; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
		s[0] += float64(a[0]) * float64(b[0])
		s[1] += float64(a[1]) * float64(b[1])
		s[2] += float64(a[2]) * float64(b[2])
		s[3] += float64(a[3]) * float64(b[3])
	}
	for j := range a {
		s[0] += float64(a[j]) * float64(b[j])
	}
	return s[0] + s[1] + s[2] + s[3]
}
