package cvae

import (
	"math"

	"rcvae"
)

// contrastiveObjective trains the entropy to tell correct from incorrect inside a
// question: the ELBO of the correct candidates, and the listwise loss of
//
//	sᵢ = −(exp α / 5) · ½ Σⱼ logVarᵢⱼ
func contrastiveObjective() Objective {
	return Objective{
		Name: Contrastive, Score: ScoreEntropy, Graded: true, Listwise: true,
		Defaults: gradedDefaults, Roles: contrastiveRoles, Loss: contrastiveLoss,
	}
}

func gradedDefaults(c *Config) {
	c.Standardize, c.InputDropout, c.HiddenDropout = true, 0.2, 0.1
	c.LearnVariance, c.LogVariance = true, -0.3
	c.ELBOWeight, c.ListwiseWeight = 1/float64(max(c.elements(), 1)), 1
	c.WeightDecay, c.ClipNorm, c.Epochs, c.Batch = 0.05, 5, 8, 64
}

func contrastiveRoles(q rcvae.Question) []Role {
	roles := correctInELBO(q)
	for i, c := range q.Candidates {
		if c.Votes() {
			roles[i] |= InList
		}
	}
	return roles
}

func contrastiveLoss(s Statistics) Loss {
	loss := s.NegativeELBO()
	scale := math.Exp(s.LogScale) / 5
	scores := make([]float64, len(s.Rows))
	for i, row := range s.Rows {
		scores[i] = -scale * row.HalfLogVar
	}
	for i, d := range loss.AddListwise(s, scores) {
		loss.Rows[i].HalfLogVar -= d * scale
		loss.LogScale += d * scores[i]
	}
	return loss
}
