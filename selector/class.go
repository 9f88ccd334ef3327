package selector

import "rcvae"

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
	class = make([]int, len(candidates))
	seen := make(map[string]int, len(candidates))
	var answers []string // different ones
	for i, c := range candidates {
		if !c.Votes() {
			class[i] = -1
			continue
		}
		id, ok := seen[c.Answer]
		if !ok {
			id = len(answers)
			answers = append(answers, c.Answer)
			seen[c.Answer] = id
		}
		class[i] = id
	}
	group, count := groups(answers, grader)
	for i, id := range class {
		if id >= 0 {
			class[i] = group[id]
		}
	}
	return class, count
}

// groups returns the class of each of several different answers.
func groups(answers []string, grader rcvae.Grader) (group []int, count int) {
	group = make([]int, len(answers))
	if c, ok := grader.(classifier); ok {
		known, _ := c.Classes(answers)
		number := make(map[int]int, len(answers))
		for i, k := range known {
			if k < 0 {
				k = -1 - i // a class of its own
			}
			if _, ok := number[k]; !ok {
				number[k] = len(number)
			}
			group[i] = number[k]
		}
		return group, len(number)
	}
	var first []string // first answer of each class
	for i, a := range answers {
		group[i] = classOf(a, first, grader)
		if group[i] == len(first) {
			first = append(first, a)
		}
	}
	return group, len(first)
}

// classOf returns the class of an answer not seen before; len(first) if it is new.
func classOf(answer string, first []string, grader rcvae.Grader) int {
	if grader == nil {
		return len(first)
	}
	for id, a := range first {
		if grader.Equivalent(a, answer) {
			return id
		}
	}
	return len(first)
}
