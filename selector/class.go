package selector

import "rcvae"

// classes groups the candidates by their answers. An answer joins the first class
// whose first answer the grader calls equivalent; equal strings are the same
// without asking. Candidates that do not vote get −1.
func classes(candidates []rcvae.Candidate, grader rcvae.Grader) (class []int, count int) {
	class = make([]int, len(candidates))
	seen := make(map[string]int, len(candidates))
	var first []string // first answer of each class
	for i, c := range candidates {
		if !c.Votes() {
			class[i] = -1
			continue
		}
		id, ok := seen[c.Answer]
		if !ok {
			id = classOf(c.Answer, first, grader)
			if id == len(first) {
				first = append(first, c.Answer)
			}
			seen[c.Answer] = id
		}
		class[i] = id
	}
	return class, len(first)
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
