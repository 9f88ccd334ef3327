package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"rcvae"
	"rcvae/internal/scratch"
	"rcvae/selector"
)

// embedChunk is how many questions are embedded in one call: enough texts for the
// embedder to sort them by length.
const embedChunk = 32

// Run measures the selectors on the questions of one pool. The result holds one
// [Pool]; join the Pools of several runs for one result. Run reports a bad config,
// missing sources, and an empty pool.
func Run(ctx context.Context, c Config, questions []rcvae.Question, sources selector.Sources) (*Result, error) {
	encoded := make([]rcvae.Encoded, len(questions))
	for i, q := range questions {
		encoded[i].Question = q
	}
	return RunEncoded(ctx, c, encoded, sources)
}

// RunEncoded is [Run] for questions whose texts are embedded already. Those that are not
// are embedded by the sources' embedder.
func RunEncoded(ctx context.Context, c Config, questions []rcvae.Encoded, sources selector.Sources) (*Result, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("eval config: %w", err)
	}
	if c.ModelNames != nil && len(c.ModelNames) != len(sources.Models) {
		return nil, fmt.Errorf("eval config: %d names for %d models", len(c.ModelNames), len(sources.Models))
	}
	kept, counts, err := countAll(questions)
	if err != nil {
		return nil, err
	}
	sources.Encoded = counts.embedded == counts.questions
	rules, warnings, err := c.rules(sources.Have(), counts)
	if err != nil {
		return nil, err
	}
	p := newPlan(c, sources, rules)
	p.config.OnQuestion = p.progress("", 0, len(kept))
	if err := p.check(); err != nil {
		return nil, err
	}
	p.space = scratch.New(scratch.InMemory)
	defer p.space.Close()
	outcomes, pool, err := p.measurePool(ctx, kept, counts)
	if err != nil {
		return nil, err
	}
	pool.Warnings = append(warnings, pool.Warnings...)
	if pool.Seeds, err = p.alone(ctx, kept, counts); err != nil {
		return nil, err
	}
	if c.Timing {
		if err := p.time(ctx, kept[:min(len(kept), timedQuestions)], pool.Selectors); err != nil {
			return nil, err
		}
	}
	if err := p.emit(kept, outcomes, questions); err != nil {
		return nil, err
	}
	return &Result{Version: Version, Run: RunInfo{Seed: c.Seed, Config: &c}, Pools: []Pool{pool}}, nil
}

func (p plan) measurePool(ctx context.Context, questions []rcvae.Encoded, s counts) ([]outcome, Pool, error) {
	outcomes, said, err := p.measureAll(ctx, questions)
	if err != nil {
		return nil, Pool{}, err
	}
	pool, err := p.summarize(questions, outcomes, s)
	p.addModels(&pool, said)
	return outcomes, pool, err
}

// alone measures each of several models by itself, on the rules that need one.
func (p plan) alone(ctx context.Context, questions []rcvae.Encoded, s counts) (seeds []Seed, err error) {
	if p.passes() == 1 {
		return nil, nil
	}
	var rules []selector.Rule
	for _, x := range p.contenders {
		if x.rule.Needs().Has(selector.NeedModel) {
			rules = append(rules, x.rule)
		}
	}
	for m, model := range p.sources.Models {
		c, sources := p.config, p.sources
		c.OnQuestion, c.OnDetails, c.ModelNames = p.progress(p.config.modelName(m), 1+m, len(questions)), nil, nil
		sources.Models = []rcvae.Model{model}
		one := newPlan(c, sources, rules)
		one.space = p.space
		_, pool, err := one.measurePool(ctx, questions, s)
		if err != nil {
			return nil, err
		}
		seeds = append(seeds, Seed{p.config.modelName(m), pool.Selectors, pool.ByK})
	}
	return seeds, nil
}

// passes returns how often every question is measured: by all models, and by each of
// several alone.
func (p plan) passes() int {
	if n := len(p.sources.Models); n > 1 {
		return 1 + n
	}
	return 1
}

// progress returns the hook of one pass, which tells of all.
func (p plan) progress(model string, pass, questions int) func(Progress) {
	if p.told == nil {
		return nil
	}
	return func(x Progress) { p.told(Progress{model, pass*questions + x.Done, p.passes() * questions}) }
}

// check reports which rule the sources cannot serve.
func (p plan) check() error {
	for _, x := range p.contenders {
		if err := p.sources.Check(x.rule.Needs()); err != nil {
			return fmt.Errorf("selector %s: %w", x.rule.Name(), err)
		}
	}
	return nil
}

// counts are what a pool holds.
type counts struct {
	questions            int // with a graded candidate
	embedded             int // of these
	empty                int // without one: left out
	candidates, ungraded int
	min, max             int // candidates of a question
	silentCorrect        int // graded correct, and yet without an answer that votes
	voters               int // candidates that vote
	noLogProb            int // candidates without log-probabilities or a token count
	lacking              int // questions in which all are such candidates
}

// countAll drops the questions without a graded candidate, counts, and puts the others
// into an order that does not depend on theirs: by id, and by text for one id.
func countAll(questions []rcvae.Encoded) ([]rcvae.Encoded, counts, error) {
	var s counts
	kept := make([]rcvae.Encoded, 0, len(questions))
	for _, q := range questions {
		n, ungraded := len(q.Candidates), q.Count(rcvae.Ungraded)
		if n == ungraded {
			s.empty++
			continue
		}
		if len(kept) == 0 {
			s.min = n
		}
		s.min, s.max = min(s.min, n), max(s.max, n)
		s.candidates += n
		s.ungraded += ungraded
		missing := selector.MissingLogProbs(q.Candidates)
		s.noLogProb += missing
		if missing == n {
			s.lacking++
		}
		for _, c := range q.Candidates {
			switch {
			case c.Votes():
				s.voters++
			case c.Verdict == rcvae.Correct:
				s.silentCorrect++
			}
		}
		if len(q.Embedding) > 0 {
			s.embedded++
		}
		kept = append(kept, q)
	}
	if s.questions = len(kept); s.questions == 0 {
		return nil, s, errors.New("the pool has no graded candidates; grade it first, or check the sampler that was asked for")
	}
	slices.SortStableFunc(kept, func(a, b rcvae.Encoded) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), slices.CompareFunc(a.Candidates, b.Candidates, func(a, b rcvae.Candidate) int {
			return cmp.Compare(a.Text, b.Text)
		}))
	})
	return kept, s, nil
}

// measureAll returns an outcome for every question, in their order, and what the models
// said of them. Texts are embedded on the caller's goroutine while others score.
func (p plan) measureAll(ctx context.Context, questions []rcvae.Encoded) ([]outcome, *said, error) {
	group, stop := errgroup.WithContext(ctx) // stop ends with the first error
	group.SetLimit(cmp.Or(p.config.Workers, runtime.GOMAXPROCS(0)))
	outcomes, said := make([]outcome, len(questions)), newSaid(len(p.sources.Models))
	var mu sync.Mutex
	done := 0
	var embedErr error
	for from := 0; from < len(questions) && stop.Err() == nil; from += embedChunk {
		chunk := questions[from:min(from+embedChunk, len(questions))]
		if embedErr = p.embed(stop, chunk); embedErr != nil {
			break
		}
		for i, q := range chunk {
			group.Go(func() error {
				o, err := p.measure(stop, q)
				if err != nil {
					return fmt.Errorf("question %s: %w", q.ID, err)
				}
				mu.Lock()
				defer mu.Unlock()
				outcomes[from+i] = o
				said.take(outcomes)
				done++
				if p.config.OnQuestion != nil {
					p.config.OnQuestion(Progress{Done: done, Total: len(questions)})
				}
				return nil
			})
		}
	}
	return outcomes, said, cmp.Or(group.Wait(), embedErr, ctx.Err())
}

// embed embeds in one call all texts of the questions that are not embedded yet.
func (p plan) embed(ctx context.Context, questions []rcvae.Encoded) error {
	var texts []rcvae.Text
	for _, q := range questions {
		if len(q.Embedding) == 0 {
			texts = append(texts, q.Texts()...)
		}
	}
	if len(texts) == 0 || !p.need.Has(selector.NeedEmbeddings) {
		return nil
	}
	embeddings, err := p.sources.Embedder.Embed(ctx, texts)
	if err == nil && len(embeddings) != len(texts) {
		err = fmt.Errorf("got %d embeddings", len(embeddings))
	}
	if err != nil {
		return fmt.Errorf("embed %d texts: %w", len(texts), err)
	}
	for i := range questions {
		q := &questions[i]
		if len(q.Embedding) > 0 {
			continue
		}
		q.Embedding, embeddings = embeddings[0], embeddings[1:]
		q.Solutions = nil
		for _, r := range embeddings[:len(q.Candidates)] {
			q.Solutions = append(q.Solutions, rcvae.Solution{Embedding: r})
		}
		embeddings = embeddings[len(q.Candidates):]
		if err := p.space.Encoded(q); err != nil {
			return err
		}
	}
	return nil
}
