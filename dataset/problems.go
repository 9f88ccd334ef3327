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
	return problemLines(r, name, make(ids))
}

// LoadProblems reads the named files, JSON Lines or Parquet. With several files,
// ids must differ across all of them. A file without problems is an error.
func LoadProblems(paths ...string) ([]rcvae.Problem, error) {
	seen := make(ids)
	return load(paths, "problems", func(file *os.File, path string) iter.Seq2[rcvae.Problem, error] {
		magic := make([]byte, 4)
		if n, _ := file.ReadAt(magic, 0); string(magic[:n]) == "PAR1" {
			return parquetRows(file, path, seen)
		}
		return problemLines(file, path, seen)
	})
}

func problemLines(r io.Reader, name string, seen ids) iter.Seq2[rcvae.Problem, error] {
	return func(yield func(rcvae.Problem, error) bool) {
		for l, err := range lines(r, name) {
			var p rcvae.Problem
			if err == nil {
				p, err = parseProblem(l.text)
				err = seen.settle(&p, name, l.number, err)
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
	if strings.TrimSpace(p.Question) == "" {
		return p, errors.New(`field "question" (in MATH: "problem") is missing or empty`)
	}
	if p.Solution == "" && strings.Contains(p.Answer, "####") { // the original GSM8K
		p.Solution, p.Answer = p.Answer, ""
	}
	if p.Answer != "" {
		return p, nil
	}
	var ok bool
	if p.Answer, ok = answerOf(p.Solution); !ok {
		return p, errors.New(`field "answer" is missing, and there is no "solution" with "####" or \boxed{} to take it from`)
	}
	return p, nil
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
