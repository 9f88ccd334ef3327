package dataset

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rcvae"
	"rcvae/internal/boxed"
)

// Problems yields the problems of a JSON Lines file, plain or compressed. An error
// is a [*LineError], names the file by name, and ends the sequence. A problem
// without an id gets "line-N"; an id that occurs twice is an error.
func Problems(r io.Reader, name string) iter.Seq2[rcvae.Problem, error] {
	return unique(problemLines(r, name), name, make(map[string]place))
}

// LoadProblems reads the named files, JSON Lines or Parquet. With several files,
// ids must differ across all of them; a problem without an id gets "file:line-N"
// then. A file without problems is an error.
func LoadProblems(paths ...string) ([]rcvae.Problem, error) {
	var all []rcvae.Problem
	seen := make(map[string]place)
	for _, path := range paths {
		before := len(all)
		records, done, err := openProblems(path)
		if err != nil {
			return nil, fmt.Errorf("load problems: %w", err)
		}
		if len(paths) > 1 {
			records = prefixed(records, filepath.Base(path))
		}
		for problem, err := range unique(records, path, seen) {
			if err != nil {
				return nil, errors.Join(err, done())
			}
			all = append(all, problem)
		}
		if err := done(); err != nil {
			return nil, fmt.Errorf("load problems: %w", err)
		}
		if len(all) == before {
			return nil, fmt.Errorf("%s: the file holds no problems", path)
		}
	}
	return all, nil
}

// record is a problem before its id is settled.
type record struct {
	rcvae.Problem
	line  int
	named bool // the file gives an id
}

// place is where an id was seen.
type place struct {
	file string
	line int
}

// openProblems opens a file of either format; done closes it.
func openProblems(path string) (records iter.Seq2[record, error], done func() error, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	magic := make([]byte, 4)
	if n, _ := file.ReadAt(magic, 0); string(magic[:n]) == "PAR1" {
		return parquetRows(file, path), file.Close, nil
	}
	return problemLines(file, path), file.Close, nil
}

func problemLines(r io.Reader, name string) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		for l, err := range lines(r, name) {
			if err != nil {
				yield(record{}, err)
				return
			}
			fields := make(map[string]string)
			_, err = members(l.text, func(key string, value []byte) (err error) {
				if slices.Contains(problemFields, key) && kind(value) != 'n' {
					fields[key], err = scalar(value)
				}
				return err
			})
			rec, err := newRecord(fields, l.number, err)
			if err != nil {
				err = &LineError{name, l.number, err}
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// unique settles the ids and refuses those that occur twice.
func unique(records iter.Seq2[record, error], name string, seen map[string]place) iter.Seq2[rcvae.Problem, error] {
	return func(yield func(rcvae.Problem, error) bool) {
		for rec, err := range records {
			if err == nil {
				if first, ok := seen[rec.ID]; ok {
					err = &LineError{name, rec.line, fmt.Errorf("id %q occurs twice, first at %s:%d; ids must be unique", rec.ID, first.file, first.line)}
				}
			}
			if err != nil {
				yield(rcvae.Problem{}, err)
				return
			}
			seen[rec.ID] = place{name, rec.line}
			if !yield(rec.Problem, nil) {
				return
			}
		}
	}
}

// prefixed tells the made-up ids of several files apart.
func prefixed(records iter.Seq2[record, error], file string) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		for rec, err := range records {
			if err == nil && !rec.named {
				rec.ID = file + ":" + rec.ID
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// problemFields are the fields of all known forms of a problem.
var problemFields = []string{"id", "unique_id", "question", "problem", "solution", "answer", "subject", "type", "level"}

// scalar returns the text of a string or a number.
func scalar(value []byte) (string, error) {
	switch kind(value) {
	case '"':
		return decodeString(value), nil
	case '0':
		return string(value), nil
	}
	return "", fmt.Errorf("a string is expected, found %.20s", value)
}

// newRecord makes a problem of its fields, in whichever form they are.
func newRecord(fields map[string]string, line int, err error) (record, error) {
	if err != nil {
		return record{}, err
	}
	first := func(names ...string) string {
		for _, name := range names {
			if v := fields[name]; v != "" {
				return v
			}
		}
		return ""
	}
	rec := record{line: line, Problem: rcvae.Problem{
		ID:       first("id", "unique_id"),
		Question: first("question", "problem"),
		Solution: fields["solution"],
		Answer:   fields["answer"],
		Subject:  first("subject", "type"),
		Level:    parseLevel(fields["level"]),
	}}
	if rec.named = rec.ID != ""; !rec.named {
		rec.ID = "line-" + strconv.Itoa(line)
	}
	if strings.TrimSpace(rec.Question) == "" {
		return record{}, errors.New(`field "question" (in MATH: "problem") is missing or empty`)
	}
	if rec.Solution == "" && strings.Contains(rec.Answer, "####") { // the original GSM8K
		rec.Solution, rec.Answer = rec.Answer, ""
	}
	if rec.Answer != "" {
		return rec, nil
	}
	answer, ok := answerOf(rec.Solution)
	if !ok {
		return record{}, errors.New(`field "answer" is missing, and there is no "solution" with "####" or \boxed{} to take it from`)
	}
	rec.Answer = answer
	return rec, nil
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
