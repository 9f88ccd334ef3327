package rcvae

import (
	"crypto/sha256"
	"encoding/binary"
)

// Question is a problem with the candidates that language models wrote for it: one
// line of a pool. It is what pools hold, what models are trained on, and what rules
// are measured on.
type Question struct {
	Problem
	Candidates []Candidate
}

// Mixed reports whether some voting candidate is correct and some other incorrect.
// Objectives that compare candidates learn from such questions only.
func (q Question) Mixed() bool {
	var seen [Correct + 1]bool
	for _, c := range q.Candidates {
		if c.Votes() {
			seen[c.Verdict] = true
		}
	}
	return seen[Correct] && seen[Incorrect]
}

// Count returns how many candidates have the verdict.
func (q Question) Count(v Verdict) (n int) {
	for _, c := range q.Candidates {
		if c.Verdict == v {
			n++
		}
	}
	return n
}

// Reference returns the question whose only candidate is the problem's reference
// solution, which is correct by definition.
func Reference(p Problem) Question {
	return Question{p, []Candidate{{Text: p.Solution, Answer: p.Answer, AnswerFrom: "reference", Verdict: Correct}}}
}

// HeldOut reports whether the question of that id is held out from training, where
// share of all questions is:
//
//	u(id) < share,   u(id) = (first 8 bytes of SHA-256(id), big-endian) / 2⁶⁴
//
// The id alone decides, so that a question is held out in every pool and by every
// program (tools/adapt has the same function), and a larger share holds out the same
// questions and more.
func HeldOut(id string, share float64) bool {
	sum := sha256.Sum256([]byte(id))
	return float64(binary.BigEndian.Uint64(sum[:8]))/(1<<64) < share
}
