package selector

import (
	"fmt"
	"slices"
	"strings"
)

// Parse returns the rule of that name. For an unknown name the error lists the
// names most like it.
func Parse(name string) (Rule, error) {
	rules := Rules()
	if i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name() == name }); i >= 0 {
		return rules[i], nil
	}
	return Rule{}, fmt.Errorf("unknown selector %q; did you mean %s?", name, strings.Join(near(name, rules, 3), " or "))
}

// near returns at most n names: the one with the smallest edit distance to name,
// and others about as near.
func near(name string, rules []Rule, n int) []string {
	names := make([]string, len(rules))
	distance := make(map[string]int, len(rules))
	for i, r := range rules {
		names[i] = r.Name()
		distance[names[i]] = editDistance(name, names[i])
	}
	slices.SortStableFunc(names, func(a, b string) int { return distance[a] - distance[b] })
	limit := distance[names[0]] + 1
	names = names[:n]
	return slices.DeleteFunc(names, func(s string) bool { return distance[s] > limit })
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
