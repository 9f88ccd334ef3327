package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/cvae"
	"rcvae/dataset"
	"rcvae/embed"
	"rcvae/eval"
	"rcvae/grade"
)

// graderFromPool is the value of --grader that takes answers and verdicts as the
// pool records them.
const graderFromPool = "pool"

// pair is one (question, solution) text pair with its verdict, ready to be embedded.
type pair struct {
	solution          string
	correct, answered bool
}

// corpus collects the texts of a training set in the order of [cvae.Data].
type corpus struct {
	questions []string
	pairs     [][]pair       // one slice a question
	items     []dataset.Item // the pool's items, for the last len(items) questions
	ungraded  int            // solutions left out: not there, or not graded
}

// addProblems adds the reference solutions.
func (c *corpus) addProblems(problems []rcvae.Problem) {
	for _, p := range problems {
		if p.Solution == "" {
			c.ungraded++
			continue
		}
		c.questions = append(c.questions, p.Question)
		c.pairs = append(c.pairs, []pair{{solution: p.Solution, correct: true, answered: true}})
	}
}

// addPool adds the graded samples of a pool. Samples without a verdict are counted
// and left out.
func (c *corpus) addPool(items []dataset.Item) {
	for _, item := range items {
		var pairs []pair
		for _, s := range item.Samples {
			if s.Correct == nil {
				c.ungraded++
				continue
			}
			pairs = append(pairs, pair{solution: s.Text, correct: *s.Correct, answered: s.Votes()})
		}
		if len(pairs) > 0 {
			c.questions = append(c.questions, item.Question)
			c.pairs = append(c.pairs, pairs)
			c.items = append(c.items, item)
		}
	}
}

// heldOut returns the pool's items that training with the config holds out.
func (c *corpus) heldOut(config cvae.Config) []dataset.Item {
	var items []dataset.Item
	first := len(c.questions) - len(c.items)
	for i, out := range cvae.Holdout(config, len(c.questions)) {
		if out && i >= first {
			items = append(items, c.items[i-first])
		}
	}
	return items
}

// texts returns the questions followed by all solutions.
func (c *corpus) texts() []string {
	texts := append([]string(nil), c.questions...)
	for _, pairs := range c.pairs {
		for _, p := range pairs {
			texts = append(texts, p.solution)
		}
	}
	return texts
}

// data joins the corpus with the embeddings of its texts.
func (c *corpus) data(embeddings []rcvae.Embedding) cvae.Data {
	q := len(c.questions)
	data := cvae.Data{Questions: embeddings[:q], Solutions: embeddings[q:]}
	for i, pairs := range c.pairs {
		for _, p := range pairs {
			data.Group = append(data.Group, i)
			data.Correct = append(data.Correct, p.correct)
			data.Answered = append(data.Answered, p.answered)
		}
	}
	return data
}

// loadPools reads pools, keeps the samples of one sampler ("" for all) and the
// first limit questions (0 for all).
func loadPools(paths []string, sampler string, limit int) ([]dataset.Item, error) {
	items, err := dataset.LoadPool(paths...)
	if err != nil {
		return nil, err
	}
	if limit > 0 && len(items) > limit {
		items = items[:limit]
	}
	if sampler == "" {
		return items, nil
	}
	kept := items[:0]
	for _, item := range items {
		if item = item.WithSampler(sampler); len(item.Samples) > 0 {
			kept = append(kept, item)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("no sample in %v has the sampler %q; leave --sampler out to use all", paths, sampler)
	}
	return kept, nil
}

// regrade replaces recorded answers and verdicts by those of the named grader. A
// candidate that cannot be graded gets no verdict.
func regrade(items []dataset.Item, kind string) error {
	for _, item := range items {
		for j := range item.Samples {
			s := &item.Samples[j]
			verdict, err := grade.Judge(kind, item.Answer, s.Text)
			if err != nil {
				return usageError{err}
			}
			s.Answer, s.AnswerFrom, s.Correct = "", "", nil
			if verdict.Extracted != nil {
				s.Answer, s.AnswerFrom = *verdict.Extracted, verdict.Rule
			}
			if verdict.Verdict != grade.Ungraded {
				correct := verdict.Verdict == grade.Correct
				s.Correct = &correct
			}
		}
	}
	return nil
}

// answerGrader returns the grader that groups equal answers: that of --grader, and
// for answers as the pool records them the one that knows numbers and LaTeX.
func answerGrader(kind string) (rcvae.Grader, error) {
	if kind == graderFromPool {
		kind = "math"
	}
	return grade.New(kind)
}

// questions converts pool items to what eval measures.
func questions(items []dataset.Item) []eval.Question {
	qs := make([]eval.Question, len(items))
	for i, item := range items {
		qs[i] = eval.Question{ID: item.ID, Question: item.Question, Candidates: item.Candidates()}
		for _, s := range item.Samples {
			qs[i].Graded = append(qs[i].Graded, s.Correct != nil)
			qs[i].Correct = append(qs[i].Correct, s.Correct != nil && *s.Correct)
		}
	}
	return qs
}

// embedQuestions fills the cache with everything that an evaluation will ask for,
// under one progress report.
func embedQuestions(ctx context.Context, cmd *cobra.Command, cache *embed.Cache, qs []eval.Question) error {
	var texts []string
	for _, q := range qs {
		texts = append(texts, q.Question)
		for _, c := range q.Candidates {
			texts = append(texts, c.Text)
		}
	}
	_, err := embedAll(ctx, cmd, cache, texts)
	return err
}
