package selector_test

import (
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"rcvae"
)

// dimension of the fake embeddings.
const dimension = 6

// hashEmbedder maps a text to a random unit vector that depends on the text
// alone, and counts its calls.
type hashEmbedder struct{ calls int }

var _ rcvae.Embedder = (*hashEmbedder)(nil)

func (h *hashEmbedder) Embed(_ context.Context, texts []string) ([]rcvae.Embedding, error) {
	h.calls++
	out := make([]rcvae.Embedding, len(texts))
	for i, text := range texts {
		f := fnv.New64a()
		f.Write([]byte(text))
		rng := rand.New(rand.NewPCG(f.Sum64(), 1))
		v, norm := make(rcvae.Embedding, dimension), 0.0
		for j := range v {
			v[j] = float32(rng.NormFloat64())
			norm += float64(v[j]) * float64(v[j])
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(norm))
		}
		out[i] = v
	}
	return out, nil
}

// linearModel has posteriors and likelihoods that are simple functions of the
// solution's embedding, with gain as the model's "seed".
type linearModel struct {
	gain        float32
	calibration rcvae.Calibration
}

var _ rcvae.LikelihoodModel = linearModel{}

func (m linearModel) Calibration() rcvae.Calibration { return m.calibration }

func (m linearModel) Posteriors(_ rcvae.Embedding, solutions []rcvae.Embedding) ([]rcvae.Posterior, error) {
	out := make([]rcvae.Posterior, len(solutions))
	for i, r := range solutions {
		out[i] = rcvae.Posterior{Mu: []float32{r[0], m.gain * r[1]}, LogVar: []float32{m.gain * r[2], r[3]}}
	}
	return out, nil
}

func (m linearModel) Likelihoods(_ rcvae.Embedding, solutions []rcvae.Embedding) ([]rcvae.Likelihood, error) {
	out := make([]rcvae.Likelihood, len(solutions))
	for i, r := range solutions {
		out[i] = rcvae.Likelihood{Recon: float64(r[4]), ELBO: float64(r[5]), IWAE: float64(m.gain * r[0]), Ratio: float64(r[1])}
	}
	return out, nil
}

// columnModel gives candidate i the entropy score exactly scores[i], by
// HalfLogVar = −scores[i] at Scale 1. The scores are those of all candidates.
type columnModel struct {
	scores []float64
	tau    float64
}

func (m columnModel) Calibration() rcvae.Calibration {
	return rcvae.Calibration{Objective: "contrastive", Scale: 1, Tau: m.tau}
}

func (m columnModel) Posteriors(_ rcvae.Embedding, solutions []rcvae.Embedding) ([]rcvae.Posterior, error) {
	out := make([]rcvae.Posterior, len(solutions))
	for i := range solutions {
		out[i] = rcvae.Posterior{Mu: []float32{0}, LogVar: []float32{float32(-2 * m.scores[i])}}
	}
	return out, nil
}

// answers makes candidates of answers; "" is a candidate without one.
func answers(list ...string) []rcvae.Candidate {
	out := make([]rcvae.Candidate, len(list))
	for i, a := range list {
		out[i] = rcvae.Candidate{Text: "text " + a, Answer: a}
	}
	return out
}
