package grade

import (
	"context"
	"errors"
	"fmt"

	"rcvae/grade/internal/algebra"
)

// Classes groups equivalent answers: class[i] is the class of answers[i], numbered in
// the order of their first members, and −1 for an empty answer or one that cannot be
// read. Answers that are equivalent in pairs share a class, and so do answers that a
// chain of such pairs connects (28, 28 % and 0.28): classes are an equivalence
// relation even where pairwise tests are not transitive. The grouping does not depend
// on the order of the answers. Of more than [MaxExpressions] expressions, which are too
// many to compare, only equal texts share a class.
func (g *Grader) Classes(answers []string) (class []int, count int) {
	class, count, err := g.ClassesContext(context.Background(), answers)
	if err != nil { // there are too many
		class = make([]int, len(answers))
		first := make(map[string]int, len(answers))
		for i, a := range answers {
			if class[i] = -1; g.remembered(a).text == "" {
				continue
			}
			if _, ok := first[a]; !ok {
				first[a] = len(first)
			}
			class[i] = first[a]
		}
		return class, len(first)
	}
	return class, count
}

// MaxExpressions is how many different answers may be compared as mathematics: the time
// grows with their square, to a few seconds. Plain numbers are not counted.
const MaxExpressions = 512

// ErrTooMany is the error of more expressions than [MaxExpressions].
var ErrTooMany = errors.New("too many different expressions to compare")

// ClassesContext is [Grader.Classes] until the context ends, whose error it returns. All
// comparisons together have a budget, too: where there are many answers that are hard to
// compare, each pair gets less of it. More than [MaxExpressions] of them are [ErrTooMany].
func (g *Grader) ClassesContext(ctx context.Context, answers []string) (class []int, count int, err error) {
	distinct := make(map[string]int, len(answers))
	forms := make([]*form, 0, len(answers))
	position := make([]int, len(answers)) // of an answer among the forms
	for i, a := range answers {
		f := g.remembered(a)
		position[i] = -1
		if f.text == "" {
			continue
		}
		at, ok := distinct[a] // not by the text of the form: 28 % has that of 28 and is 0.28 too
		if !ok {
			at = len(forms)
			forms = append(forms, f)
			distinct[a] = at
		}
		position[i] = at
	}
	parent, err := g.connect(ctx, forms)
	if err != nil {
		return nil, 0, err
	}
	class = make([]int, len(answers))
	number := make(map[int]int, len(forms))
	for i, at := range position {
		if at < 0 {
			class[i] = -1
			continue
		}
		root := find(parent, at)
		if _, ok := number[root]; !ok {
			number[root] = len(number)
		}
		class[i] = number[root]
	}
	return class, len(number), nil
}

// connect joins the forms that are the same, as a forest of parents.
func (g *Grader) connect(ctx context.Context, forms []*form) ([]int, error) {
	parent := make([]int, len(forms))
	for i := range parent {
		parent[i] = i
	}
	limits, hard := sharedLimits(forms)
	if hard > MaxExpressions {
		return nil, fmt.Errorf("group answers: %w: %d, at most %d; use fewer candidates per question", ErrTooMany, hard, MaxExpressions)
	}
	for i, f := range forms {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("group answers: %w", err)
		}
		for j := range i {
			a, b := find(parent, i), find(parent, j)
			if a == b {
				continue
			}
			if outcome, _ := g.compare(forms[j], f, limits); outcome == same {
				parent[max(a, b)] = min(a, b)
			}
		}
	}
	return parent, nil
}

// sharedLimits divides the work of a few comparisons among all pairs. The share does not
// depend on the order of the answers.
func sharedLimits(forms []*form) (limits algebra.Limits, hard int) {
	const comparisons, least = 8, 10_000
	for _, f := range forms {
		if !f.plain {
			hard++
		}
	}
	limits = algebra.DefaultLimits()
	if pairs := hard*(len(forms)-hard) + hard*(hard-1)/2; pairs > comparisons {
		limits.Work = max(least, limits.Work/pairs*comparisons)
	}
	return limits, hard
}

func find(parent []int, i int) int {
	for parent[i] != i {
		parent[i] = parent[parent[i]]
		i = parent[i]
	}
	return i
}
