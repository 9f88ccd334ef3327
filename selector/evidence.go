package selector

import (
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
	class      []int             // (n), numbered in the order of their first candidates
	classes    int
	signals    [][]float64 // (n) (columns); nil unless needed
	models     []inferred
	fitted     []inferred // what the model of signals says; empty unless needed
}

// inferred is what one model says of the candidates.
type inferred struct {
	info       rcvae.ModelInfo
	inferences []rcvae.Inference // (n)
}

// Evidence returns what is known of a subset of the question's candidates, given as
// positions in the order to look at them; nil is all.
func (p *Prepared) Evidence(subset []int) (*Evidence, error) {
	if subset == nil {
		subset = positions(len(p.class))
	}
	if len(subset) == 0 {
		return nil, rcvae.ErrNoCandidates
	}
	for _, i := range subset {
		if i < 0 || i >= len(p.class) {
			return nil, fmt.Errorf("candidate %d of %d is asked for", i+1, len(p.class))
		}
	}
	e := &Evidence{prepared: p, need: p.need, index: subset, candidates: at(p.encoded.Candidates, subset), class: at(p.class, subset), signals: p.signalsOf(subset)}
	e.classes = renumber(e.class)
	var err error
	if e.models, err = p.inferAll(p.models, subset, e.signals); err != nil {
		return nil, err
	}
	e.fitted, err = p.inferAll(p.fitted, subset, e.signals)
	return e, err
}

// inferAll returns what each of the models says of a subset.
func (p *Prepared) inferAll(models []*asked, subset []int, signals [][]float64) ([]inferred, error) {
	var all []inferred
	for _, m := range models {
		inferences, err := p.infer(*m, subset, signals)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		all = append(all, inferred{m.info, inferences})
	}
	return all, nil
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

// seenBy returns the evidence as the score sees it: that of signals asks the model of
// signals in place of the others.
func (e *Evidence) seenBy(s Score) *Evidence {
	if !s.Needs.Has(NeedSignalModel) || len(e.fitted) == 0 { // or it is seen so already
		return e
	}
	seen := *e
	seen.models, seen.fitted = e.fitted, nil
	return &seen
}

// InDistribution returns the mean of [rcvae.Inference].InDistribution over the models
// for candidate i, from 0 for an out-of-distribution text to 1; 1 without a model.
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

// meanOverModels returns the mean of f for candidate i; 0 without a model.
func (e *Evidence) meanOverModels(i int, f func(rcvae.Inference, rcvae.Calibration) float64) float64 {
	var sum float64
	for _, m := range e.models {
		sum += f(m.inferences[i], m.info.Calibration)
	}
	return sum / float64(max(1, len(e.models)))
}
