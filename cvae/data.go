package cvae

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"rcvae"
	"rcvae/internal/gemm"
)

// data is what a run is trained and validated on: the candidates that an objective
// takes of the given questions, question by question.
type data struct {
	questions  []question
	candidates []candidate
	ungraded   int // candidates left out since they could not be graded
}

// question is the candidates [from, to) of one question.
type question struct {
	id        string
	embedding rcvae.Embedding
	from, to  int
	mixed     bool // has correct and incorrect candidates in its list
}

// candidate is one solution, with what it is to the loss.
type candidate struct {
	question int // index into data.questions
	solution rcvae.Solution
	role     Role
	correct  bool
}

// newData takes the candidates that the objective learns from, and reports the first
// thing in the questions that the config cannot be trained on.
func newData(c Config, o Objective, questions []rcvae.Encoded) (*data, error) {
	candidates := 0
	for _, e := range questions {
		candidates += len(e.Candidates)
	}
	d := &data{questions: make([]question, 0, len(questions)), candidates: make([]candidate, 0, candidates)}
	for i, e := range questions {
		if err := d.add(c, o, e); err != nil {
			return nil, fmt.Errorf("question %d (%s): %w", i, e.ID, err)
		}
	}
	if len(d.candidates) == 0 && o.Graded {
		return nil, fmt.Errorf("no graded candidates, which objective %s learns from: grade the pool, or give one with verdicts", o.Name)
	}
	if len(d.candidates) == 0 {
		return nil, errors.New("no candidates to learn from: give problems with solutions, or a pool with correct candidates")
	}
	return d, nil
}

func (d *data) add(c Config, o Objective, e rcvae.Encoded) error {
	if e.ID == "" {
		return errors.New("it has no id, by which questions are held out")
	}
	roles := o.Roles(e.Question)
	if n := len(e.Candidates); len(e.Solutions) != n || len(roles) != n {
		return fmt.Errorf("%d candidates but %d encoded solutions and %d roles", n, len(e.Solutions), len(roles))
	}
	if err := checkEmbedding(e.Embedding, c.Dimension); err != nil {
		return err
	}
	q := question{id: e.ID, embedding: e.Embedding, from: len(d.candidates)}
	for i, s := range e.Solutions {
		if err := checkSolution(s, c); err != nil {
			return fmt.Errorf("solution %d: %w", i, err)
		}
		d.addCandidate(c, o, candidate{len(d.questions), s, roles[i], false}, e.Candidates[i].Verdict)
	}
	if q.to = len(d.candidates); q.to > q.from {
		q.mixed = settleList(d.candidates[q.from:q.to])
		d.questions = append(d.questions, q)
	}
	return nil
}

// addCandidate takes the candidate unless the objective has no use for it.
func (d *data) addCandidate(c Config, o Objective, x candidate, verdict rcvae.Verdict) {
	x.correct = verdict == rcvae.Correct
	kept := x.role != 0
	if o.Graded {
		kept = verdict != rcvae.Ungraded
	}
	if !kept {
		if verdict == rcvae.Ungraded {
			d.ungraded++
		}
		return
	}
	if c.ELBOWeight == 0 {
		x.role &^= InELBO
	}
	if c.ListwiseWeight == 0 {
		x.role &^= InList
	}
	d.candidates = append(d.candidates, x)
}

// settleList reports whether a question's list is mixed, and dissolves it if not.
func settleList(candidates []candidate) bool {
	correct, incorrect := false, false
	for _, x := range candidates {
		if x.role.Has(InList) {
			correct, incorrect = correct || x.correct, incorrect || !x.correct
		}
	}
	if correct && incorrect {
		return true
	}
	for i := range candidates {
		candidates[i].role &^= InList
	}
	return false
}

// split parts the questions into those trained on and those held out.
func (d *data) split(share float64) (train, held []question, err error) {
	for _, q := range d.questions {
		if rcvae.HeldOut(q.id, share) {
			held = append(held, q)
		} else {
			train = append(train, q)
		}
	}
	if len(train) == 0 {
		return nil, nil, fmt.Errorf("all %d questions are held out: give more questions, or lower holdout (%g)", len(held), share)
	}
	return train, held, nil
}

// distinct returns how many ids the questions have, and how many of them belong to a
// mixed question: a question of several pools counts once.
func distinct(questions []question) (all, mixed int) {
	ids := make(map[string]bool, len(questions))
	for _, q := range questions {
		ids[q.id] = ids[q.id] || q.mixed
	}
	for _, m := range ids {
		if m {
			mixed++
		}
	}
	return len(ids), mixed
}

func checkSolution(s rcvae.Solution, c Config) error {
	if err := checkEmbedding(s.Embedding, c.Dimension); err != nil {
		return err
	}
	if len(s.Signals) != len(c.Signals) {
		return fmt.Errorf("%d signals, the model has %d (%q)", len(s.Signals), len(c.Signals), c.Signals)
	}
	for j, v := range s.Signals {
		if math.IsInf(v, 0) {
			return fmt.Errorf("signal %s is %v", c.Signals[j], v)
		}
	}
	return nil
}

func checkEmbedding(e rcvae.Embedding, dimension int) error {
	if len(e) != dimension {
		return fmt.Errorf("embedding has %d dimensions, the model %d", len(e), dimension)
	}
	if sum := gemm.SumSquares(e); sum-sum == 0 { // finite, and so are all of its elements
		return nil
	}
	for j, v := range e {
		if v-v != 0 {
			return fmt.Errorf("embedding is %v at dimension %d", v, j)
		}
	}
	return nil
}

// digest returns the SHA-256 of the data. A training run continues only on the data
// that it began with.
func (d *data) digest() string {
	h := sha256.New()
	write := func(e rcvae.Embedding) { _ = binary.Write(h, binary.LittleEndian, []float32(e)) } // a hash takes everything
	for _, q := range d.questions {
		fmt.Fprintf(h, "%q %d %d\n", q.id, q.from, q.to)
		write(q.embedding)
	}
	for _, x := range d.candidates {
		fmt.Fprintln(h, x.role, x.correct, x.solution.Signals)
		write(x.solution.Embedding)
	}
	return hex.EncodeToString(h.Sum(nil))
}
