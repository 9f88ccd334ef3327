package selector

import (
	"context"
	"errors"
	"math"

	"rcvae"
)

// logProbTau is the τ of votes by log-probability, per nat per token. Note: on
// training questions every value in 0.1 … 7.5 does as well.
const logProbTau = 4.0

var errNoLogProbs = errors.New("no candidate has log-probabilities with a token count; use a pool or an upstream that gives them, or another rule")

// hasLogProb reports whether the candidate has a mean log-probability per token.
func hasLogProb(c rcvae.Candidate) bool { return c.LogProb != nil && c.Tokens >= 1 }

// MissingLogProbs returns how many candidates have no log-probabilities or no token
// count to divide them by. Rules that look at log-probabilities give them the mean of
// the others, and do not apply if all are missing.
func MissingLogProbs(candidates []rcvae.Candidate) (missing int) {
	for _, c := range candidates {
		if !hasLogProb(c) {
			missing++
		}
	}
	return missing
}

// logProbOf returns the values of a score that f computes where there are
// log-probabilities.
func logProbOf(f func(rcvae.Candidate) float64) func(context.Context, *Evidence) ([]float64, error) {
	return perCandidate(func(c rcvae.Candidate) float64 {
		if !hasLogProb(c) {
			return math.NaN()
		}
		return f(c)
	})
}

func logProb() Score {
	return Score{
		Name: "logprob", About: "highest mean log-probability per token", Best: "highest mean log-probability",
		Needs: NeedLogProbs, Tau: new(logProbTau), Partial: true,
		Values: logProbOf(func(c rcvae.Candidate) float64 { return c.LogProb.Sum / float64(c.Tokens) }),
	}
}

func tailLogProb() Score {
	return Score{
		Name: "tail-logprob", About: "highest mean log-probability of the last 64 tokens", Best: "highest log-probability at its end",
		Needs: NeedLogProbs, Tau: new(logProbTau), Partial: true,
		Values: logProbOf(func(c rcvae.Candidate) float64 { return c.LogProb.Tail }),
	}
}

// entropyLogProb is the entropy's score and the log-probability in one. The weights and
// τ were fitted once, on training questions of one generator.
func entropyLogProb() Score {
	return Score{
		Name: "entropy+logprob", About: "highest 0.8·s + 10·(mean log-probability), s the score of entropy", Best: "best sum of entropy and log-probability",
		Terms: []Term{{0.8, entropy()}, {10, logProb()}}, Tau: new(0.75),
	}
}
