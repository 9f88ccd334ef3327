package selector

import (
	"errors"
	"fmt"

	"rcvae"
)

var (
	errNoModel   = errors.New("a trained model is needed")
	errNoDecoder = errors.New("a model with a decoder is needed")
)

// Sources is what evidence is gathered from. A rule says in its Needs which of
// them it uses; the others may be nil. Selectors and evaluations use them from
// several goroutines at once.
type Sources struct {
	Embedder rcvae.Embedder
	Models   []rcvae.Model // several: their scores are averaged
	Grader   rcvae.Grader  // tells which answers are the same; nil: equal strings
}

// Calibrated is a model that can say how its scores are to be scaled and
// weighted. A model that cannot gets Scale 0.2 and τ 0.5.
type Calibrated interface {
	Calibration() rcvae.Calibration
}

// fingerprinted is a model that names the embedder it was trained on.
type fingerprinted interface {
	Fingerprint() rcvae.Fingerprint
}

// Have returns what the sources can serve. Log-probabilities and answers come
// with the candidates, see [Given].
func (s Sources) Have() Needs {
	var have Needs
	if s.Embedder != nil {
		have |= NeedEmbeddings
	}
	if len(s.Models) == 0 {
		return have
	}
	have |= NeedModel | NeedLikelihoods | NeedRatio
	for _, m := range s.Models {
		if _, ok := m.(rcvae.LikelihoodModel); !ok {
			have &^= NeedLikelihoods | NeedRatio
		}
		if calibrationOf(m).Objective != objectiveRatio {
			have &^= NeedRatio
		}
	}
	return have
}

// Given returns what the candidates bring along: log-probabilities if every one
// has them, answers if any one votes.
func Given(candidates []rcvae.Candidate) Needs {
	if len(candidates) == 0 {
		return 0
	}
	given := NeedLogProbs
	for _, c := range candidates {
		if c.LogProb == nil || c.Tokens < 1 {
			given &^= NeedLogProbs
		}
		if c.Votes() {
			given |= NeedAnswers
		}
	}
	return given
}

// Check reports every reason why the sources cannot serve the needs: something
// missing, or a model trained on another embedder.
func (s Sources) Check(need Needs) error {
	const served = NeedEmbeddings | NeedModel | NeedLikelihoods | NeedRatio
	missing := need & served &^ s.Have()
	var errs []error
	if missing.Has(NeedEmbeddings) {
		errs = append(errs, errors.New("an embedder is needed"))
	}
	switch {
	case missing.Has(NeedModel):
		errs = append(errs, errNoModel)
	case missing.Has(NeedLikelihoods):
		errs = append(errs, errNoDecoder)
	case missing.Has(NeedRatio):
		errs = append(errs, errors.New(`a model trained with the objective "ratio" is needed`))
	}
	embedder, ok := s.Embedder.(rcvae.FingerprintedEmbedder)
	if !ok || !need.Has(NeedModel) {
		return errors.Join(errs...)
	}
	for i, m := range s.Models {
		if m, ok := m.(fingerprinted); ok && m.Fingerprint() != embedder.Fingerprint() {
			errs = append(errs, fmt.Errorf("model %d was trained on embeddings of %v, not of %v; use that embedder or train again",
				i+1, m.Fingerprint(), embedder.Fingerprint()))
		}
	}
	return errors.Join(errs...)
}

// calibrationOf returns the model's calibration with defaults for what is zero.
func calibrationOf(m rcvae.Model) rcvae.Calibration {
	var c rcvae.Calibration
	if m, ok := m.(Calibrated); ok {
		c = m.Calibration()
	}
	if c.Scale == 0 {
		c.Scale = defaultScale
	}
	if c.Tau == 0 {
		c.Tau = defaultTau
	}
	return c
}
