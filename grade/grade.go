// Package grade finds the final answer of a solution and tells whether it is the
// reference answer.
//
// A kind says where to look. "gsm8k" reads numbers: "#### 72", a field "answer" of a JSON
// object, a box, "the answer is", and at last the last number. "gsm8k-strict" accepts
// "####" only. "math" reads mathematics: a box or several, "the answer is", the last
// formula, and at last the last number. "auto" is gsm8k where the gold answer is a
// number, and math where it is not. All of them skip what a model thinks before it
// answers, and what it writes behind its answer as if it were asked again.
//
// A level says what is the same. At [String], answers are the same when their LaTeX is
// after the usual normalisation. At [Numeric], the default of GSM8K, also when their
// numbers are. At [Symbolic], the default of MATH, also when they are the same
// mathematics, see the packages below grade/internal. Whatever the level, equivalence
// is reflexive and symmetric; [Grader.Classes] makes it transitive.
//
// Numbers are rounded only where one of two is written with a decimal point. Every
// comparison ends within a budget of size and of work. What exceeds it is neither right
// nor wrong but [Ungraded].
package grade

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"rcvae"
	"rcvae/grade/internal/algebra"
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
	return []string{"auto", "gsm8k", "gsm8k-strict", "math", "math-string", "math-numeric"}
}

// Grader is one kind of grading at one level. It is safe for concurrent use, and
// remembers the answers that it compared last.
type Grader struct {
	kind   string
	level  Level
	memory memory
	// Of "auto": the graders of gold answers that are numbers, and of others.
	numbers, mathematics *Grader
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
	usual := Symbolic
	switch kind {
	case "gsm8k", "gsm8k-strict":
		usual = Numeric
	case "math":
	case "auto":
		g.numbers, g.mathematics = &Grader{kind: "gsm8k", level: Numeric}, &Grader{kind: "math", level: Symbolic}
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

// readsNumbers reports whether answers are numbers and nothing else.
func (g *Grader) readsNumbers() bool { return strings.HasPrefix(g.kind, "gsm8k") }

// ForGold returns the name of the grader that fits a gold answer: "gsm8k" if it is a
// number or a solution that ends in one, and else "math".
func ForGold(gold string) string {
	g := Grader{kind: "gsm8k", level: Numeric}
	if _, ok := numberIn(g.goldAnswer(gold)); ok {
		return g.kind
	}
	return "math"
}

// forGold returns the grader that judges by a gold answer: of "auto" the one that fits.
func (g *Grader) forGold(gold string) *Grader {
	switch {
	case g.kind != "auto":
		return g
	case ForGold(gold) == g.numbers.kind:
		return g.numbers
	}
	return g.mathematics
}

// Answer returns the final answer of a solution, as [Grader.Extract] does.
func (g *Grader) Answer(solution string) (answer string, ok bool) {
	answer = g.Extract(solution).Answer
	return answer, answer != ""
}

// Equivalent reports whether two answers, as [Grader.Answer] returns them, are the
// same. Answers beyond the budget are not.
func (g *Grader) Equivalent(gold, answer string) bool {
	outcome, _ := g.compare(g.remembered(gold), g.remembered(answer), algebra.DefaultLimits())
	return outcome == same
}

// Extract returns the final answer of a solution as a new grader of the name does, see
// [Grader.Extract]. It is an error if the name is unknown or the solution is larger than
// 1 MiB.
func Extract(name, solution string) (Extraction, error) {
	g, err := New(name)
	if err != nil {
		return Extraction{}, err
	}
	if len(solution) > maxText {
		return Extraction{}, errTooLarge
	}
	return g.Extract(solution), nil
}

var errTooLarge = errors.New("the text is larger than 1 MiB")

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
