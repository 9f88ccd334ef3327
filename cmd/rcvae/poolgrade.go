package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/dataset"
	"rcvae/grade"
)

func newPoolGrade() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "grade --grader NAME POOL --out POOL",
		Short: "Set the answers and verdicts of a pool",
		Long: `Find the answer of every candidate anew, compare it with the reference answer of its
question, and write the pool with these answers and verdicts. Reference answers that the
pool lacks come from --problems, by id or by the text of the question.`,
		Example: `  rcvae pool grade --grader math pool.jsonl.gz --problems train.jsonl --out graded.jsonl.gz`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("%s: name one POOL", cmd.CommandPath())
			}
			return nil
		},
		RunE: runPoolGrade,
	}
	f := cmd.Flags()
	f.String("grader", "", "`NAME` of the grader: "+strings.Join(grade.Kinds(), ", ")+" (required)")
	f.String("out", "", "`FILE` to write the graded pool to (required)")
	f.StringArray("problems", nil, "`FILE` of problems with reference answers that the pool lacks (repeatable)")
	f.Bool("json", false, "print the counts as JSON")
	return cmd
}

func runPoolGrade(cmd *cobra.Command, args []string) error {
	grader, _ := cmd.Flags().GetString("grader")
	if _, err := grade.New(grader); err != nil {
		return usageError{fmt.Errorf("--grader: %w", err)}
	}
	out, err := poolOut(cmd, args[0])
	if err != nil {
		return err
	}
	questions, err := dataset.LoadPool(args[0])
	if err != nil {
		return err
	}
	problems, err := loadProblems(cmd)
	if err != nil {
		return err
	}
	supplyAnswers(questions, problems)
	before := verdictsOf(questions)
	if err := regradeAll(cmd, questions, grader); err != nil {
		return err
	}
	if err := checkGraded(args[0], questions); err != nil {
		return err
	}
	if err := dataset.SavePool(out, questions); err != nil {
		return err
	}
	return showGrades(cmd, gradeSummaryOf(out, grader, questions, before))
}

// supplyAnswers gives the questions without a reference answer that of the problem with
// their id, or with their text.
func supplyAnswers(questions []rcvae.Question, problems []rcvae.Problem) {
	known := make(map[string]*rcvae.Problem)
	for i := range problems {
		p := &problems[i]
		known["id "+p.ID], known["text "+p.Question] = p, p
	}
	for i := range questions {
		q := &questions[i]
		if p := cmp.Or(known["id "+q.ID], known["text "+q.Question]); p != nil && q.Answer == "" {
			q.Answer, q.Solution = p.Answer, cmp.Or(q.Solution, p.Solution)
		}
	}
}

func verdictsOf(questions []rcvae.Question) (verdicts []rcvae.Verdict) {
	for _, q := range questions {
		for _, c := range q.Candidates {
			verdicts = append(verdicts, c.Verdict)
		}
	}
	return verdicts
}

// gradeSummary is what grade prints.
type gradeSummary struct {
	Pool       string `json:"pool"`
	Grader     string `json:"grader"`
	Questions  int    `json:"questions"`
	Candidates int    `json:"candidates"`
	Correct    int    `json:"correct"`
	Incorrect  int    `json:"incorrect"` // with those without an answer
	NoAnswer   int    `json:"no_answer"`
	Ungraded   int    `json:"ungraded"`
	Changed    int    `json:"changed"` // verdicts that the pool had and that are others now
}

func gradeSummaryOf(out, grader string, questions []rcvae.Question, before []rcvae.Verdict) gradeSummary {
	s := gradeSummary{Pool: out, Grader: grader, Questions: len(questions), Candidates: len(before)}
	for i, v := range verdictsOf(questions) {
		if before[i] != rcvae.Ungraded && before[i] != v {
			s.Changed++
		}
	}
	for _, q := range questions {
		s.Correct += q.Count(rcvae.Correct)
		s.Incorrect += q.Count(rcvae.Incorrect)
		s.Ungraded += q.Count(rcvae.Ungraded)
		for _, c := range q.Candidates {
			if c.Answer == "" {
				s.NoAnswer++
			}
		}
	}
	return s
}

func showGrades(cmd *cobra.Command, s gradeSummary) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd, s)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d candidates of %d questions, graded by %s: %d correct, %d incorrect (%d without an answer), %d could not be graded; %d verdicts of the pool were others\n",
		s.Pool, s.Candidates, s.Questions, s.Grader, s.Correct, s.Incorrect, s.NoAnswer, s.Ungraded, s.Changed)
	return nil
}

// checkGraded is an error that says what to do if no candidate has a verdict.
func checkGraded(path string, questions []rcvae.Question) error {
	candidates, answers := 0, 0
	for _, q := range questions {
		candidates += len(q.Candidates)
		if q.Count(rcvae.Ungraded) < len(q.Candidates) {
			return nil
		}
		if q.Answer != "" {
			answers++
		}
	}
	switch {
	case candidates == 0:
		return fmt.Errorf("%s: none of the %d questions has a candidate; draw some with 'rcvae sample'", path, len(questions))
	case answers == 0:
		return fmt.Errorf("%s: no candidate has a verdict, and no question has a reference answer (\"answer\") to grade by: 'rcvae pool grade --grader NAME %s --problems FILE --out FILE' takes the answers from a file of problems", path, path)
	}
	return fmt.Errorf("%s: none of the %d candidates has a verdict (\"correct\"): add --grader NAME, or set them once with 'rcvae pool grade --grader NAME %s --out FILE'; graders are %s", path, candidates, path, strings.Join(grade.Kinds(), ", "))
}
