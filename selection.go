package rcvae

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoCandidates is returned by a [Selector] that is given nothing to choose from.
var ErrNoCandidates = errors.New("no candidates to select from")

// Sampler draws k solutions of a question from a language model (π_ψ in the paper).
// It may return fewer than k together with a nil error when some calls failed.
type Sampler interface {
	Sample(ctx context.Context, question string, k int) ([]Candidate, error)
}

// Selector chooses one of a question's candidates. It sees the question as text
// and never a [Problem]. Ties go to the earlier candidate. With no candidates it
// returns [ErrNoCandidates].
type Selector interface {
	Select(ctx context.Context, question string, candidates []Candidate) (Selection, error)
}

// Selection is a [Selector]'s choice.
type Selection struct {
	Index    int       // of the chosen candidate
	Scores   []float64 // one a candidate, higher is better; what the rule ranked or weighted by
	Rule     string    // name of the rule, for example "vote:entropy"
	Reason   string    // one sentence for people
	Warnings []string  // what did not stop the choice but should be known
}

// Grader extracts final answers and tells whether two of them are the same. For
// graders that are not symmetric, gold comes first.
type Grader interface {
	Answer(solution string) (answer string, ok bool)
	Equivalent(gold, answer string) bool
}

// BestOf answers a question with the best of K samples.
type BestOf struct {
	K        int // candidates to draw, at least 1
	Sampler  Sampler
	Selector Selector
}

// Solve draws K candidates and returns the chosen one with the selection.
func (b BestOf) Solve(ctx context.Context, question string) (Candidate, Selection, error) {
	if b.K < 1 {
		return Candidate{}, Selection{}, fmt.Errorf("best of %d: K must be at least 1", b.K)
	}
	candidates, err := b.Sampler.Sample(ctx, question, b.K)
	if err != nil {
		return Candidate{}, Selection{}, fmt.Errorf("sample %d candidates: %w", b.K, err)
	}
	selection, err := b.Selector.Select(ctx, question, candidates)
	if err != nil {
		return Candidate{}, Selection{}, fmt.Errorf("select among %d candidates: %w", len(candidates), err)
	}
	return candidates[selection.Index], selection, nil
}
