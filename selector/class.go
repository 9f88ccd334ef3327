package selector

import (
	"context"
	"slices"

	"rcvae"
)

// classifier is a grader that groups many answers at once, so that the groups do not
// depend on the order of the answers even where its pairwise test is not transitive.
type classifier interface {
	// Classes returns the class of each answer, −1 for one that it cannot read.
	Classes(answers []string) (class []int, count int)
}

// stoppable is a classifier that ends with its context, and refuses more answers than it
// can compare.
type stoppable interface {
	ClassesContext(ctx context.Context, answers []string) (class []int, count int, err error)
}

// Classes groups the candidates by their answers, as votes do: class[i] is the class of
// candidate i, −1 if it does not vote, numbered in the order of their first candidates. A
// grader with a method Classes(answers) is asked once; with any other an answer joins the
// first class whose first answer is equivalent. Equal strings are the same without asking.
func Classes(candidates []rcvae.Candidate, grader rcvae.Grader) (class []int, count int) {
	class, count, _ = classify(candidates, func(answers []string) ([]int, error) { return groups(answers, grader), nil })
	return class, count
}

// classesContext is [Classes] until the context ends. What the grader refuses is an error.
func classesContext(ctx context.Context, candidates []rcvae.Candidate, grader rcvae.Grader) (class []int, err error) {
	class, _, err = classify(candidates, func(answers []string) ([]int, error) {
		c, ok := grader.(stoppable)
		if !ok {
			return groups(answers, grader), nil
		}
		known, _, err := c.ClassesContext(ctx, answers)
		return alone(known), err
	})
	return class, err
}

// classify gives candidates with one answer one class, and lets group join the different
// answers.
func classify(candidates []rcvae.Candidate, group func(answers []string) ([]int, error)) (class []int, count int, err error) {
	var answers []string // different ones
	known := map[string]int{}
	class = make([]int, len(candidates))
	for i, c := range candidates {
		if class[i] = -1; c.Votes() {
			id, ok := known[c.Answer]
			if !ok {
				id = len(answers)
				known[c.Answer] = id
				answers = append(answers, c.Answer)
			}
			class[i] = id
		}
	}
	groups, err := group(answers)
	if err != nil {
		return nil, 0, err
	}
	for i, id := range class {
		if id >= 0 {
			class[i] = groups[id]
		}
	}
	return class, renumber(class), nil
}

// alone gives answers that a classifier cannot read classes of their own.
func alone(class []int) []int {
	for i, k := range class {
		if k < 0 {
			class[i] = -2 - i
		}
	}
	return class
}

// groups returns a class for each of several different answers, any number but −1.
func groups(answers []string, grader rcvae.Grader) []int {
	if c, ok := grader.(classifier); ok {
		known, _ := c.Classes(answers)
		return alone(known)
	}
	group := make([]int, len(answers))
	var first []int // answer of each class
	for i, a := range answers {
		same := slices.IndexFunc(first, func(j int) bool { return grader != nil && grader.Equivalent(answers[j], a) })
		if same < 0 {
			same = len(first)
			first = append(first, i)
		}
		group[i] = same
	}
	return group
}

// renumber numbers classes from 0 in the order of their first members and returns their
// number. −1 stays.
func renumber(class []int) (count int) {
	number := map[int]int{-1: -1}
	for i, k := range class {
		if _, ok := number[k]; !ok {
			number[k] = len(number) - 1
		}
		class[i] = number[k]
	}
	return len(number) - 1
}
