// Package grade finds the final answer of a solution and tells whether it is the
// reference answer.
//
// A kind says where to look. "gsm8k" looks for "#### 72", a field "answer" of a JSON
// object, a box, "the answer is", and at last the last number. "gsm8k-strict" accepts
// "####" only. "math" looks for a box or several, "the answer is", the last formula,
// and at last the last number.
//
// A level says what is the same. At [String], answers are the same when their LaTeX is
// after the usual normalisation. At [Numeric], the default of GSM8K, also when their
// numbers are. At [Symbolic], the default of MATH, also when they are the same
// mathematics, see the packages below grade/internal. Whatever the level, equivalence
// is reflexive and symmetric; [Grader.Classes] makes it transitive.
//
// Every answer ends within a budget of size and steps. What exceeds it is neither right
// nor wrong but [Ungraded].
package grade

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"rcvae"
)

const (
	maxText   = 1 << 20 // bytes of a text that is graded
	maxAnswer = 4 << 10 // bytes of an answer that is compared
)

// Level is what two answers must have in common to be the same.
type Level string

// The levels: each calls more answers the same than the one before.
const (
	String   Level = "string"
	Numeric  Level = "numeric"
	Symbolic Level = "symbolic"
)

// Levels returns all levels, the narrowest first.
func Levels() []Level { return []Level{String, Numeric, Symbolic} }

// Kinds returns the names that [New] knows: a kind at its default level, and the kind
// "math" with a level behind it. New knows every kind with every level.
func Kinds() []string {
	return []string{"gsm8k", "gsm8k-strict", "math", "math-string", "math-numeric"}
}

// Grader is one kind of grading at one level. It is safe for concurrent use, and
// remembers the answers that it compared last.
type Grader struct {
	kind    string
	level   Level
	extract func(solution string) Extraction
	memory  memory
}

var _ rcvae.Grader = (*Grader)(nil)

// New returns the grader of a kind, such as "math", or of a kind and a level, such as
// "math-string". It is an error if the kind or the level is unknown.
func New(name string) (*Grader, error) {
	kind, level := name, Level("")
	for _, l := range Levels() {
		if k, ok := strings.CutSuffix(name, "-"+string(l)); ok {
			kind, level = k, l
		}
	}
	g := &Grader{kind: kind, level: level}
	usual := Numeric
	switch kind {
	case "gsm8k":
		g.extract = extractGSM8K
	case "gsm8k-strict":
		g.extract = extractStrict
	case "math":
		g.extract, usual = extractMATH, Symbolic
	default:
		return nil, fmt.Errorf("unknown grader %q; known are %s", name, strings.Join(Kinds(), ", "))
	}
	if level == "" {
		g.level = usual
	}
	return g, nil
}

// Level returns the level at which the grader compares.
func (g *Grader) Level() Level { return g.level }

// Answer returns the final answer of a solution, for GSM8K as a plain number. It
// finds none in a text of more than 1 MiB.
func (g *Grader) Answer(solution string) (answer string, ok bool) {
	if len(solution) > maxText {
		return "", false
	}
	answer = g.extract(solution).Answer
	return answer, answer != ""
}

// Equivalent reports whether two answers, as [Grader.Answer] returns them, are the
// same. Answers beyond the budget are not.
func (g *Grader) Equivalent(gold, answer string) bool {
	outcome, _ := g.compare(g.remembered(gold), g.remembered(answer))
	return outcome == same
}

// Extraction is a final answer and how it was found.
type Extraction struct {
	Answer string // empty when there is none
	Rule   string // "hash", "boxed", "field", "phrase", "bare", "formula" or "number"; empty when there is none
}

// Extract returns the final answer of a solution, for kinds of GSM8K as a plain
// number such as "72" or "0.5". It is an error if the kind is unknown or the
// solution is larger than 1 MiB.
func Extract(kind, solution string) (Extraction, error) {
	g, err := New(kind)
	if err != nil {
		return Extraction{}, err
	}
	if len(solution) > maxText {
		return Extraction{}, errTooLarge
	}
	return g.extract(solution), nil
}

var errTooLarge = errors.New("the text is larger than 1 MiB")

// Canonical returns the normal form of an answer. Answers with the same form are
// equivalent, and at the levels string and numeric only those are. Forms are not made
// to be shown.
func Canonical(kind, answer string) (form string, ok bool) {
	g, err := New(kind)
	if err != nil {
		return "", false
	}
	f := g.form(answer)
	return f.text, f.text != ""
}

// memory holds the forms of answers that were compared.
type memory struct {
	mu    sync.Mutex
	forms map[string]*form
}

// remembered returns the form of an answer from memory, or makes it.
func (g *Grader) remembered(answer string) *form {
	const (
		most    = 4096 // forms
		longest = 512  // bytes of an answer
	)
	m := &g.memory
	m.mu.Lock()
	f := m.forms[answer]
	m.mu.Unlock()
	if f != nil {
		return f
	}
	f = g.form(answer)
	if len(answer) <= longest {
		m.mu.Lock()
		if m.forms == nil || len(m.forms) >= most {
			m.forms = make(map[string]*form)
		}
		m.forms[strings.Clone(answer)] = f
		m.mu.Unlock()
	}
	return f
}
