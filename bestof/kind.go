package bestof

// kindOf returns the indices of the candidates of the larger kind: those that call
// tools, or the texts. With as many of both it is the kind of the first candidate.
func kindOf(candidates []Candidate) (indices []int, tools bool) {
	var text, calls []int
	for i, c := range candidates {
		if c.Calls != "" {
			calls = append(calls, i)
		} else {
			text = append(text, i)
		}
	}
	if len(calls) > len(text) || len(calls) == len(text) && len(calls) > 0 && calls[0] == 0 {
		return calls, true
	}
	return text, false
}

// classesOf returns the class of each of the candidates at the indices by what it calls.
func classesOf(candidates []Candidate, indices []int) []int {
	classes := make([]int, len(indices))
	seen := map[string]int{}
	for a, i := range indices {
		class, ok := seen[candidates[i].Calls]
		if !ok {
			class = len(seen)
			seen[candidates[i].Calls] = class
		}
		classes[a] = class
	}
	return classes
}

// votesOf returns the number of candidates of each class of calls.
func votesOf(candidates []Candidate, indices []int) (votes []float64) {
	for _, class := range classesOf(candidates, indices) {
		if class == len(votes) {
			votes = append(votes, 0)
		}
		votes[class]++
	}
	return votes
}
