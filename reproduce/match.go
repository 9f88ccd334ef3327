package reproduce

import (
	"fmt"
	"strings"

	"rcvae"
	"rcvae/dataset"
	"rcvae/grade"
)

// The names of the ways of grading.
const (
	Honest = "honest" // this project's graders
	Strict = "strict" // exact match, as the released code has it
)

// Matches returns the names of the ways of grading.
func Matches() []string { return []string{Honest, Strict} }

// kinds are the graders by suite and way of grading.
var kinds = map[string]map[string]string{
	GSM8K: {Honest: "gsm8k", Strict: "gsm8k-strict"},
	MATH:  {Honest: "math", Strict: "math-string"},
}

// Match is a way of grading.
type Match struct {
	Name    string
	Suite   string
	CutGold bool // reference answers of MATH are cut as the released code cuts them, and compared as they are
}

// cut reports whether the way of grading has reference answers that are cut.
func (m Match) cut() bool { return m.CutGold && m.Suite == MATH && m.Name == Strict }

// Kind returns the name of the grader that finds the answers.
func (m Match) Kind() string { return kinds[m.Suite][m.Name] }

// label says in the result how a pool was graded.
func (m Match) label() string {
	if m.cut() {
		return "exact text against a reference cut at the first brace"
	}
	return m.Kind()
}

// grader returns what tells equal answers apart in votes; nil for equal texts.
func (m Match) grader() (rcvae.Grader, error) {
	if m.cut() {
		return nil, nil
	}
	return grade.New(m.Kind())
}

// CutGold returns the reference answer that the pattern \boxed{(.*?)} finds: it ends at
// the first closing brace, so that \frac{1}{2} becomes \frac{1, which no answer equals.
func CutGold(answer string) string {
	before, _, _ := strings.Cut(answer, "}")
	return before
}

// Grade returns the questions with the answers and verdicts of this way of grading. The
// questions that it is given are left as they are.
func (m Match) Grade(questions []rcvae.Question) ([]rcvae.Question, error) {
	graded := make([]rcvae.Question, len(questions))
	for i, q := range questions {
		graded[i] = q
		graded[i].Candidates = make([]rcvae.Candidate, len(q.Candidates))
		for j, c := range q.Candidates {
			var err error
			if graded[i].Candidates[j], err = m.grade(q.Answer, c); err != nil {
				return nil, fmt.Errorf("grade question %s: %w", q.ID, err)
			}
		}
	}
	return graded, nil
}

func (m Match) grade(gold string, c rcvae.Candidate) (rcvae.Candidate, error) {
	verdict, err := grade.Judge(m.Kind(), gold, c.Text)
	if err != nil {
		return c, err
	}
	c.Answer, c.AnswerFrom, c.Verdict = "", dataset.NoAnswer, rcvae.Incorrect
	if verdict.Extracted != nil {
		c.Answer, c.AnswerFrom = *verdict.Extracted, verdict.Rule
	}
	right := verdict.Verdict == grade.Correct
	if m.cut() {
		right = c.Answer != "" && c.Answer == CutGold(gold)
	}
	switch {
	case right:
		c.Verdict = rcvae.Correct
	case verdict.Verdict == grade.Ungraded && !m.cut():
		c.Verdict, c.AnswerFrom = rcvae.Ungraded, "" // its rule says why, and not where the answer is
	}
	return c, nil
}
