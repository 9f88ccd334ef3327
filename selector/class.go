package selector

import (
	"slices"

	"rcvae"
)

// classifier is a grader that groups many answers at once, so that the groups do not
// depend on the order of the answers even where its pairwise test is not transitive.
type classifier interface {
	// Classes returns the class of each answer, −1 for one that it cannot read.
	Classes(answers []string) (class []int, count int)
}

// Classes groups the candidates by their answers, as votes do: class[i] is the class of
// candidate i, −1 if it does not vote, numbered in the order of their first candidates. A
// grader with a method Classes(answers) is asked once; with any other an answer joins the
// first class whose first answer is equivalent. Equal strings are the same without asking.
func Classes(candidates []rcvae.Candidate, grader rcvae.Grader) (class []int, count int) {
	var answers []string // different ones
	class = make([]int, len(candidates))
	for i, c := range candidates {
		if class[i] = -1; c.Votes() {
			if class[i] = slices.Index(answers, c.Answer); class[i] < 0 {
				class[i] = len(answers)
				answers = append(answers, c.Answer)
			}
		}
	}
	group := groups(answers, grader)
	for i, id := range class {
		if id >= 0 {
			class[i] = group[id]
		}
	}
	return class, renumber(class)
}

// groups returns a class for each of several different answers, any number but −1.
func groups(answers []string, grader rcvae.Grader) []int {
	group := make([]int, len(answers))
	if c, ok := grader.(classifier); ok {
		known, _ := c.Classes(answers)
		for i, k := range known {
			if group[i] = k; k < 0 {
				group[i] = -2 - i // a class of its own
			}
		}
		return group
	}
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
