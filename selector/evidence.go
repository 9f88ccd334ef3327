package selector

import (
	"context"
	"fmt"
	"math"

	"rcvae"
)

// Evidence is everything that rules look at for the n candidates of one question,
// computed once. It does not change afterwards and may be shared.
type Evidence struct {
	n          int
	need       Needs
	columns    [scoreCount][]float64 // (n) each, higher is better; nil if not needed
	similarity []float64             // (n, n), exp(20·(rᵢ·rⱼ − 1)); nil if not needed
	class      []int                 // (n) class of equal answers; −1: does not vote
	classes    int                   // number of classes
	tau        float64               // τ of votes by a model's score
	familiar   []float64             // (n), see [rcvae.FamiliarModel]; nil if no model can tell
	verdicts   []bool                // (n); nil unless set by [Evidence.WithVerdicts]
	models     []opinion
	all        []int // 0 … n−1
}

// opinion is what one model says of the n candidates.
type opinion struct {
	tau        float64
	posteriors []rcvae.Posterior     // (n)
	familiar   []float64             // (n); nil for a model that cannot tell
	columns    [scoreCount][]float64 // (n), only those that a model gives
}

// Gather embeds the question and all candidates in one call and returns the
// evidence that rules with these needs look at. NaN or infinite scores are an
// error.
func Gather(ctx context.Context, question string, candidates []rcvae.Candidate, src Sources, need Needs) (*Evidence, error) {
	if err := src.Check(need); err != nil {
		return nil, err
	}
	if !need.Has(NeedEmbeddings) {
		return src.Weigh(nil, nil, candidates, need)
	}
	texts := make([]string, 0, 1+len(candidates))
	texts = append(texts, question)
	for _, c := range candidates {
		texts = append(texts, c.Text)
	}
	embeddings, err := src.Embedder.Embed(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("embed the question and %d candidates: %w", len(candidates), err)
	}
	if len(embeddings) != len(texts) {
		return nil, fmt.Errorf("embed the question and %d candidates: got %d embeddings, want %d", len(candidates), len(embeddings), len(texts))
	}
	return src.Weigh(embeddings[0], embeddings[1:], candidates, need)
}

// Weigh is [Gather] for texts that are embedded already: solutions[i] belongs to
// candidates[i]. Both embeddings may be nil if need lacks NeedEmbeddings.
func (s Sources) Weigh(question rcvae.Embedding, solutions []rcvae.Embedding, candidates []rcvae.Candidate, need Needs) (*Evidence, error) {
	if len(candidates) == 0 {
		return nil, rcvae.ErrNoCandidates
	}
	n := len(candidates)
	e := &Evidence{n: n, need: need, tau: defaultTau, all: make([]int, n)}
	for i := range e.all {
		e.all[i] = i
	}
	if need.Has(NeedEmbeddings) {
		if len(solutions) != n {
			return nil, fmt.Errorf("%d embeddings for %d candidates", len(solutions), n)
		}
		for i, r := range solutions {
			if len(r) != len(question) {
				return nil, fmt.Errorf("embedding of candidate %d has dimension %d, that of the question %d", i+1, len(r), len(question))
			}
		}
	}
	if need.Has(needSimilarity) {
		e.similarity = similarities(solutions)
	}
	e.class, e.classes = Classes(candidates, s.Grader)
	if err := e.readCandidates(candidates); err != nil {
		return nil, err
	}
	if need.Has(NeedModel) {
		if len(s.Models) == 0 {
			return nil, errNoModel
		}
		for i, m := range s.Models {
			o, err := opinionOf(m, question, solutions, need)
			if err != nil {
				return nil, fmt.Errorf("model %d: %w", i+1, err)
			}
			e.models = append(e.models, o)
		}
		e.average(e.models)
	}
	return e, e.checkFinite()
}

// readCandidates fills the columns that come from the candidates themselves.
func (e *Evidence) readCandidates(candidates []rcvae.Candidate) error {
	for id, s := range scores {
		if s.candidate == nil || !e.need.Has(s.needs) {
			continue
		}
		column := make([]float64, e.n)
		for i, c := range candidates {
			v, err := s.candidate(c)
			if err != nil {
				return fmt.Errorf("selector %s: candidate %d %w", s.name, i+1, err)
			}
			column[i] = v
		}
		e.columns[id] = column
	}
	return nil
}

// opinionOf asks the model for all that the needs call for.
func opinionOf(m rcvae.Model, question rcvae.Embedding, solutions []rcvae.Embedding, need Needs) (opinion, error) {
	calibration := calibrationOf(m)
	o := opinion{tau: calibration.Tau}
	var err error
	if o.posteriors, err = m.Posteriors(question, solutions); err != nil {
		return o, fmt.Errorf("posteriors: %w", err)
	}
	if len(o.posteriors) != len(solutions) {
		return o, fmt.Errorf("posteriors: got %d, want %d", len(o.posteriors), len(solutions))
	}
	if m, ok := m.(rcvae.FamiliarModel); ok && calibration.Far > 0 {
		if o.familiar, err = m.Familiarity(question, solutions); err != nil {
			return o, fmt.Errorf("familiarity: %w", err)
		}
		if len(o.familiar) != len(solutions) {
			return o, fmt.Errorf("familiarity: got %d values, want %d", len(o.familiar), len(solutions))
		}
	}
	var likelihoods []rcvae.Likelihood
	if need.Has(NeedLikelihoods) {
		decoder, ok := m.(rcvae.LikelihoodModel)
		if !ok {
			return o, errNoDecoder
		}
		if likelihoods, err = decoder.Likelihoods(question, solutions); err != nil {
			return o, fmt.Errorf("likelihoods: %w", err)
		}
		if len(likelihoods) != len(solutions) {
			return o, fmt.Errorf("likelihoods: got %d, want %d", len(likelihoods), len(solutions))
		}
	}
	for id, s := range scores {
		if s.posterior == nil && s.likelihood == nil || !need.Has(s.needs) {
			continue
		}
		column := make([]float64, len(solutions))
		for i := range column {
			if s.posterior != nil {
				column[i] = s.posterior(o.posteriors[i], calibration)
			} else {
				column[i] = s.likelihood(likelihoods[i], calibration)
			}
		}
		o.columns[id] = column
	}
	return o, nil
}

// average sets the models' columns, and what derives from them, to the mean over
// the opinions.
func (e *Evidence) average(opinions []opinion) {
	e.tau = 0
	for _, o := range opinions {
		e.tau += o.tau / float64(len(opinions))
	}
	e.familiar = familiarity(opinions)
	for id := range scores {
		if opinions[0].columns[id] == nil {
			continue
		}
		column := make([]float64, e.n)
		for _, o := range opinions {
			for i, v := range o.columns[id] {
				column[i] += v / float64(len(opinions))
			}
		}
		e.columns[id] = column
	}
	if e.need.Has(scores[scoreEntropyLogProb].needs) {
		column := make([]float64, e.n)
		for i := range column {
			column[i] = fusedEntropy*e.columns[scoreEntropy][i] + fusedLogProb*e.columns[scoreLogProb][i]
		}
		e.columns[scoreEntropyLogProb] = column
	}
}

// familiarity returns the mean over the opinions that can tell, or nil.
func familiarity(opinions []opinion) []float64 {
	var mean []float64
	tell := 0.0
	for _, o := range opinions {
		if o.familiar == nil {
			continue
		}
		if mean == nil {
			mean = make([]float64, len(o.familiar))
		}
		tell++
		for i, f := range o.familiar {
			mean[i] += f
		}
	}
	for i := range mean {
		mean[i] /= tell
	}
	return mean
}

// strangers returns how many of the candidates have a familiarity of 0.
func (e *Evidence) strangers() (n int) {
	for _, f := range e.familiar {
		if f == 0 {
			n++
		}
	}
	return n
}

func (e *Evidence) checkFinite() error {
	for i, f := range e.familiar {
		if !(f >= 0 && f <= 1) {
			return fmt.Errorf("the familiarity of candidate %d is %v, want 0 to 1", i+1, f)
		}
	}
	for id, column := range e.columns {
		for i, v := range column {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("selector %s: the score of candidate %d is %v", scores[id].name, i+1, v)
			}
		}
	}
	return nil
}

// Len returns the number n of candidates.
func (e *Evidence) Len() int { return e.n }

// Class returns the class of equal answers that candidate i belongs to, or −1 if
// it does not vote.
func (e *Evidence) Class(i int) int { return e.class[i] }

// Models returns the number of models that were asked.
func (e *Evidence) Models() int { return len(e.models) }

// Posteriors returns the posteriors of model m, one a candidate. They are not to
// be changed.
func (e *Evidence) Posteriors(m int) []rcvae.Posterior { return e.models[m].posteriors }

// Familiarity returns how familiar the candidates are to model m, see
// [rcvae.FamiliarModel], or nil if it cannot tell. It is not to be changed.
func (e *Evidence) Familiarity(m int) []float64 { return e.models[m].familiar }

// Alone returns the evidence as if only model m had been asked.
func (e *Evidence) Alone(m int) *Evidence {
	alone := *e
	alone.models = e.models[m : m+1]
	alone.average(alone.models)
	return &alone
}

// WithVerdicts returns the evidence together with the graded verdicts, for the
// rule "oracle" in an evaluation. No other rule looks at them.
func (e *Evidence) WithVerdicts(correct []bool) *Evidence {
	graded := *e
	graded.need |= NeedVerdicts
	graded.verdicts = correct
	return &graded
}
