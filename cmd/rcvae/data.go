package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rcvae"
	"rcvae/dataset"
	"rcvae/grade"
	"rcvae/internal/scratch"
)

// graderFromPool is the value of --grader that takes answers and verdicts as the
// pool records them.
const graderFromPool = "pool"

// samplerAll is the value of --sampler that keeps the candidates of all samplers.
const samplerAll = "all"

func addSamplerFlag(cmd *cobra.Command) {
	cmd.Flags().String("sampler", "", "use the candidates of this `SAMPLER`, for example top_p, or of \"all\" (default: the one with most candidates in the file)")
}

func addGraderFlag(cmd *cobra.Command) {
	cmd.Flags().String("grader", graderFromPool, "verdicts and answers: pool (as recorded), "+strings.Join(grade.Kinds(), ", "))
}

// addAnswerGrader adds --grader for commands that see answers. Its old name, --kind,
// still works.
func addAnswerGrader(f *pflag.FlagSet) {
	f.String("grader", "auto", "How answers are found and compared: "+strings.Join(grade.Kinds(), ", "))
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "kind" {
			name = "grader"
		}
		return pflag.NormalizedName(name)
	})
}

// loadPool reads a pool, keeps the candidates of one sampler (see [chooseSampler]) and
// the first limit questions (0 for all), grades them if --grader says so, and returns
// the sampler's name. Texts lie in the space. What the pool lacks is said on standard
// error.
func loadPool(cmd *cobra.Command, path string, limit int, space *scratch.Space) ([]rcvae.Question, string, error) {
	questions, err := readPool(path, limit, space)
	if err != nil {
		return nil, "", err
	}
	questions, sampler, err := oneSampler(cmd, path, questions)
	if err != nil {
		return nil, "", err
	}
	grader, _ := cmd.Flags().GetString("grader")
	if grader != "" && grader != graderFromPool {
		if err := regradeAll(cmd, questions, grader); err != nil {
			return nil, "", err
		}
	}
	if err := checkGraded(path, questions); err != nil {
		return nil, "", err
	}
	noteDoubled(cmd, poolName(path), questions)
	for _, line := range dataset.Complete(questions, extractor(grader)).Lines() {
		note(cmd, "%s: %s", poolName(path), line)
	}
	return questions, sampler, nil
}

// readPool reads a whole pool and keeps the first limit questions, 0 for all.
func readPool(path string, limit int, space *scratch.Space) (questions []rcvae.Question, err error) {
	for q, err := range dataset.EachPool(path) {
		if err == nil && (limit <= 0 || len(questions) < limit) {
			err = space.Question(&q)
			questions = append(questions, q)
		}
		if err != nil {
			return nil, err
		}
	}
	return questions, nil
}

// extractor returns how answers are found that a pool does not have.
func extractor(grader string) func(string) (answer, from string) {
	if grader == "" || grader == graderFromPool {
		grader = poolKind
	}
	return func(solution string) (string, string) {
		e, err := grade.Extract(grader, solution)
		if err != nil { // the text is too large: there is no answer
			return "", ""
		}
		return e.Answer, e.From
	}
}

// oneSampler keeps the candidates of one sampler and the questions that have any.
func oneSampler(cmd *cobra.Command, path string, questions []rcvae.Question) ([]rcvae.Question, string, error) {
	asked, _ := cmd.Flags().GetString("sampler")
	counts := dataset.Samplers(questions)
	sampler, whole := chooseSampler(asked, counts)
	if whole {
		return questions, sampler, nil
	}
	var kept []rcvae.Question
	for _, q := range questions {
		if q = dataset.WithSampler(q, sampler); len(q.Candidates) > 0 {
			kept = append(kept, q)
		}
	}
	if len(kept) == 0 {
		return nil, "", fmt.Errorf("%s: no candidate of the %d questions has the sampler %q; the file has %s; --sampler all takes all", path, len(questions), sampler, samplerNames(counts))
	}
	if asked == "" {
		noteSampler(cmd, path, sampler, counts, len(questions)-len(kept))
	}
	return kept, sampler, nil
}

// samplersTied is the share of the most candidates from which samplers count as equals: a
// lost candidate must not change which sampler is measured.
const samplersTied = 0.99

// tied reports whether a sampler with n candidates counts as having as many as the most.
func tied(n, most int) bool { return float64(n) >= samplersTied*float64(most) }

// mostCandidates returns the largest number of candidates of one sampler.
func mostCandidates(counts []dataset.SamplerCount) (most int) {
	for _, c := range counts {
		most = max(most, c.Candidates)
	}
	return most
}

// chooseSampler returns the sampler that is asked for, or else the one with most
// candidates, the first in the file of those that are tied; candidates that name none are
// those of a sampler "". The second result tells that all candidates are kept.
func chooseSampler(asked string, counts []dataset.SamplerCount) (name string, whole bool) {
	switch {
	case asked != "" && asked != samplerAll:
		return asked, false
	case asked == samplerAll && len(counts) > 1:
		return samplerAll, true
	}
	most := mostCandidates(counts)
	for _, c := range counts {
		if tied(c.Candidates, most) {
			return c.Name, len(counts) < 2
		}
	}
	return "", true
}

// noteSampler says which of several samplers was chosen, and which are tied with it; left
// is the number of questions without a candidate of it. A tie is said with --quiet too:
// the numbers would be others with another choice.
func noteSampler(cmd *cobra.Command, path, sampler string, counts []dataset.SamplerCount, left int) {
	var chosen dataset.SamplerCount
	var equals []string
	most := mostCandidates(counts)
	for _, c := range counts {
		if c.Name == sampler {
			chosen = c
		}
		if tied(c.Candidates, most) {
			equals = append(equals, fmt.Sprintf("%s (%d)", samplerName(c.Name), c.Candidates))
		}
	}
	if len(equals) > 1 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %s: the samplers %s are tied within %.0f %%; %s is used because it is the first in the file; --sampler NAME chooses another\n",
			cmd.Name(), poolName(path), strings.Join(equals, ", "), 100*(1-samplersTied), samplerName(sampler))
	}
	text := fmt.Sprintf("%s: candidates of %d samplers; %s is used (%.3g per question", poolName(path), len(counts), samplerName(sampler), float64(chosen.Candidates)/float64(chosen.Questions))
	if left > 0 {
		text += fmt.Sprintf("; %d questions without any are left out", left)
	}
	note(cmd, "%s); --sampler NAME chooses another, --sampler all takes all", text)
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

func poolName(path string) string {
	name := filepath.Base(path)
	for _, ending := range []string{".gz", ".zst", ".jsonl", ".parquet"} {
		name = strings.TrimSuffix(name, ending)
	}
	return name
}

// note writes a line about the work ahead to standard error, unless --quiet.
func note(cmd *cobra.Command, format string, args ...any) {
	if quiet, _ := cmd.Flags().GetBool("quiet"); !quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), cmd.Name()+": "+format+"\n", args...)
	}
}

// noteDoubled says which questions stand under several ids.
func noteDoubled(cmd *cobra.Command, where string, questions []rcvae.Question) {
	if doubled := dataset.FindDoubled(questions).String(); doubled != "" {
		note(cmd, "%s: %s", where, doubled)
	}
}

// regradeAll is regrade with a progress report, until the command is interrupted.
func regradeAll(cmd *cobra.Command, questions []rcvae.Question, kind string) error {
	bar := newProgress(cmd, "grading", "questions")
	for i := range questions {
		if err := cmd.Context().Err(); err != nil {
			return fmt.Errorf("grade question %d of %d: %w", i+1, len(questions), err)
		}
		if err := regrade(questions[i:i+1], kind); err != nil {
			return err
		}
		bar.update(i+1, len(questions))
	}
	return nil
}

// regrade replaces recorded answers and verdicts by those of the named grader. A
// candidate that cannot be graded gets no verdict, nor does one of a question without a
// reference answer.
func regrade(questions []rcvae.Question, kind string) error {
	verdicts := map[string]rcvae.Verdict{grade.Correct: rcvae.Correct, grade.Incorrect: rcvae.Incorrect, grade.NoAnswer: rcvae.Incorrect}
	extract := extractor(kind)
	for _, q := range questions {
		for i := range q.Candidates {
			c := &q.Candidates[i]
			if q.Answer == "" {
				c.Answer, c.AnswerFrom = extract(c.Text)
				c.AnswerFrom, c.Verdict = cmp.Or(c.AnswerFrom, dataset.NoAnswer), rcvae.Ungraded
				continue
			}
			verdict, err := grade.Judge(kind, q.Answer, c.Text)
			if err != nil {
				return usageError{err}
			}
			c.Answer, c.AnswerFrom, c.Verdict = "", dataset.NoAnswer, verdicts[verdict.Verdict]
			if verdict.Extracted != nil {
				c.Answer, c.AnswerFrom = *verdict.Extracted, verdict.Rule
			}
		}
	}
	return nil
}

// poolKind is the grader that groups answers as a pool records them: it knows numbers
// and LaTeX.
const poolKind = "math"

// answerGrader returns the grader that groups equal answers.
func answerGrader(kind string) (rcvae.Grader, error) {
	if kind == graderFromPool || kind == "" {
		kind = poolKind
	}
	return grade.New(kind)
}
