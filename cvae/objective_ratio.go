package cvae

import (
	"math"

	"rcvae"
)

// ratioObjective gives the decoder the class as an input. The ELBO of every voting
// candidate counts under its own class, and the listwise loss is that of
//
//	sᵢ = (exp α / 5) · (ln p(rᵢ|muᵢ,q,1) − ln p(rᵢ|muᵢ,q,0))
func ratioObjective() Objective {
	return Objective{
		Name: Ratio, Score: ScoreRatio, Graded: true, Listwise: true, Classes: true,
		Defaults: gradedDefaults, Roles: ratioRoles, Loss: ratioLoss,
	}
}

func ratioRoles(q rcvae.Question) []Role {
	roles := make([]Role, len(q.Candidates))
	for i, c := range q.Candidates {
		if c.Votes() {
			roles[i] = InELBO | InList
		}
	}
	return roles
}

func ratioLoss(s Statistics) Loss {
	loss := s.NegativeELBO()
	half := math.Exp(s.LogScale-s.LogVariance) / 10 // scale / (2s²)
	scores := make([]float64, len(s.Rows))
	for i, row := range s.Rows {
		scores[i] = half * (row.ClassSquare[0] - row.ClassSquare[1])
	}
	for i, d := range loss.AddListwise(s, scores) {
		loss.Rows[i].ClassSquare[0] += d * half
		loss.Rows[i].ClassSquare[1] -= d * half
		loss.LogScale += d * scores[i]
		loss.LogVariance -= d * scores[i]
	}
	return loss
}
