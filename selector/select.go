package selector

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"rcvae"
	"rcvae/signal"
)

// Options tune a selector. The zero value is good for most uses.
type Options struct {
	Tau  *float64 // τ of votes, exp(τ·score), 0 for a majority vote; nil: the rule's, the score's or the models' own
	Seed uint64   // of the rule "random"
}

// Bound is a [Rule] bound to its sources.
type Bound struct {
	rule    Rule
	sources Sources
	seed    uint64
}

var _ rcvae.Selector = (*Bound)(nil)

// New returns the selector that applies the rule. It is an error if the sources cannot
// serve it. The selector may be used concurrently if its sources may.
func New(rule Rule, sources Sources, options Options) (*Bound, error) {
	if options.Tau != nil {
		rule.Tau = options.Tau
	}
	if rule.EvaluationOnly() {
		return nil, fmt.Errorf("selector %s looks at the verdicts: it is for evaluation only", rule.Name())
	}
	if err := errors.Join(rule.check(), sources.Check(rule.Needs())); err != nil {
		return nil, fmt.Errorf("selector %s: %w", rule.Name(), err)
	}
	return &Bound{rule, sources, options.Seed}, nil
}

// Rule returns the selector's rule.
func (b *Bound) Rule() Rule { return b.rule }

// LooksAtLogProbs reports whether a choice can depend on log-probabilities, by the rule
// itself or by signals of its models. It is worth asking a server for them.
func (b *Bound) LooksAtLogProbs() bool {
	need := b.rule.Needs()
	reads := func(m rcvae.Model) bool {
		return m != nil && slices.ContainsFunc(m.Info().Signals, func(name string) bool {
			return slices.ContainsFunc(signal.Find(name), func(c signal.Column) bool { return c.Group == signal.LogProb })
		})
	}
	return need.Has(NeedLogProbs) ||
		need.Has(NeedModel) && slices.ContainsFunc(b.sources.Models, reads) ||
		(need.Has(NeedModel) || need.Has(NeedSignalModel)) && reads(b.sources.Signals)
}

// Embeds reports whether a choice looks at embeddings, by the rule itself or its models.
func (b *Bound) Embeds() bool { return b.sources.Complete(b.rule.Needs()).Has(NeedEmbeddings) }

// Embed embeds the question and some of its candidates. With a cache as the embedder,
// [Bound.Select] finds them there later; nothing else comes of it.
func (b *Bound) Embed(ctx context.Context, question string, candidates []rcvae.Candidate) error {
	if !b.Embeds() {
		return nil
	}
	q := rcvae.Question{Problem: rcvae.Problem{Question: question}, Candidates: candidates}
	_, err := b.sources.Embedder.Embed(ctx, q.Texts())
	return err
}

// Select chooses one of the candidates. The reason is one sentence for people;
// warnings tell what weakened the choice.
func (b *Bound) Select(ctx context.Context, question string, candidates []rcvae.Candidate) (rcvae.Selection, error) {
	p, err := Prepare(ctx, question, candidates, b.sources, b.rule.Needs())
	if err != nil {
		return rcvae.Selection{}, fmt.Errorf("selector %s: %w", b.rule.Name(), err)
	}
	e, err := p.Evidence(nil)
	if err != nil {
		return rcvae.Selection{}, fmt.Errorf("selector %s: %w", b.rule.Name(), err)
	}
	c, err := b.rule.Choose(ctx, e)
	if err != nil {
		return rcvae.Selection{}, err
	}
	if b.rule.Aggregate == Random {
		c.Best = c.Tied[b.draw(question, len(c.Tied))]
	}
	return rcvae.Selection{
		Index: c.Best, Scores: c.Scores, Class: c.Class, Weights: c.Weights, Entropies: e.entropies(),
		Rule: b.rule.Name(), Reason: b.rule.reason(e, c), Warnings: b.rule.warnings(e, c),
	}, nil
}

// entropies returns the posterior entropies of all candidates; nil without a model.
func (e *Evidence) entropies() (nats []float64) {
	for i := range e.index {
		if h, ok := e.Entropy(i); ok {
			nats = append(nats, h)
		}
	}
	return nats
}

// draw returns a number below n that depends on the seed and the question alone.
func (b *Bound) draw(question string, n int) int {
	h := fnv.New64a()
	h.Write([]byte(question)) // a hash never fails
	return rand.New(rand.NewPCG(b.seed, h.Sum64())).IntN(n)
}
