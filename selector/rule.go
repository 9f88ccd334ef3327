package selector

import (
	"fmt"
	"slices"
	"strings"
)

// Default is the name of the rule to use unless there is a reason for another.
const Default = "vote:entropy"

// Rule is a selection rule. The zero value is not valid; see [Parse] and [Rules].
type Rule struct {
	Name        string // for example "vote:entropy"
	Description string // one line for people
	Needs       Needs

	kind  ruleKind
	score scoreID
	tau   float64 // τ of a vote; 0: the score's own
}

type ruleKind int

const (
	kindPick ruleKind = iota
	kindMajority
	kindVote
	kindTiebreak
	kindFirst
	kindRandom
	kindOracle
)

// Rules lists every rule: the scores, majority, the votes, the tie-breaks, and
// the rules that others are compared with.
func Rules() []Rule {
	var rules, votes, ties []Rule
	for id, s := range scores {
		rules = append(rules, Rule{Name: s.name, Description: s.about, Needs: s.needs, score: scoreID(id)})
		votes = append(votes, Rule{
			Name: "vote:" + s.name, Description: "vote of the answers, weighted by exp(τ·score) of " + s.name,
			Needs: s.needs | NeedAnswers, kind: kindVote, score: scoreID(id),
		})
		ties = append(ties, Rule{
			Name: "tiebreak:" + s.name, Description: "most frequent answer, ties broken by " + s.name,
			Needs: s.needs | NeedAnswers, kind: kindTiebreak, score: scoreID(id),
		})
	}
	rules = append(rules, Rule{Name: "majority", Description: "most frequent answer, ties to the earlier candidate", Needs: NeedAnswers, kind: kindMajority})
	rules = append(rules, votes...)
	rules = append(rules, ties...)
	return append(rules,
		Rule{Name: "first", Description: "the first candidate", kind: kindFirst},
		Rule{Name: "random", Description: "a random candidate; its expected value is mean@1", kind: kindRandom},
		Rule{Name: "oracle", Description: "a right candidate if there is one (pass@k); evaluation only", Needs: NeedVerdicts, kind: kindOracle},
	)
}

// Table returns the names of the rules that an evaluation shows by default: every
// score, majority, the votes and tie-breaks worth a line, and the yardsticks.
func Table() []string {
	return []string{
		"vote:entropy", "tiebreak:entropy", "vote:ratio", "tiebreak:ratio", "vote:entropy+logprob", "vote:consensus", "vote:logprob", "vote:longest",
		"majority", "entropy", "ratio", "entropy+logprob", "consensus", "norm", "kl", "elbo", "recon", "iwae",
		"logprob", "tail-logprob", "longest", "shortest", "first", "random", "oracle",
	}
}

// Parse returns the rule of that name. For an unknown name the error lists the
// names most like it.
func Parse(name string) (Rule, error) {
	rules := Rules()
	if i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == name }); i >= 0 {
		return rules[i], nil
	}
	return Rule{}, fmt.Errorf("unknown selector %q; did you mean %s?", name, strings.Join(near(name, rules, 3), " or "))
}

// EvaluationOnly reports whether the rule looks at verdicts, which nobody has
// when a question is answered.
func (r Rule) EvaluationOnly() bool { return r.Needs.Has(NeedVerdicts) }

// Ranks reports whether the rule orders candidates by a score that does not come
// from a vote: pure score rules, and the votes and tie-breaks that use one.
func (r Rule) Ranks() bool {
	return r.kind == kindPick || r.kind == kindVote || r.kind == kindTiebreak
}

// WithTau returns the rule with another τ for its vote, in place of the models'
// calibration or the score's default. Rules that do not vote stay as they are.
func (r Rule) WithTau(tau float64) Rule {
	r.tau = tau
	return r
}

// near returns at most n names: the one with the smallest edit distance to name,
// and others about as near.
func near(name string, rules []Rule, n int) []string {
	names := make([]string, len(rules))
	distance := make(map[string]int, len(rules))
	for i, r := range rules {
		names[i] = r.Name
		distance[r.Name] = editDistance(name, r.Name)
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
