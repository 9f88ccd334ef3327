package main

import (
	"context"
	"fmt"
	"strings"

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

// census counts the questions of a corpus that a training uses, and of these the
// mixed ones, which have right and wrong answered samples.
type census struct {
	train, trainMixed, held, heldMixed int
}

func (c *corpus) census(config cvae.Config) census {
	var n census
	for i, out := range cvae.Holdout(config, len(c.questions)) {
		all, some := &n.train, &n.trainMixed
		if out {
			all, some = &n.held, &n.heldMixed
		}
		*all++
		if mixed(c.pairs[i]) {
			*some++
		}
	}
	return n
}

func mixed(pairs []pair) bool {
	right, wrong := false, false
	for _, p := range pairs {
		right = right || p.answered && p.correct
		wrong = wrong || p.answered && !p.correct
	}
	return right && wrong
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

// samplerAll is the value of --sampler that keeps the samples of all samplers.
const samplerAll = "all"

func addSamplerFlag(cmd *cobra.Command) {
	cmd.Flags().String("sampler", "", "use the samples of this `SAMPLER`, for example top_p, or of \"all\" (default: the one with most samples in the file)")
}

// loadPool reads a pool, keeps the samples of one sampler (see [chooseSampler]) and
// the first limit questions (0 for all), and returns the sampler's name.
func loadPool(cmd *cobra.Command, path string, limit int) ([]dataset.Item, string, error) {
	items, err := dataset.LoadPool(path)
	if err != nil {
		return nil, "", err
	}
	asked, _ := cmd.Flags().GetString("sampler")
	counts := dataset.Samplers(items)
	sampler, whole := chooseSampler(asked, counts)
	if limit > 0 && len(items) > limit {
		items = items[:limit]
	}
	if whole {
		return items, sampler, nil
	}
	before := len(items)
	items = withSampler(items, sampler)
	if len(items) == 0 {
		return nil, "", fmt.Errorf("%s: no sample of the %d questions has the sampler %q; the file has %s; --sampler all takes all", path, before, sampler, samplerNames(counts))
	}
	if asked == "" {
		noteSampler(cmd, path, sampler, counts, before-len(items))
	}
	return items, sampler, nil
}

// chooseSampler returns the sampler that is asked for, or else the one with most
// samples, the first of equals; samples that name none are those of a sampler "".
// The second result tells that all samples are kept.
func chooseSampler(asked string, counts []dataset.SamplerCount) (name string, whole bool) {
	switch {
	case asked != "" && asked != samplerAll:
		return asked, false
	case asked == samplerAll && len(counts) > 1:
		return samplerAll, true
	}
	var most dataset.SamplerCount
	for _, c := range counts {
		if c.Samples > most.Samples {
			most = c
		}
	}
	return most.Name, len(counts) < 2
}

func withSampler(items []dataset.Item, sampler string) []dataset.Item {
	kept := items[:0]
	for _, item := range items {
		if item = item.WithSampler(sampler); len(item.Samples) > 0 {
			kept = append(kept, item)
		}
	}
	return kept
}

// noteSampler says which of several samplers was chosen; left is the number of
// questions without a sample of it.
func noteSampler(cmd *cobra.Command, path, sampler string, counts []dataset.SamplerCount, left int) {
	for _, c := range counts {
		if c.Name != sampler {
			continue
		}
		without := ""
		if left > 0 {
			without = fmt.Sprintf("; questions without any, left out: %d", left)
		}
		note(cmd, "%s: samples of %d samplers; %s is used (%.3g a question%s); --sampler NAME chooses another, --sampler all takes all",
			poolName(path), len(counts), samplerName(sampler), float64(c.Samples)/float64(c.Questions), without)
	}
}

func samplerName(name string) string {
	if name == "" {
		return "one without a name"
	}
	return name
}

func samplerNames(counts []dataset.SamplerCount) string {
	names := make([]string, len(counts))
	for i, c := range counts {
		names[i] = samplerName(c.Name)
	}
	return strings.Join(names, ", ")
}

// note writes a line about the work ahead to standard error, unless --quiet.
func note(cmd *cobra.Command, format string, args ...any) {
	if quiet, _ := cmd.Flags().GetBool("quiet"); !quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), cmd.Name()+": "+format+"\n", args...)
	}
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
