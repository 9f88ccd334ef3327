package selector

import (
	"context"
	"fmt"
	"math"
	"slices"

	"rcvae"
	"rcvae/signal"
)

// unitTolerance is how far an embedding's length may be from 1.
const unitTolerance = 1e-3

// Prepared holds what was computed once for a question and is the same for every
// subset of its n candidates. It does not change and may be shared by goroutines.
type Prepared struct {
	encoded rcvae.Encoded
	need    Needs
	class   []int // (n), classes of equal answers; −1: does not vote, or without NeedAnswers
	models  []*asked
	fitted  []*asked        // the model of signals; empty unless needed
	signals *signal.Reading // of all candidates; nil unless needed
}

// asked is a model with what it says of the candidates.
type asked struct {
	model      rcvae.Model
	name       string // for errors
	info       rcvae.ModelInfo
	columns    []int             // (S), its signals, as columns of package signal
	compares   bool              // some of them compare candidates
	silent     bool              // it knows nothing of such a question, or of such candidates
	inferences []rcvae.Inference // (n); nil if it compares: they depend on the subset
}

// Prepare embeds the question and all candidates in one call and computes what rules
// with these needs look at. Verdicts are forgotten unless NeedVerdicts is among them.
func Prepare(ctx context.Context, question string, candidates []rcvae.Candidate, sources Sources, need Needs) (*Prepared, error) {
	encoded := rcvae.Encoded{Question: rcvae.Question{Problem: rcvae.Problem{Question: question}, Candidates: candidates}}
	if err := sources.Check(need); err != nil {
		return nil, err
	}
	need = sources.Complete(need)
	if need.Has(NeedEmbeddings) && len(candidates) > 0 {
		embeddings, err := sources.Embedder.Embed(ctx, encoded.Texts())
		if err == nil && len(embeddings) != 1+len(candidates) {
			err = fmt.Errorf("got %d embeddings, want %d", len(embeddings), 1+len(candidates))
		}
		if err != nil {
			return nil, fmt.Errorf("embed the question and %d candidates: %w", len(candidates), err)
		}
		encoded.Embedding = embeddings[0]
		for _, r := range embeddings[1:] {
			encoded.Solutions = append(encoded.Solutions, rcvae.Solution{Embedding: r})
		}
	}
	return prepare(ctx, encoded, sources, need)
}

// PrepareEncoded is [Prepare] for a question whose texts are embedded already; the
// sources need no embedder, and if they have one it must be that of the models.
// Embeddings may be missing if the needs lack NeedEmbeddings. Signals are computed
// from the texts; those of the encoded question are not used.
func PrepareEncoded(ctx context.Context, encoded rcvae.Encoded, sources Sources, need Needs) (*Prepared, error) {
	return prepare(ctx, encoded, sources, need)
}

func prepare(ctx context.Context, encoded rcvae.Encoded, sources Sources, need Needs) (*Prepared, error) {
	n := len(encoded.Candidates)
	if n == 0 {
		return nil, rcvae.ErrNoCandidates
	}
	if err := sources.checkModels(need); err != nil {
		return nil, err
	}
	need = sources.Complete(need)
	if need.Has(NeedEmbeddings) {
		if err := checkEmbeddings(encoded); err != nil {
			return nil, err
		}
	}
	if need.Has(NeedLogProbs) && MissingLogProbs(encoded.Candidates) == n {
		return nil, errNoLogProbs
	}
	p := &Prepared{encoded: encoded, need: need, class: slices.Repeat([]int{-1}, n)}
	if need.Has(NeedAnswers) {
		var err error
		if p.class, err = classesContext(ctx, encoded.Candidates, sources.Grader); err != nil {
			return nil, err
		}
	}
	if !need.Has(NeedVerdicts) {
		p.encoded.Candidates = slices.Clone(encoded.Candidates)
		for i := range p.encoded.Candidates {
			p.encoded.Candidates[i].Verdict = rcvae.Ungraded
		}
	}
	return p, p.ask(ctx, sources)
}

// checkEmbeddings returns an error unless there is one embedding per text, all of one
// dimension, finite and of unit length.
func checkEmbeddings(encoded rcvae.Encoded) error {
	if len(encoded.Solutions) != len(encoded.Candidates) {
		return fmt.Errorf("%d embeddings for %d candidates", len(encoded.Solutions), len(encoded.Candidates))
	}
	if err := checkUnit(encoded.Embedding, len(encoded.Embedding)); err != nil {
		return fmt.Errorf("embedding of the question %w", err)
	}
	for i, s := range encoded.Solutions {
		if err := checkUnit(s.Embedding, len(encoded.Embedding)); err != nil {
			return fmt.Errorf("embedding of candidate %d %w", i+1, err)
		}
	}
	return nil
}

func checkUnit(r rcvae.Embedding, dimension int) error {
	if len(r) != dimension {
		return fmt.Errorf("has dimension %d, that of the question %d", len(r), dimension)
	}
	if length := math.Sqrt(dot(r, r)); !(math.Abs(length-1) <= unitTolerance) {
		return fmt.Errorf("has length %.4g, want 1; embedders normalise their vectors", length)
	}
	return nil
}

// ask reads the signals and asks the models for what does not depend on the subset.
func (p *Prepared) ask(ctx context.Context, sources Sources) error {
	if err := p.addModels(sources); err != nil {
		return err
	}
	if p.need.Has(NeedSignals) {
		p.signals = signal.Read(p.encoded.Problem.Question, p.encoded.Candidates)
	}
	all := positions(len(p.class))
	for _, m := range slices.Concat(p.models, p.fitted) {
		if m.compares {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var err error
		if m.inferences, err = p.infer(*m, all, p.signalsOf(all)); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if p.signals == nil && slices.ContainsFunc(m.inferences, discounted) {
			p.signals = signal.Read(p.encoded.Problem.Question, p.encoded.Candidates)
		}
	}
	return nil
}

// addModels lists the models that are to be asked.
func (p *Prepared) addModels(sources Sources) error {
	add := func(list *[]*asked, model rcvae.Model, name string, silent bool) error {
		columns, compares, err := findSignals(model.Info())
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(columns) > 0 {
			p.need |= NeedSignals
			silent = silent || p.manyPrograms()
		}
		*list = append(*list, &asked{model: model, name: name, info: model.Info(), columns: columns, compares: compares, silent: silent})
		return nil
	}
	if p.need.Has(NeedModel) {
		for i, model := range sources.Models {
			if err := add(&p.models, model, fmt.Sprintf("model %d", i+1), false); err != nil {
				return err
			}
		}
	}
	// Beside other models it stands in for them where they do not apply.
	if p.need.Has(NeedSignalModel) || p.need.Has(NeedModel) && sources.Signals != nil {
		return add(&p.fitted, sources.Signals, "the model of signals", !signal.WordProblem(p.encoded.Problem.Question))
	}
	return nil
}

// isProgram reports whether a candidate is a program, of which signals, learned on
// prose, say nothing.
func isProgram(c rcvae.Candidate) bool { return signal.Program(c.Text) }

// manyPrograms reports whether a quarter of the candidates or more are programs: then
// programs are a kind of their own, and signals of prose say nothing of how the prose
// compares with them either.
func (p *Prepared) manyPrograms() bool {
	programs := 0
	for _, c := range p.encoded.Candidates {
		if isProgram(c) {
			programs++
		}
	}
	return 4*programs >= len(p.encoded.Candidates)
}

// discounted reports whether checked arithmetic stands in for part of what the model
// says, see [Column].
func discounted(i rcvae.Inference) bool { return i.InDistribution < 1 }

// infer returns what a model says of a subset with these signals: it is asked once, or
// was asked before.
func (p *Prepared) infer(m asked, subset []int, signals [][]float64) ([]rcvae.Inference, error) {
	if m.inferences != nil {
		return at(m.inferences, subset), nil
	}
	solutions := make([]rcvae.Solution, len(subset))
	embedding := p.encoded.Embedding
	if m.info.Fingerprint.Dimension == 0 {
		embedding = nil
	}
	for a, i := range subset {
		if embedding != nil {
			solutions[a].Embedding = p.encoded.Solutions[i].Embedding
		}
		if len(m.columns) > 0 {
			solutions[a].Signals = at(signals[a], m.columns)
		}
	}
	inferences, err := m.model.Infer(embedding, solutions, p.need.Has(NeedLikelihoods))
	if err != nil {
		return nil, err
	}
	if len(inferences) != len(subset) {
		return nil, fmt.Errorf("%d inferences for %d candidates", len(inferences), len(subset))
	}
	for a, i := range subset {
		w := &inferences[a].InDistribution
		if !(*w >= 0 && *w <= 1) {
			return nil, fmt.Errorf("the in-distribution weight of candidate %d is %v, want 0 to 1", i+1, *w)
		}
		if m.silent || len(m.columns) > 0 && isProgram(p.encoded.Candidates[i]) {
			*w = 0
		}
	}
	return inferences, nil
}

// at returns the values at these positions.
func at[T any](values []T, positions []int) []T {
	out := make([]T, len(positions))
	for a, i := range positions {
		out[a] = values[i]
	}
	return out
}

// positions returns 0 … n−1.
func positions(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
