package rcvae

import (
	"context"
	"errors"
)

// ErrNoCandidates is returned by a [Selector] that is given nothing to choose from.
var ErrNoCandidates = errors.New("no candidates to select from")

// Sampler draws k solutions of a question from a language model (π_ψ in the paper).
// It may return fewer than k together with a nil error when some calls failed.
type Sampler interface {
	Sample(ctx context.Context, question string, k int) ([]Candidate, error)
}

// Selector chooses one of a question's candidates. It sees the question as text
// and never a [Problem], and it never reads a verdict. Ties go to the earlier candidate. With no candidates it
// returns [ErrNoCandidates].
type Selector interface {
	Select(ctx context.Context, question string, candidates []Candidate) (Selection, error)
}

// Selection is a [Selector]'s choice.
type Selection struct {
	Index   int       // of the chosen candidate
	Scores  []float64 // (n), higher is better; what the rule ranked or weighted by
	Class   []int     // (n), the candidates' classes of equal answers, from 0; −1: does not vote; empty for rules that do not vote
	Weights []float64 // (classes), what each answer's votes weigh; empty for rules that do not vote

	// Entropies are the posterior entropies ½ Σ ln σ² in nats, (n), as the models have
	// them: not scaled to scores, not discounted. Nil for rules without a model.
	Entropies []float64

	Rule     string   // name of the rule, for example "vote:entropy"
	Reason   string   // one sentence for people
	Warnings []string // what did not stop the choice but should be known
}

// Grader extracts final answers and tells whether two of them are the same. For
// graders that are not symmetric, gold comes first.
type Grader interface {
	Answer(solution string) (answer string, ok bool)
	Equivalent(gold, answer string) bool
}
