package selector_test

import (
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"rcvae"
	"rcvae/selector"
	"rcvae/signal"
)

// dimension of the fake embeddings.
const dimension = 6

var hashFingerprint = rcvae.Fingerprint{Name: "hash", Dimension: dimension, Normalized: true}

// hashEmbedder maps a text to a random unit vector that depends on the text
// alone, and counts its calls.
type hashEmbedder struct{ calls int }

var _ rcvae.Embedder = (*hashEmbedder)(nil)

func (h *hashEmbedder) Fingerprint() rcvae.Fingerprint { return hashFingerprint }

func (h *hashEmbedder) Embed(_ context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	h.calls++
	out := make([]rcvae.Embedding, len(texts))
	for i, text := range texts {
		f := fnv.New64a()
		f.Write([]byte(text.Text))
		out[i] = unit(rand.New(rand.NewPCG(f.Sum64(), 1)), dimension)
	}
	return out, nil
}

// unit returns a random vector of length 1.
func unit(rng *rand.Rand, d int) rcvae.Embedding {
	v, square := make(rcvae.Embedding, d), 0.0
	for j := range v {
		v[j] = float32(rng.NormFloat64())
		square += float64(v[j]) * float64(v[j])
	}
	for j := range v {
		v[j] /= float32(math.Sqrt(square))
	}
	return v
}

// linearModel says simple functions of the solution's embedding, with gain as the
// model's "seed". Every third text or so is out-of-distribution if near is set.
type linearModel struct {
	gain float32
	near bool // some candidates are out-of-distribution
	info rcvae.ModelInfo
}

var _ rcvae.Model = linearModel{}

func newLinear(gain float32, outOfDistribution bool) linearModel {
	return linearModel{gain, outOfDistribution, rcvae.ModelInfo{
		Fingerprint: hashFingerprint, Classes: true, Calibration: rcvae.Calibration{Objective: "ratio", Score: "ratio", Scale: 2, Tau: .7},
	}}
}

func (m linearModel) Info() rcvae.ModelInfo { return m.info }

func (m linearModel) Infer(_ rcvae.Embedding, solutions []rcvae.Solution, likelihoods bool) ([]rcvae.Inference, error) {
	out := make([]rcvae.Inference, len(solutions))
	for i, s := range solutions {
		r := s.Embedding
		out[i] = rcvae.Inference{
			Posterior:      rcvae.Posterior{Mu: []float32{r[0], m.gain * r[1]}, LogVar: []float32{m.gain * r[2], r[3]}},
			InDistribution: 1,
		}
		if m.near {
			out[i].InDistribution = min(1, max(0, float64(.5+2*r[5])))
		}
		if likelihoods {
			out[i].Likelihood = rcvae.Likelihood{Recon: float64(r[4]), ELBO: float64(r[5]), IWAE: float64(m.gain * r[0]), Ratio: float64(r[1])}
		}
	}
	return out, nil
}

// columnModel gives candidate i the entropy score exactly scores[i], by
// HalfLogVar = −scores[i] at Scale 1. The scores and weights are those of all
// candidates; weights nil: all are in-distribution.
type columnModel struct {
	scores  []float64
	weights []float64
	tau     float64
}

func (m columnModel) Info() rcvae.ModelInfo {
	return rcvae.ModelInfo{Fingerprint: hashFingerprint, Calibration: rcvae.Calibration{Objective: "contrastive", Score: "entropy", Scale: 1, Tau: m.tau}}
}

func (m columnModel) Infer(_ rcvae.Embedding, solutions []rcvae.Solution, _ bool) ([]rcvae.Inference, error) {
	out := make([]rcvae.Inference, len(solutions))
	for i := range solutions {
		out[i] = rcvae.Inference{Posterior: rcvae.Posterior{Mu: []float32{0}, LogVar: []float32{float32(-2 * m.scores[i])}}, InDistribution: 1}
		if m.weights != nil {
			out[i].InDistribution = m.weights[i]
		}
	}
	return out, nil
}

// ofSignals is a model of signals that prefers fewer wrong equations and reads no
// embedding.
type ofSignals struct{}

func (ofSignals) Info() rcvae.ModelInfo {
	return rcvae.ModelInfo{
		Signals: []string{"wrong"}, SignalVersion: signal.Version,
		Calibration: rcvae.Calibration{Objective: "contrastive", Score: "entropy", Scale: 1, Tau: 1},
	}
}

func (ofSignals) Infer(_ rcvae.Embedding, solutions []rcvae.Solution, _ bool) ([]rcvae.Inference, error) {
	out := make([]rcvae.Inference, len(solutions))
	for i, s := range solutions {
		wrong := 0.0
		if !math.IsNaN(s.Signals[0]) {
			wrong = s.Signals[0]
		}
		out[i] = rcvae.Inference{Posterior: rcvae.Posterior{Mu: []float32{0}, LogVar: []float32{float32(6 * wrong)}}, InDistribution: 1}
	}
	return out, nil
}

func filled(n int, value float64) []float64 { return slices.Repeat([]float64{value}, n) }

// answers makes candidates of answers; "" is a candidate without one.
func answers(list ...string) []rcvae.Candidate {
	out := make([]rcvae.Candidate, len(list))
	for i, a := range list {
		out[i] = rcvae.Candidate{Text: "text " + a, Answer: a}
	}
	return out
}

func sourcesOf(models ...rcvae.Model) selector.Sources {
	return selector.Sources{Embedder: &hashEmbedder{}, Models: models, Signals: ofSignals{}}
}

// prepare computes what the rules need.
func prepare(t testing.TB, candidates []rcvae.Candidate, sources selector.Sources, need selector.Needs) *selector.Prepared {
	t.Helper()
	p, err := selector.Prepare(t.Context(), "question", candidates, sources, need)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// evidenceOf returns the evidence of a subset; nil is all.
func evidenceOf(t testing.TB, p *selector.Prepared, subset []int) *selector.Evidence {
	t.Helper()
	e, err := p.Evidence(subset)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const modelAndAnswers = selector.NeedEmbeddings | selector.NeedModel | selector.NeedAnswers

// modelEvidence is the evidence of all candidates that rules with a model look at.
func modelEvidence(t testing.TB, candidates []rcvae.Candidate, models ...rcvae.Model) *selector.Evidence {
	t.Helper()
	return evidenceOf(t, prepare(t, candidates, sourcesOf(models...), modelAndAnswers), nil)
}

func mustParse(t testing.TB, name string) selector.Rule {
	t.Helper()
	r, err := selector.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func choose(t testing.TB, name string, e *selector.Evidence) selector.Choice {
	t.Helper()
	return chooseBy(t, mustParse(t, name), e)
}

func chooseBy(t testing.TB, rule selector.Rule, e *selector.Evidence) selector.Choice {
	t.Helper()
	c, err := rule.Choose(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// selectBy binds the rule to the sources and lets it select.
func selectBy(t testing.TB, rule selector.Rule, sources selector.Sources, candidates []rcvae.Candidate) rcvae.Selection {
	t.Helper()
	s, err := selector.New(rule, sources, selector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	selection, err := s.Select(t.Context(), "question", candidates)
	if err != nil {
		t.Fatal(err)
	}
	return selection
}
