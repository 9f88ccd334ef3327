package dataset

import (
	"cmp"
	"errors"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"rcvae"
	"rcvae/internal/boxed"
)

// Problems yields the problems of a JSON Lines file, plain or compressed. An error
// is a [*LineError], names the file by name, and ends the sequence. A problem
// without an id gets "NAME:line-N", with NAME the last element of name; an id that
// occurs twice is an error.
func Problems(r io.Reader, name string) iter.Seq2[rcvae.Problem, error] {
	return problemLines(lines(r, name), name, make(ids), false)
}

// LoadProblems reads the named files, JSON Lines or Parquet. With several files,
// ids must differ across all of them. A file without problems is an error.
func LoadProblems(paths ...string) ([]rcvae.Problem, error) {
	seen := make(ids)
	return load(paths, "problems", func(file *os.File, path string) iter.Seq2[rcvae.Problem, error] {
		return problemLines(records(file, path), path, seen, isParquet(file))
	})
}

// problemLines yields the problem of each record. Unknown columns of a table are
// dropped: they may be as large as images.
func problemLines(records iter.Seq2[line, error], name string, seen ids, table bool) iter.Seq2[rcvae.Problem, error] {
	return func(yield func(rcvae.Problem, error) bool) {
		for l, err := range records {
			var p rcvae.Problem
			if err == nil {
				p, err = parseProblem(l.text)
				err = seen.settle(&p, name, l.number, err)
			}
			if table {
				p.Extra = nil
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func parseProblem(text []byte) (rcvae.Problem, error) {
	f, err := parseFields(text)
	if err != nil {
		return rcvae.Problem{}, err
	}
	values := make(map[string]string)
	for _, name := range problemFields {
		values[name] = f.text(name)
	}
	delete(f.raw, "candidates") // of a pool that is read as problems
	if f.err == nil && strings.TrimSpace(cmp.Or(values["question"], values["problem"])) == "" {
		return rcvae.Problem{}, f.missing(`field "question" (in MATH: "problem")`)
	}
	p, err := newProblem(values)
	p.Extra = f.rest()
	return p, cmp.Or(f.err, err)
}

// problemFields are the fields of all known forms of a problem.
var problemFields = []string{"id", "unique_id", "question", "problem", "solution", "answer", "subject", "type", "level"}

// newProblem makes a problem of its fields, in whichever form they are.
func newProblem(fields map[string]string) (rcvae.Problem, error) {
	p := rcvae.Problem{
		ID:       cmp.Or(fields["id"], fields["unique_id"]),
		Question: cmp.Or(fields["question"], fields["problem"]),
		Solution: fields["solution"],
		Answer:   fields["answer"],
		Subject:  cmp.Or(fields["subject"], fields["type"]),
		Level:    parseLevel(fields["level"]),
	}
	if !Settle(&p) {
		return p, errors.New(`field "answer" is missing, and there is no "solution" with "####" or \boxed{} to take it from`)
	}
	return p, nil
}

// Settle takes the final answer from the reference solution where the problem has no
// answer of its own: a solution in place of the answer, as GSM8K has it, becomes the
// solution. It reports whether the problem has an answer.
func Settle(p *rcvae.Problem) (ok bool) {
	if p.Solution == "" && strings.Contains(p.Answer, "####") {
		p.Solution, p.Answer = p.Answer, ""
	}
	if p.Answer != "" {
		return true
	}
	p.Answer, ok = answerOf(p.Solution)
	return ok
}

// answerOf takes the final answer from a reference solution.
func answerOf(solution string) (answer string, ok bool) {
	if i := strings.LastIndex(solution, "####"); i >= 0 {
		answer = strings.TrimSpace(solution[i+4:])
		return strings.ReplaceAll(answer, ",", ""), answer != ""
	}
	return boxed.Last(solution)
}

// parseLevel reads "Level 5", "5", and anything else as 0.
func parseLevel(text string) int {
	level, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(text, "Level ")))
	if err != nil || level < 0 {
		return 0
	}
	return level
}
