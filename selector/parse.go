package selector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rcvae/internal/spelling"
)

// Parse returns the rule of that name. For an unknown name the error tells the name
// most like it.
func Parse(name string) (Rule, error) {
	nearest := slices.MinFunc(Rules(), func(a, b Rule) int {
		return cmp.Compare(spelling.Distance(name, a.Name()), spelling.Distance(name, b.Name()))
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
