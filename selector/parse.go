package selector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Parse returns the rule of that name. For an unknown name the error tells the name
// most like it.
func Parse(name string) (Rule, error) {
	nearest := slices.MinFunc(Rules(), func(a, b Rule) int {
		return cmp.Compare(editDistance(name, a.Name()), editDistance(name, b.Name()))
	})
	if base, _, at := strings.Cut(name, "@"); at || base == "maj" {
		return Rule{}, fmt.Errorf("unknown selector %q; %s", name, measured(base))
	}
	if nearest.Name() != name {
		return Rule{}, fmt.Errorf("unknown selector %q; did you mean %s?", name, nearest.Name())
	}
	return nearest, nil
}

// measured says what to ask for instead of a measure at k, such as maj@8.
func measured(base string) string {
	switch base {
	case "maj", "majority", "cons", "consensus", "sc":
		return "the vote is called majority; -k sets how many candidates it has"
	case "pass", "mean", "avg":
		return "pass@k and mean@1 stand above every table; -k sets k"
	}
	return "a selector has no number of candidates; -k sets it"
}

// editDistance is Levenshtein's, in bytes. Only the first 64 bytes of a count.
func editDistance(a, b string) int {
	a = a[:min(len(a), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
