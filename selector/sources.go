package selector

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"rcvae"
)

// defaultTau is the τ of votes by scores that no model calibrates.
const defaultTau = 0.5

// Sources is what evidence is prepared from. A rule says in its needs which of them it
// uses; the others may be nil. They are used from several goroutines at once.
type Sources struct {
	Embedder rcvae.Embedder
	Encoded  bool          // embeddings come with the questions, see [PrepareEncoded]: no embedder is needed
	Models   []rcvae.Model // several: their scores are averaged
	Grader   rcvae.Grader  // tells which answers are the same; nil: equal strings

	// Signals is the model of the score "signals". It reads no embedding and was trained
	// on word problems of grade school: of other questions it says nothing.
	Signals rcvae.Model
}

// Have returns what the sources can serve. Log-probabilities and answers come
// with the candidates, see [Given].
func (s Sources) Have() Needs {
	have := NeedSignals
	if s.Embedder != nil || s.Encoded {
		have |= NeedEmbeddings
	}
	if s.Signals != nil {
		have |= NeedSignalModel
	}
	if len(s.Models) == 0 {
		return have
	}
	have |= NeedModel | NeedLikelihoods | NeedClasses
	for _, m := range s.Models {
		if !m.Info().Classes {
			have &^= NeedClasses
		}
	}
	return have
}

// Given returns what the candidates bring along: log-probabilities if any one has them
// (see [MissingLogProbs] for the others), and answers if any one votes.
func Given(candidates []rcvae.Candidate) Needs {
	var given Needs
	for _, c := range candidates {
		if hasLogProb(c) {
			given |= NeedLogProbs
		}
		if c.Votes() {
			given |= NeedAnswers
		}
	}
	return given
}

// Check reports every reason why the sources cannot serve the needs: something
// missing, or a model that does not fit.
func (s Sources) Check(need Needs) error {
	need = s.Complete(need)
	var errs []error
	if need.Has(NeedEmbeddings) && s.Embedder == nil && !s.Encoded {
		errs = append(errs, errors.New("an embedder is needed"))
	}
	return errors.Join(append(errs, s.checkModels(need))...)
}

// Complete returns the needs with the embeddings that the models read.
func (s Sources) Complete(need Needs) Needs {
	if need.Has(NeedModel) && (len(s.Models) == 0 || slices.ContainsFunc(s.Models, readsEmbeddings)) {
		need |= NeedEmbeddings
	}
	return need
}

func readsEmbeddings(m rcvae.Model) bool { return m.Info().Fingerprint.Dimension > 0 }

// checkModels is [Sources.Check] without the embedder's presence.
func (s Sources) checkModels(need Needs) error {
	var errs []error
	if need.Has(NeedModel) {
		errs = append(errs, s.checkTrained(need))
	}
	switch {
	case !need.Has(NeedSignalModel):
	case s.Signals == nil:
		errs = append(errs, errors.New("a model of signals is needed"))
	case readsEmbeddings(s.Signals):
		errs = append(errs, errors.New("the model of signals reads embeddings: train one without an embedder"))
	default:
		if err := checkModel(s.Signals); err != nil {
			errs = append(errs, fmt.Errorf("the model of signals: %w", err))
		}
	}
	return errors.Join(errs...)
}

// checkTrained reports why the models cannot serve the needs.
func (s Sources) checkTrained(need Needs) error {
	switch {
	case len(s.Models) == 0:
		return errors.New("a trained model is needed")
	case need.Has(NeedClasses) && !s.Have().Has(NeedClasses):
		return errors.New(`a model trained with the objective "ratio" is needed`)
	}
	var errs []error
	for i, m := range s.Models {
		if fp := m.Info().Fingerprint; s.Embedder != nil && readsEmbeddings(m) && !fp.Same(s.Embedder.Fingerprint()) {
			errs = append(errs, fmt.Errorf("model %d was trained on embeddings of %v, not of %v; use that embedder or train again", i+1, fp, s.Embedder.Fingerprint()))
		}
		if err := checkModel(m); err != nil {
			errs = append(errs, fmt.Errorf("model %d: %w", i+1, err))
		}
	}
	return errors.Join(errs...)
}

// checkModel reports a calibration or signals that are of no use here.
func checkModel(m rcvae.Model) error {
	info := m.Info()
	_, _, err := findSignals(info)
	if c := info.Calibration; !(c.Scale > 0 && c.Tau >= 0) || math.IsInf(c.Scale, 0) || math.IsInf(c.Tau, 0) {
		err = errors.Join(fmt.Errorf("its calibration has scale %v and τ %v, want a scale above 0 and a τ of at least 0; train it again", c.Scale, c.Tau), err)
	}
	return err
}
