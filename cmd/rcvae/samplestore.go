package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"rcvae"
	"rcvae/dataset"
	"rcvae/internal/atomicfile"
)

// errStore marks errors of the file that finished problems are kept in.
var errStore = errors.New("keep a finished problem")

// sampleStore keeps the finished problems of a run in a file beside the pool: one
// complete line is appended at a time, so a killed run loses nothing that is finished.
type sampleStore struct {
	outPath, partialPath, recordPath string

	lock   *atomicfile.Lock
	items  map[string]rcvae.Question // by problem id
	file   *os.File                  // the partial pool, to append to; nil until begin
	anew   bool                      // begin removes what earlier runs have left
	before *runRecord                // of earlier runs with this plan; nil: none
	record *runRecord                // of this run and those before it
}

// openStore takes the pool for this process and, on resume, reads what earlier runs
// with the same plan have drawn. Another plan is an error that names the difference.
// Nothing is changed before begin.
func openStore(out, holder string, p plan, problems []rcvae.Problem, resume bool) (*sampleStore, error) {
	s := &sampleStore{outPath: out, partialPath: out + ".partial", recordPath: out + ".run.json", items: map[string]rcvae.Question{}, anew: !resume}
	var err error
	if s.lock, err = atomicfile.Acquire(out, holder); err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	if resume {
		if err := s.load(p, problems); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// begin opens the partial pool, and removes what earlier runs have left when it is to be
// drawn anew: what is drawn from now on must not be joined with that.
func (s *sampleStore) begin() (err error) {
	if s.file != nil {
		return nil
	}
	if s.anew {
		if err := s.remove(); err != nil {
			return err
		}
	}
	if s.file, err = os.OpenFile(s.partialPath, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666); err != nil {
		return err
	}
	return s.writeRecord(s.record)
}

// left returns the files that begin removes.
func (s *sampleStore) left() (paths []string) {
	if !s.anew {
		return nil
	}
	for _, path := range []string{s.outPath, s.partialPath, s.recordPath} {
		if _, err := os.Stat(path); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

func (s *sampleStore) remove() error {
	for _, path := range s.left() {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("start anew: %w", err)
		}
	}
	return nil
}

// load reads the finished pool, if there is one, and the partial one.
func (s *sampleStore) load(p plan, problems []rcvae.Problem) error {
	partial, err := os.ReadFile(s.partialPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("resume: %w", err)
	}
	_, err = os.Stat(s.outPath)
	finished := err == nil
	if !finished && len(partial) == 0 {
		return nil
	}
	if s.before, err = checkPlan(s.recordPath, p); err != nil {
		return err
	}
	if finished {
		items, err := dataset.LoadPool(s.outPath)
		if err != nil {
			return fmt.Errorf("resume: %w", err)
		}
		s.keep(items)
	}
	items, good, err := readPartial(partial, s.partialPath)
	if err != nil {
		return err
	}
	s.keep(items)
	if good < len(partial) {
		if err := os.Truncate(s.partialPath, int64(good)); err != nil {
			return fmt.Errorf("resume: drop the torn end: %w", err)
		}
	}
	if err := s.check(problems); err != nil {
		return err
	}
	s.before.close(s.tokens())
	return nil
}

// tokens returns the tokens of all finished problems.
func (s *sampleStore) tokens() (n int) {
	for _, item := range s.items {
		for _, c := range item.Candidates {
			n += c.Tokens
		}
	}
	return n
}

// readPartial reads the complete lines. A last line that is torn or not an item is
// what a kill or a crash leaves: good is the length without it.
func readPartial(data []byte, path string) (items []rcvae.Question, good int, err error) {
	good = bytes.LastIndexByte(data, '\n') + 1
	for item, err := range dataset.Pool(bytes.NewReader(data[:good]), path) {
		if err == nil {
			items = append(items, item)
			continue
		}
		last := bytes.LastIndexByte(data[:max(good-1, 0)], '\n') + 1
		if bad, ok := errors.AsType[*dataset.LineError](err); ok && bad.Line == bytes.Count(data[:good], []byte("\n")) {
			return items, last, nil
		}
		return nil, 0, fmt.Errorf("resume: %w; repair the line, or start anew with --resume=false", err)
	}
	return items, good, nil
}

func (s *sampleStore) keep(items []rcvae.Question) {
	for _, item := range items {
		if _, ok := s.items[item.ID]; !ok {
			s.items[item.ID] = item
		}
	}
}

// check fails when what is kept belongs to other problems.
func (s *sampleStore) check(problems []rcvae.Problem) error {
	known := make(map[string]rcvae.Problem, len(problems))
	for _, p := range problems {
		known[p.ID] = p
	}
	for id, item := range s.items {
		p, ok := known[id]
		switch {
		case !ok:
			return fmt.Errorf("resume: %s holds problem %s, which is not among the problems; give the same --problems, or another --out", s.outPath, id)
		case p.Question != item.Question || p.Answer != item.Answer:
			return fmt.Errorf("resume: problem %s of %s has another question or answer now; name another --out, or start anew with --resume=false", id, s.outPath)
		}
	}
	return nil
}

// missing returns the problems that are not finished.
func (s *sampleStore) missing(problems []rcvae.Problem) []rcvae.Problem {
	var rest []rcvae.Problem
	for _, p := range problems {
		if _, ok := s.items[p.ID]; !ok {
			rest = append(rest, p)
		}
	}
	return rest
}

func (s *sampleStore) count() int { return len(s.items) }

// add appends one item with a single write.
func (s *sampleStore) add(item rcvae.Question) error {
	line, err := dataset.AppendQuestion(nil, item)
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	if err := s.begin(); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	if _, err := s.file.Write(line); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	s.items[item.ID] = item
	return nil
}

// summarize returns the finished problems in the order of the problems, those that
// failed left out, and what they hold.
func (s *sampleStore) summarize(problems []rcvae.Problem) (questions []rcvae.Question, summary sampleSummary) {
	for _, p := range problems {
		if item, ok := s.items[p.ID]; ok { // else it failed, and the pool is finished without it
			questions = append(questions, item)
			summary.count(item)
		}
	}
	return questions, summary
}

// idle reports whether the pool holds all problems and there is nothing to add to it.
func (s *sampleStore) idle(problems []rcvae.Problem) bool {
	_, partial := os.Stat(s.partialPath)
	_, pool := os.Stat(s.outPath)
	return !s.anew && len(s.missing(problems)) == 0 && pool == nil && partial != nil && s.before != nil && s.before.Summary != nil
}

// finish writes the pool and removes the partial one.
func (s *sampleStore) finish(problems []rcvae.Problem) (sampleSummary, error) {
	questions, summary := s.summarize(problems)
	if err := dataset.SavePool(s.outPath, questions); err != nil {
		return summary, err
	}
	if err := os.Remove(s.partialPath); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return summary, fmt.Errorf("sample: the pool is finished: %w", err)
	}
	return summary, nil
}

// close gives the pool back to others.
func (s *sampleStore) close() {
	if s.file != nil {
		_ = s.file.Close() // every line was written before
	}
	s.lock.Release()
}

// sampleSummary is what a pool holds.
type sampleSummary struct {
	Questions  int `json:"questions"`
	Candidates int `json:"candidates"`
	Correct    int `json:"correct"`
	Graded     int `json:"graded"`
	NoAnswer   int `json:"no_answer"`
	Cut        int `json:"cut"` // at the token limit
	Tokens     int `json:"tokens"`
}

func (s *sampleSummary) count(item rcvae.Question) {
	s.Questions++
	for _, c := range item.Candidates {
		s.Candidates++
		s.Tokens += c.Tokens
		if c.Verdict != rcvae.Ungraded {
			s.Graded++
		}
		if c.Verdict == rcvae.Correct {
			s.Correct++
		}
		if c.Answer == "" {
			s.NoAnswer++
		}
		if c.Finish == "length" {
			s.Cut++
		}
	}
}

// String says it in one line.
func (s sampleSummary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d questions, %d candidates, %d tokens", s.Questions, s.Candidates, s.Tokens)
	if s.Graded > 0 {
		fmt.Fprintf(&b, "; %.1f %% of %d graded ones right", 100*float64(s.Correct)/float64(s.Graded), s.Graded)
	}
	fmt.Fprintf(&b, ", %d without an answer, %d cut at the token limit", s.NoAnswer, s.Cut)
	return b.String()
}
