// Package grade finds the final answer of a solution and tells whether it is the
// reference answer.
//
// There are three kinds. "gsm8k" looks for "#### 72", a field "answer" of a JSON
// object, a box, "the answer is", and at last the last number; two answers are the
// same when their numbers are. "gsm8k-strict" accepts "####" only. "math" looks for
// a box, "the answer is", and at last the last number; two answers are the same
// when their LaTeX is after the usual normalisation, or when their numbers are.
//
// Every answer has one canonical form, and two answers are equivalent when their
// canonical forms are equal. So equivalence is reflexive, symmetric and transitive.
// The time is linear in the length of the text.
package grade

import (
	"errors"
	"fmt"
	"strings"

	"rcvae"
)

const (
	maxText   = 1 << 20 // bytes of a text that is graded
	maxAnswer = 4 << 10 // bytes of an answer that is compared
)

// Kinds returns the names that [New] knows.
func Kinds() []string { return []string{"gsm8k", "gsm8k-strict", "math"} }

// New returns the grader of the given kind, one of [Kinds].
func New(kind string) (rcvae.Grader, error) {
	g, err := byKind(kind)
	if err != nil {
		return nil, err
	}
	return g, nil
}

func byKind(kind string) (grader, error) {
	switch kind {
	case "gsm8k":
		return grader{extract: extractGSM8K, canonical: canonicalNumber}, nil
	case "gsm8k-strict":
		return grader{extract: extractStrict, canonical: canonicalNumber}, nil
	case "math":
		return grader{extract: extractMATH, canonical: canonicalLaTeX}, nil
	}
	return grader{}, fmt.Errorf("unknown grader %q; known are %s", kind, strings.Join(Kinds(), ", "))
}

// grader is one kind of grading: where to look, and what is the same.
type grader struct {
	extract   func(solution string) Extraction
	canonical func(answer string) (form string, ok bool)
}

var _ rcvae.Grader = grader{}

// Answer returns the final answer of a solution, for GSM8K as a plain number. It
// finds none in a text of more than 1 MiB.
func (g grader) Answer(solution string) (answer string, ok bool) {
	if len(solution) > maxText {
		return "", false
	}
	answer = g.extract(solution).Answer
	return answer, answer != ""
}

// Equivalent reports whether two answers, as [grader.Answer] returns them, are the
// same.
func (g grader) Equivalent(gold, answer string) bool {
	a, ok := g.form(gold)
	if !ok {
		return false
	}
	b, ok := g.form(answer)
	return ok && a == b
}

// form returns the canonical form of an answer.
func (g grader) form(answer string) (form string, ok bool) {
	if answer == "" || len(answer) > maxAnswer {
		return "", false
	}
	return g.canonical(answer)
}

// Extraction is a final answer and how it was found.
type Extraction struct {
	Answer string // empty when there is none
	Rule   string // "hash", "boxed", "field", "phrase", "bare" or "number"; empty when there is none
}

// Extract returns the final answer of a solution, for kinds of GSM8K as a plain
// number such as "72" or "0.5". It is an error if the kind is unknown or the
// solution is larger than 1 MiB.
func Extract(kind, solution string) (Extraction, error) {
	g, err := byKind(kind)
	if err != nil {
		return Extraction{}, err
	}
	if len(solution) > maxText {
		return Extraction{}, errTooLarge
	}
	return g.extract(solution), nil
}

var errTooLarge = errors.New("the text is larger than 1 MiB")

// Canonical returns the canonical form of an answer: two answers are equivalent
// exactly when both have one and the forms are equal. Forms serve as keys of votes;
// they are not made to be shown.
func Canonical(kind, answer string) (form string, ok bool) {
	g, err := byKind(kind)
	if err != nil {
		return "", false
	}
	return g.form(answer)
}
