package eval

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"rcvae"
	"rcvae/selector"
)

// embedChunk is how many questions are embedded in one call: enough texts for the
// embedder to sort them by length.
const embedChunk = 32

// Run measures the selectors on the questions of one pool. The result holds one
// [Pool]; join the Pools of several runs for one result. Run reports a bad config,
// missing sources, and an empty pool.
func Run(ctx context.Context, c Config, questions []Question, src selector.Sources) (*Result, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("eval config: %w", err)
	}
	if c.ModelNames != nil && len(c.ModelNames) != len(src.Models) {
		return nil, fmt.Errorf("eval config: %d names for %d models", len(c.ModelNames), len(src.Models))
	}
	kept, census, err := sift(questions)
	if err != nil {
		return nil, err
	}
	rules, err := c.rules(kept, src)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(c, src, rules)
	if err != nil {
		return nil, err
	}
	if err := p.sources.Check(p.need); err != nil {
		return nil, err
	}
	outcomes, timed, err := p.measureAll(ctx, kept)
	if err != nil {
		return nil, err
	}
	pool := p.summarize(kept, outcomes, census)
	if c.Timing {
		if err := p.time(timed, pool.Selectors); err != nil {
			return nil, err
		}
	}
	return &Result{Version: Version, Run: RunInfo{Seed: c.Seed, Config: &c}, Pools: []Pool{pool}}, nil
}

// census counts what a pool holds.
type census struct {
	candidates, ungraded int // candidates kept and left out
	empty                int // questions left out: no graded candidate
	min, max             int // candidates of a question
	silentRight          int // graded right, and yet without an answer that votes
	answered             int // candidates that vote
}

// sift drops what could not be graded, and counts.
func sift(questions []Question) ([]Question, census, error) {
	var s census
	kept := make([]Question, 0, len(questions))
	for _, q := range questions {
		if len(q.Correct) != len(q.Candidates) || q.Graded != nil && len(q.Graded) != len(q.Candidates) {
			return nil, s, fmt.Errorf("question %s: %d candidates, %d verdicts", q.ID, len(q.Candidates), len(q.Correct))
		}
		graded := q
		graded.Candidates, graded.Correct, graded.Graded = nil, nil, nil
		for i, c := range q.Candidates {
			if q.Graded != nil && !q.Graded[i] {
				s.ungraded++
				continue
			}
			graded.Candidates = append(graded.Candidates, c)
			graded.Correct = append(graded.Correct, q.Correct[i])
			switch {
			case c.Votes():
				s.answered++
			case q.Correct[i]:
				s.silentRight++
			}
		}
		n := len(graded.Candidates)
		if n == 0 {
			s.empty++
			continue
		}
		if len(kept) == 0 {
			s.min = n
		}
		s.min, s.max = min(s.min, n), max(s.max, n)
		s.candidates += n
		kept = append(kept, graded)
	}
	if len(kept) == 0 {
		return nil, s, errors.New("the pool has no graded candidates; grade it first, or check the sampler that was asked for")
	}
	return kept, s, nil
}

// embedded is a question with its embeddings, nil where none are needed.
type embedded struct {
	Question
	question  rcvae.Embedding
	solutions []rcvae.Embedding
}

// measureAll returns an outcome for every question, in their order, and the first
// questions with their embeddings for timing. Texts are embedded on the caller's
// goroutine while others score.
func (p plan) measureAll(ctx context.Context, questions []Question) ([]outcome, []embedded, error) {
	workers := p.config.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group, stop := errgroup.WithContext(ctx) // stop ends with the first error
	group.SetLimit(workers)
	outcomes := make([]outcome, len(questions))
	var timed []embedded
	var mu sync.Mutex
	done := 0
	var embedErr error
	for from := 0; from < len(questions) && stop.Err() == nil; from += embedChunk {
		var chunk []embedded
		if chunk, embedErr = p.embed(stop, questions[from:min(from+embedChunk, len(questions))]); embedErr != nil {
			break
		}
		if len(timed) < timedQuestions {
			timed = append(timed, chunk...)
		}
		for i, q := range chunk {
			group.Go(func() (err error) {
				if outcomes[from+i], err = p.measure(from+i, q.Question, q.question, q.solutions); err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				done++
				if p.config.OnQuestion != nil {
					p.config.OnQuestion(done, len(questions))
				}
				return nil
			})
		}
	}
	err := group.Wait()
	if err == nil {
		err = embedErr
	}
	if err == nil {
		err = ctx.Err()
	}
	return outcomes, timed, err
}

// embed embeds all texts of the questions in one call.
func (p plan) embed(ctx context.Context, questions []Question) ([]embedded, error) {
	out := make([]embedded, len(questions))
	var texts []string
	for i, q := range questions {
		out[i].Question = q
		texts = append(texts, q.Question)
		for _, c := range q.Candidates {
			texts = append(texts, c.Text)
		}
	}
	if !p.need.Has(selector.NeedEmbeddings) {
		return out, nil
	}
	embeddings, err := p.sources.Embedder.Embed(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("embed %d texts: %w", len(texts), err)
	}
	if len(embeddings) != len(texts) {
		return nil, fmt.Errorf("embed %d texts: got %d embeddings", len(texts), len(embeddings))
	}
	for i, q := range questions {
		out[i].question, embeddings = embeddings[0], embeddings[1:]
		n := len(q.Candidates)
		out[i].solutions, embeddings = embeddings[:n:n], embeddings[n:]
	}
	return out, nil
}
