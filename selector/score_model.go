package selector

import (
	"context"

	"rcvae"
)

// perModel returns the values of a score that f computes from what a model says of one
// candidate; of several models the mean counts.
func perModel(f func(rcvae.Inference, rcvae.Calibration) float64) func(context.Context, *Evidence) ([]float64, error) {
	return func(_ context.Context, e *Evidence) ([]float64, error) { return e.perModel(f), nil }
}

func (e *Evidence) perModel(f func(rcvae.Inference, rcvae.Calibration) float64) []float64 {
	values := make([]float64, e.Len())
	for i := range values {
		values[i] = e.meanOverModels(i, f)
	}
	return values
}

// modelScores are computed from what models say of a candidate alone.
func modelScores() []Score {
	likelihood := func(f func(rcvae.Likelihood) float64) func(context.Context, *Evidence) ([]float64, error) {
		return perModel(func(i rcvae.Inference, _ rcvae.Calibration) float64 { return f(i.Likelihood) })
	}
	return []Score{entropy(), {
		Name: "norm", About: "smallest posterior mean, ‖μ‖ (the authors' released code)", Best: "smallest posterior mean", Needs: NeedModel,
		Values: perModel(func(i rcvae.Inference, _ rcvae.Calibration) float64 { return -i.Posterior.Norm() }),
	}, {
		Name: "kl", About: "lowest KL divergence of the posterior from the prior", Best: "lowest KL divergence", Needs: NeedModel,
		Values: perModel(func(i rcvae.Inference, _ rcvae.Calibration) float64 { return -i.Posterior.KL() }),
	}, {
		Name: "elbo", About: "highest evidence lower bound on ln p(r|q)", Best: "highest evidence lower bound", Needs: needLikelihood,
		Values: likelihood(func(l rcvae.Likelihood) float64 { return l.ELBO }),
	}, {
		Name: "recon", About: "lowest reconstruction error, ½|r − r̂|²", Best: "lowest reconstruction error", Needs: needLikelihood,
		Values: likelihood(func(l rcvae.Likelihood) float64 { return -l.Recon }),
	}, {
		Name: "iwae", About: "highest importance-weighted bound on ln p(r|q)", Best: "highest importance-weighted likelihood", Needs: needLikelihood,
		Values: likelihood(func(l rcvae.Likelihood) float64 { return l.IWAE }),
	}, {
		Name: "ratio", About: "highest ln p(r|q, correct) − ln p(r|q, incorrect)", Best: "highest likelihood ratio of correct to incorrect",
		Needs: needLikelihood | NeedClasses, Values: perModel(scaledRatio),
	}}
}

func entropy() Score {
	return Score{
		Name: "entropy", About: "lowest posterior entropy, ½ Σ ln σ² (the paper's rule)", Best: "lowest posterior entropy", Needs: NeedModel,
		Values: perModel(scaledEntropy),
	}
}

func scaledEntropy(i rcvae.Inference, c rcvae.Calibration) float64 {
	return -c.Scale * i.Posterior.HalfLogVar()
}

// scaledRatio is the likelihood ratio, scaled by models that were calibrated for it.
func scaledRatio(i rcvae.Inference, c rcvae.Calibration) float64 {
	if c.Score == "ratio" {
		return c.Scale * i.Likelihood.Ratio
	}
	return i.Likelihood.Ratio
}
