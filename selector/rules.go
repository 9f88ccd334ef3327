package selector

import "rcvae"

// The names of the rules to use unless there is a reason for others.
const (
	Default             = "vote:entropy"
	DefaultWithoutModel = "vote:arithmetic"
)

// Scores lists the scores of the project. A new one is a line here.
func Scores() []Score {
	return append(modelScores(), consensus(), logProb(), tailLogProb(), longest(), shortest(), arithmetic(), signals(), entropyLogProb())
}

// Rules lists the rules of the project: the scores, the votes, the tie-breaks, majority,
// and the rules that others are compared with.
func Rules() []Rule {
	var rules []Rule
	for _, a := range []Aggregate{Pick, Vote, Tiebreak} {
		for _, s := range Scores() {
			rules = append(rules, Rule{Score: s, Aggregate: a})
		}
	}
	return append(rules, Rule{Aggregate: Majority}, Rule{Aggregate: First}, Rule{Aggregate: Random}, Rule{Score: oracle()})
}

// Table returns the names of the rules that an evaluation shows by default: every
// score, majority, the votes and tie-breaks worth a line, and the yardsticks.
func Table() []string {
	return []string{
		"vote:entropy", "tiebreak:entropy", "vote:ratio", "tiebreak:ratio", "vote:entropy+logprob", "vote:consensus", "vote:logprob", "vote:signals", "vote:arithmetic", "vote:longest",
		"majority", "entropy", "ratio", "entropy+logprob", "consensus", "norm", "kl", "elbo", "recon", "iwae",
		"logprob", "tail-logprob", "longest", "shortest", "first", "random", "oracle",
	}
}

// oracle prefers correct candidates.
func oracle() Score {
	return Score{
		Name: "oracle", About: "a correct candidate if there is one (pass@k); evaluation only", Best: "graded as correct", Needs: NeedVerdicts,
		Values: perCandidate(func(c rcvae.Candidate) float64 {
			if c.Verdict == rcvae.Correct {
				return 1
			}
			return 0
		}),
	}
}
