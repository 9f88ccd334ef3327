package selector

import (
	"errors"
	"math"
	"unicode/utf8"

	"rcvae"
)

// scoreID indexes the table of scores and the columns of [Evidence].
type scoreID int

const (
	scoreEntropy scoreID = iota
	scoreNorm
	scoreKL
	scoreELBO
	scoreRecon
	scoreIWAE
	scoreRatio
	scoreConsensus
	scoreLogProb
	scoreTailLogProb
	scoreLongest
	scoreShortest
	scoreEntropyLogProb
	scoreCount
)

const (
	defaultScale = 0.2 // of the entropy, for a model without a calibration: e^α/5 at α = 0
	defaultTau   = 0.5 // vote weight exp(τ·s), for models without a calibration

	// Weights of the score "entropy+logprob", and its τ.
	fusedEntropy, fusedLogProb, fusedTau = 0.8, 10, 0.75

	// logProbTau is the τ of votes by log-probability, per nat a token. Note:
	// on training questions every value in 0.1 … 7.5 does as well.
	logProbTau = 4

	// objectiveRatio is the objective whose calibration scales the ratio.
	objectiveRatio = "ratio"
)

// score describes one number by which candidates are ranked; higher is better.
type score struct {
	name  string
	about string // what is ranked, for help: "posterior entropy"
	best  string // what the winner has, for reasons: "lowest posterior entropy"
	needs Needs
	tau   float64 // τ of vote:<score>; 0: the models' calibration

	// At most one of these is set; consensus and entropy+logprob have none.
	posterior  func(rcvae.Posterior, rcvae.Calibration) float64
	likelihood func(rcvae.Likelihood, rcvae.Calibration) float64
	candidate  func(rcvae.Candidate) (float64, error)
}

const (
	needModel      = NeedEmbeddings | NeedModel
	needLikelihood = needModel | NeedLikelihoods
)

// scores is the table of scores, indexed by scoreID.
var scores = [scoreCount]score{
	scoreEntropy: {
		name: "entropy", about: "lowest posterior entropy, ½ Σ ln σ² (the paper's rule)", best: "lowest posterior entropy", needs: needModel,
		posterior: func(p rcvae.Posterior, c rcvae.Calibration) float64 { return -c.Scale * p.HalfLogVar() },
	},
	scoreNorm: {
		name: "norm", about: "smallest posterior mean, ‖μ‖ (the authors' released code)", best: "smallest posterior mean", needs: needModel,
		posterior: func(p rcvae.Posterior, _ rcvae.Calibration) float64 { return -p.Norm() },
	},
	scoreKL: {
		name: "kl", about: "lowest KL divergence of the posterior from the prior", best: "lowest KL divergence", needs: needModel,
		posterior: func(p rcvae.Posterior, _ rcvae.Calibration) float64 { return -p.KL() },
	},
	scoreELBO: {
		name: "elbo", about: "highest evidence lower bound on ln p(r|q)", best: "highest evidence lower bound", needs: needLikelihood,
		likelihood: func(l rcvae.Likelihood, _ rcvae.Calibration) float64 { return l.ELBO },
	},
	scoreRecon: {
		name: "recon", about: "lowest reconstruction error, ½|r − r̂|²", best: "lowest reconstruction error", needs: needLikelihood,
		likelihood: func(l rcvae.Likelihood, _ rcvae.Calibration) float64 { return -l.Recon },
	},
	scoreIWAE: {
		name: "iwae", about: "highest importance-weighted bound on ln p(r|q)", best: "highest importance-weighted likelihood", needs: needLikelihood,
		likelihood: func(l rcvae.Likelihood, _ rcvae.Calibration) float64 { return l.IWAE },
	},
	scoreRatio: {
		name: "ratio", about: "highest ln p(r|q, right) − ln p(r|q, wrong)", best: "highest likelihood ratio of right to wrong", needs: needLikelihood | NeedRatio,
		likelihood: func(l rcvae.Likelihood, c rcvae.Calibration) float64 {
			if c.Objective == objectiveRatio {
				return c.Scale * l.Ratio
			}
			return l.Ratio
		},
	},
	scoreConsensus: {
		name: "consensus", about: "most similar to the other candidates, ln meanⱼ exp(20·rᵢ·rⱼ)", best: "closest to the other candidates", needs: NeedEmbeddings | needSimilarity,
		tau: defaultTau,
	},
	scoreLogProb: {
		name: "logprob", about: "highest mean log-probability a token", best: "highest mean log-probability", needs: NeedLogProbs,
		tau: logProbTau, candidate: meanLogProb,
	},
	scoreTailLogProb: {
		name: "tail-logprob", about: "highest mean log-probability of the last 64 tokens", best: "highest log-probability at its end", needs: NeedLogProbs,
		tau: logProbTau, candidate: tailLogProb,
	},
	scoreLongest: {
		name: "longest", about: "longest text (the score is ln(1 + characters))", best: "longest text", needs: needLength,
		tau: defaultTau, candidate: func(c rcvae.Candidate) (float64, error) { return logLength(c), nil },
	},
	scoreShortest: {
		name: "shortest", about: "shortest text (the score is −ln(1 + characters))", best: "shortest text", needs: needLength,
		tau: defaultTau, candidate: func(c rcvae.Candidate) (float64, error) { return -logLength(c), nil },
	},
	scoreEntropyLogProb: {
		name: "entropy+logprob", about: "highest 0.8·s + 10·(mean log-probability), s the score of entropy", best: "best sum of entropy and log-probability",
		needs: needModel | NeedLogProbs, tau: fusedTau,
	},
}

var errNoLogProb = errors.New("has no log-probabilities; use a pool or an upstream that gives them, or another rule")

func meanLogProb(c rcvae.Candidate) (float64, error) {
	if c.LogProb == nil {
		return 0, errNoLogProb
	}
	if c.Tokens < 1 {
		return 0, errors.New("has log-probabilities but no token count to divide their sum by")
	}
	return c.LogProb.Sum / float64(c.Tokens), nil
}

func tailLogProb(c rcvae.Candidate) (float64, error) {
	if c.LogProb == nil {
		return 0, errNoLogProb
	}
	return c.LogProb.Tail, nil
}

// logLength is the logarithm of the text's length, so that exp(τ·s) is a power of
// the length and no single text outweighs a class.
func logLength(c rcvae.Candidate) float64 {
	return math.Log1p(float64(utf8.RuneCountInString(c.Text)))
}
