package dataset

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"rcvae"
)

// maxCandidate is the longest text of a candidate in bytes, about 128 thousand tokens.
const maxCandidate = 512 << 10

// NoAnswer is the AnswerFrom of a candidate in which an answer was looked for and none
// was found. In a pool it is an "answer" of null, beside a verdict other than correct.
const NoAnswer = "none"

// Pool yields the questions of a pool, plain or compressed. An error is a
// [*LineError], names the file by name, and ends the sequence. A question without an
// id gets "NAME:line-N", with NAME the last element of name; an id that occurs twice
// is an error.
//
// A candidate without "correct" is ungraded. Its LogProb is set when sum_logprob,
// tail_logprob and min_window_logprob are all there; one alone stays in Extra.
func Pool(r io.Reader, name string) iter.Seq2[rcvae.Question, error] {
	return poolLines(lines(r, name), name)
}

func poolLines(records iter.Seq2[line, error], name string) iter.Seq2[rcvae.Question, error] {
	return func(yield func(rcvae.Question, error) bool) {
		seen := make(ids)
		for l, err := range records {
			var q rcvae.Question
			if err == nil {
				q, err = parseQuestion(l.text)
				err = seen.settle(&q.Problem, name, l.number, err)
			}
			if !yield(q, err) || err != nil {
				return
			}
		}
	}
}

// LoadPool reads the named pools, JSON Lines or Parquet, one after the other. A pool without questions is an
// error. An id may stand in several pools, where it must be that of the same question.
func LoadPool(paths ...string) (questions []rcvae.Question, err error) {
	for q, err := range EachPool(paths...) {
		if err != nil {
			return nil, err
		}
		questions = append(questions, q)
	}
	return questions, nil
}

// EachPool is [LoadPool] for pools that are larger than memory. An error ends the
// sequence.
func EachPool(paths ...string) iter.Seq2[rcvae.Question, error] {
	type asked struct {
		question [sha256.Size]byte
		path     string
	}
	first := make(map[string]asked)
	return each(paths, "pool", func(file *os.File, path string) iter.Seq2[rcvae.Question, error] {
		return func(yield func(rcvae.Question, error) bool) {
			for q, err := range poolLines(records(file, path), path) {
				text := sha256.Sum256([]byte(q.Question))
				before, ok := first[q.ID]
				if !ok {
					first[q.ID] = asked{text, path}
				} else if err == nil && before.question != text {
					err = fmt.Errorf("%s: id %q is another question than in %s; one id must mean one question, rename it in one of the pools", path, q.ID, before.path)
				}
				if !yield(q, err) {
					return
				}
			}
		}
	})
}

// parseQuestion reads one line of a pool.
func parseQuestion(text []byte) (q rcvae.Question, err error) {
	f, err := parseFields(text)
	if err != nil {
		return q, err
	}
	q.ID, q.Question = f.first("id", "unique_id"), f.first("question", "problem")
	q.Solution, q.Answer = f.text("solution"), f.text("answer")
	Settle(&q.Problem)
	q.Subject, q.Level = f.text("subject"), parseLevel(f.text("level"))
	value, found := f.take("candidates")
	switch {
	case f.err != nil:
		return q, f.err
	case q.Question == "":
		return q, f.missing(`field "question" (or "problem")`)
	case !found:
		return q, fmt.Errorf("%w; is this a file of problems instead of a pool?", f.missing(`field "candidates"`))
	}
	var candidates []json.RawMessage
	if json.Unmarshal(value, &candidates) != nil {
		return q, errors.New(`field "candidates": an array is expected`)
	}
	q.Candidates = make([]rcvae.Candidate, len(candidates))
	for i, text := range candidates {
		if q.Candidates[i], err = parseCandidate(text); err != nil {
			return q, fmt.Errorf("candidate %d: %w", i+1, err)
		}
	}
	q.Extra = f.rest()
	return q, nil
}

// ParseCandidate reads one candidate of a pool from a JSON object.
func ParseCandidate(object []byte) (rcvae.Candidate, error) {
	if err := checkJSON(object); err != nil {
		return rcvae.Candidate{}, err
	}
	return parseCandidate(object)
}

func parseCandidate(text []byte) (c rcvae.Candidate, err error) {
	f, err := parseFields(text)
	if err != nil {
		return c, err
	}
	_, hasText := f.raw["text"]
	_, hasAnswer := f.raw["answer"]
	c = rcvae.Candidate{
		Text: f.text("text"), Answer: f.text("answer"), AnswerFrom: f.text("answer_from"), Verdict: f.verdict("correct"),
		Model: f.text("model"), Sampler: f.text("sampler"), Finish: f.text("finish"), Tokens: f.count("n_tokens"),
	}
	if p := f.numbers(logProbFields[:]...); p != nil {
		c.LogProb = &rcvae.LogProb{Sum: p[0], Tail: p[1], MinWindow: p[2]}
	}
	if hasAnswer && c.Answer == "" && c.AnswerFrom == "" && c.Verdict != rcvae.Correct {
		c.AnswerFrom = NoAnswer
	}
	c.Extra = f.rest()
	switch {
	case f.err != nil:
		return c, f.err
	case !hasText:
		return c, errors.New(`field "text" is missing`)
	}
	return c, CheckCandidate(c)
}

// CheckCandidate is an error if a pool cannot hold the candidate: its text is too long.
func CheckCandidate(c rcvae.Candidate) error {
	if len(c.Text) > maxCandidate {
		return fmt.Errorf("the text has %d bytes, at most %d are allowed: no model writes such a solution, cut or drop it", len(c.Text), maxCandidate)
	}
	return nil
}
