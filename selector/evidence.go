package selector

import (
	"errors"
	"fmt"

	"rcvae"
)

// Evidence is everything that rules look at for n candidates of one question. Scores
// are computed from it by [Evidence.Column]. It does not change and may be shared by
// goroutines; what its methods return is not to be changed.
type Evidence struct {
	prepared   *Prepared
	need       Needs
	index      []int             // (n), positions among the question's candidates
	candidates []rcvae.Candidate // (n)
	votes      []bool            // (n)
	class      []int             // (n), numbered in the order of their first candidates
	classes    int
	models     []evidenceModel
	signals    [][]float64 // (n) (columns); nil unless needed
}

// evidenceModel is what one model says of the candidates.
type evidenceModel struct {
	info       rcvae.ModelInfo
	inferences []rcvae.Inference // (n)
}

// Evidence returns what is known of a subset of the question's candidates, given as
// positions in the order to look at them; nil is all.
func (p *Prepared) Evidence(subset []int) (*Evidence, error) {
	if subset == nil {
		subset = p.all()
	}
	if len(subset) == 0 {
		return nil, rcvae.ErrNoCandidates
	}
	e := &Evidence{
		prepared: p, need: p.need, index: subset, candidates: make([]rcvae.Candidate, len(subset)),
		votes: make([]bool, len(subset)), class: make([]int, len(subset)),
	}
	for a, i := range subset {
		if i < 0 || i >= len(p.votes) {
			return nil, fmt.Errorf("candidate %d of %d is asked for", i+1, len(p.votes))
		}
		e.candidates[a], e.votes[a], e.class[a] = p.encoded.Candidates[i], p.votes[i], p.class[i]
	}
	e.classes = renumber(e.class)
	return e, e.infer()
}

// infer reads the signals and asks the models, where that depends on the subset.
func (e *Evidence) infer() error {
	e.signals = e.prepared.signalsOf(e.index)
	for i, m := range e.prepared.models {
		inferences, err := e.prepared.infer(m, e.index, e.signals)
		if err != nil {
			return fmt.Errorf("model %d: %w", i+1, err)
		}
		e.models = append(e.models, evidenceModel{m.info, inferences})
	}
	return nil
}

// Len returns the number n of candidates.
func (e *Evidence) Len() int { return len(e.index) }

// Question returns the question's text.
func (e *Evidence) Question() string { return e.prepared.encoded.Problem.Question }

// Candidates returns the candidates, without their verdicts unless the evidence was
// prepared for NeedVerdicts.
func (e *Evidence) Candidates() []rcvae.Candidate { return e.candidates }

// Embedding returns the embedding of candidate i. It needs NeedEmbeddings.
func (e *Evidence) Embedding(i int) rcvae.Embedding {
	return e.prepared.encoded.Solutions[e.index[i]].Embedding
}

// QuestionEmbedding returns the embedding of the question. It needs NeedEmbeddings.
func (e *Evidence) QuestionEmbedding() rcvae.Embedding { return e.prepared.encoded.Embedding }

// Class returns the class of equal answers that candidate i belongs to, from 0, or −1
// if it does not vote. Without NeedAnswers it is −1.
func (e *Evidence) Class(i int) int { return e.class[i] }

// Models returns the number of models that were asked.
func (e *Evidence) Models() int { return len(e.models) }

// Info returns what model m was trained on and how it is calibrated.
func (e *Evidence) Info(m int) rcvae.ModelInfo { return e.models[m].info }

// Inferences returns what model m says of the candidates, (n).
func (e *Evidence) Inferences(m int) []rcvae.Inference { return e.models[m].inferences }

// Alone returns the evidence as if only model m had been asked.
func (e *Evidence) Alone(m int) *Evidence {
	alone := *e
	alone.models = e.models[m : m+1]
	return &alone
}

// InDistribution returns how like the texts that the models were trained on candidate
// i is, from 0 to 1: the mean of [rcvae.Inference].InDistribution over the models, 1
// without a model.
func (e *Evidence) InDistribution(i int) float64 {
	if len(e.models) == 0 {
		return 1
	}
	return e.meanOverModels(i, func(x rcvae.Inference, _ rcvae.Calibration) float64 { return x.InDistribution })
}

// Entropy returns the posterior entropy of candidate i without its constant, ½ Σ ln σ²
// in nats, as the models have it: neither scaled nor discounted. It is the mean over
// the models, and ok is false without one.
func (e *Evidence) Entropy(i int) (nats float64, ok bool) {
	return e.meanOverModels(i, func(x rcvae.Inference, _ rcvae.Calibration) float64 { return x.Posterior.HalfLogVar() }), len(e.models) > 0
}

// tau returns the mean of the models' τ.
func (e *Evidence) tau() (float64, error) {
	if len(e.models) == 0 {
		return 0, errors.New("there is neither a τ nor a model that is calibrated; set the Tau of the score or of the rule")
	}
	return e.meanOverModels(0, func(_ rcvae.Inference, c rcvae.Calibration) float64 { return c.Tau }), nil
}

// meanOverModels returns the mean of f for candidate i; 0 without a model.
func (e *Evidence) meanOverModels(i int, f func(rcvae.Inference, rcvae.Calibration) float64) float64 {
	var sum float64
	for _, m := range e.models {
		sum += f(m.inferences[i], m.info.Calibration)
	}
	return sum / float64(max(1, len(e.models)))
}
