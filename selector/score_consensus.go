package selector

import (
	"context"
	"fmt"
	"math"

	"rcvae"
)

const (
	consensusSharpness = 20      // factor of the similarity
	consensusLimit     = 1 << 14 // candidates; the time grows with their square
	consensusBlock     = 64      // candidates that are compared with others while their embeddings are in the cache
)

func consensus() Score {
	return Score{
		Name: "consensus", About: "most similar to the other candidates, ln meanⱼ exp(20·rᵢ·rⱼ)", Best: "closest to the other candidates",
		Needs: NeedEmbeddings, Tau: new(defaultTau), Values: consensusOf,
	}
}

// consensusOf returns ln meanⱼ exp(20·rᵢ·rⱼ) of each candidate i, j = i included. It
// keeps one sum per candidate and no matrix of pairs, and looks at the context between
// blocks. A sum has the same order of summands whatever the size of the blocks.
//
// Note: the exponent is lowered by 20 until the end, so that the sums of embeddings of
// unit length, which [PrepareEncoded] checks, lie between 1 and n.
func consensusOf(ctx context.Context, e *Evidence) ([]float64, error) {
	if e.Len() > consensusLimit {
		return nil, fmt.Errorf("%d candidates, it takes %d at most; use another rule", e.Len(), consensusLimit)
	}
	sums := make([]float64, e.Len())
	for from := 0; from < len(sums); from += consensusBlock {
		for i := from; i < len(sums); i++ {
			if i%consensusBlock == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			for j := from; j < min(from+consensusBlock, i+1); j++ {
				s := math.Exp(consensusSharpness * (dot(e.Embedding(i), e.Embedding(j)) - 1))
				sums[i] += s
				if j < i {
					sums[j] += s
				}
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
