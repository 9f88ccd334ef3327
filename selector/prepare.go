package selector

import (
	"context"
	"fmt"
	"math"
	"slices"

	"rcvae"
)

// unitTolerance is how far an embedding's length may be from 1.
const unitTolerance = 1e-3

// Prepared holds what was computed once for a question and is the same for every
// subset of its n candidates. It does not change and may be shared by goroutines.
type Prepared struct {
	encoded rcvae.Encoded
	need    Needs
	votes   []bool // (n), see [rcvae.Candidate.Votes]
	class   []int  // (n), classes of equal answers, −1: does not vote, or without NeedAnswers
	models  []preparedModel

	signals     signalReader // nil unless needed
	signalNames []string     // (columns)
}

// preparedModel is a model with what it says of the candidates.
type preparedModel struct {
	model      rcvae.Model
	info       rcvae.ModelInfo
	columns    []int             // (S), its signals, as columns of the reader
	inferences []rcvae.Inference // (n); nil if they depend on the subset: some signal compares candidates
}

// Prepare embeds the question and all candidates in one call and computes what rules
// with these needs look at. Verdicts are forgotten unless NeedVerdicts is among them.
func Prepare(ctx context.Context, question string, candidates []rcvae.Candidate, sources Sources, need Needs) (*Prepared, error) {
	encoded := rcvae.Encoded{Question: rcvae.Question{Problem: rcvae.Problem{Question: question}, Candidates: candidates}}
	if len(candidates) == 0 {
		return nil, rcvae.ErrNoCandidates
	}
	if err := sources.Check(need); err != nil {
		return nil, err
	}
	if need.Has(NeedEmbeddings) {
		texts := encoded.Texts()
		embeddings, err := sources.Embedder.Embed(ctx, texts)
		if err != nil {
			return nil, fmt.Errorf("embed the question and %d candidates: %w", len(candidates), err)
		}
		if len(embeddings) != len(texts) {
			return nil, fmt.Errorf("embed the question and %d candidates: got %d embeddings, want %d", len(candidates), len(embeddings), len(texts))
		}
		encoded.Embedding = embeddings[0]
		for _, r := range embeddings[1:] {
			encoded.Solutions = append(encoded.Solutions, rcvae.Solution{Embedding: r})
		}
	}
	return PrepareEncoded(encoded, sources, need)
}

// PrepareEncoded is [Prepare] for a question whose texts are embedded already; the
// sources need no embedder, and if they have one it must be that of the models.
// Embeddings may be missing if the needs lack NeedEmbeddings. Signals are computed
// from the texts; those of the encoded question are not used.
func PrepareEncoded(encoded rcvae.Encoded, sources Sources, need Needs) (*Prepared, error) {
	candidates := encoded.Candidates
	if len(candidates) == 0 {
		return nil, rcvae.ErrNoCandidates
	}
	if err := sources.checkModels(need); err != nil {
		return nil, err
	}
	if need.Has(NeedEmbeddings) {
		if err := checkEmbeddings(encoded); err != nil {
			return nil, err
		}
	}
	if need.Has(NeedLogProbs) && MissingLogProbs(candidates) == len(candidates) {
		return nil, errNoLogProbs
	}
	p := &Prepared{encoded: encoded, need: need, votes: make([]bool, len(candidates)), class: slices.Repeat([]int{-1}, len(candidates))}
	for i, c := range candidates {
		p.votes[i] = c.Votes()
	}
	if !need.Has(NeedVerdicts) {
		p.encoded.Candidates = slices.Clone(candidates)
		for i := range p.encoded.Candidates {
			p.encoded.Candidates[i].Verdict = rcvae.Ungraded
		}
	}
	if need.Has(NeedAnswers) {
		p.class, _ = Classes(candidates, sources.Grader)
	}
	return p, p.askModels(sources)
}

// checkEmbeddings returns an error unless there is one embedding per text, all of one
// dimension, finite and of unit length.
func checkEmbeddings(encoded rcvae.Encoded) error {
	if len(encoded.Solutions) != len(encoded.Candidates) {
		return fmt.Errorf("%d embeddings for %d candidates", len(encoded.Solutions), len(encoded.Candidates))
	}
	if err := checkUnit(encoded.Embedding); err != nil {
		return fmt.Errorf("embedding of the question %w", err)
	}
	for i, s := range encoded.Solutions {
		if len(s.Embedding) != len(encoded.Embedding) {
			return fmt.Errorf("embedding of candidate %d has dimension %d, that of the question %d", i+1, len(s.Embedding), len(encoded.Embedding))
		}
		if err := checkUnit(s.Embedding); err != nil {
			return fmt.Errorf("embedding of candidate %d %w", i+1, err)
		}
	}
	return nil
}

func checkUnit(r rcvae.Embedding) error {
	if length := math.Sqrt(dot(r, r)); !(math.Abs(length-1) <= unitTolerance) {
		return fmt.Errorf("has length %.4g, want 1; embedders normalise their vectors", length)
	}
	return nil
}

// askModels reads the signals and infers what does not depend on the subset.
func (p *Prepared) askModels(sources Sources) error {
	source := sources.signalSource()
	if p.need.Has(NeedSignals) || p.need.Has(NeedModel) && slices.ContainsFunc(sources.Models, readsSignals) {
		p.signals, p.signalNames = source.read(p.encoded.Question), source.names
	}
	if !p.need.Has(NeedModel) {
		return nil
	}
	all := p.all()
	for i, model := range sources.Models {
		m := preparedModel{model: model, info: model.Info()}
		var err error
		if m.columns, err = source.find(m.info.Signals, m.info.SignalVersion); err == nil && !source.ofSet(m.columns) {
			m.inferences, err = p.infer(m, all, p.signalsOf(all))
		}
		if err != nil {
			return fmt.Errorf("model %d: %w", i+1, err)
		}
		p.models = append(p.models, m)
	}
	return nil
}

func readsSignals(m rcvae.Model) bool { return len(m.Info().Signals) > 0 }

// all returns the positions of all candidates.
func (p *Prepared) all() []int {
	all := make([]int, len(p.votes))
	for i := range all {
		all[i] = i
	}
	return all
}

// signalsOf returns the signal columns of the subset, or nil if nobody looks at them.
func (p *Prepared) signalsOf(subset []int) [][]float64 {
	if p.signals == nil {
		return nil
	}
	return p.signals(subset)
}

// infer returns what a model says of a subset with these signals: it is asked once, or
// was asked before.
func (p *Prepared) infer(m preparedModel, subset []int, signals [][]float64) ([]rcvae.Inference, error) {
	if m.inferences != nil {
		inferences := make([]rcvae.Inference, len(subset))
		for a, i := range subset {
			inferences[a] = m.inferences[i]
		}
		return inferences, nil
	}
	solutions := make([]rcvae.Solution, len(subset))
	for a, i := range subset {
		solutions[a].Embedding = p.encoded.Solutions[i].Embedding
		for _, column := range m.columns {
			solutions[a].Signals = append(solutions[a].Signals, signals[a][column])
		}
	}
	inferences, err := m.model.Infer(p.encoded.Embedding, solutions, p.need.Has(NeedLikelihoods))
	if err != nil {
		return nil, err
	}
	if len(inferences) != len(subset) {
		return nil, fmt.Errorf("%d inferences for %d candidates", len(inferences), len(subset))
	}
	for a, inference := range inferences {
		if w := inference.InDistribution; !(w >= 0 && w <= 1) {
			return nil, fmt.Errorf("the in-distribution weight of candidate %d is %v, want 0 to 1", subset[a]+1, w)
		}
	}
	return inferences, nil
}
