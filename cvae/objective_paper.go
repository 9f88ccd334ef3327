package cvae

import "rcvae"

// paperObjective is the paper's text taken literally: the ELBO of the correct
// solutions with s² = 1, on unit vectors as they are.
func paperObjective() Objective {
	return Objective{
		Name: Paper, Score: ScoreEntropy, Roles: correctInELBO, Loss: Statistics.NegativeELBO,
		Defaults: func(c *Config) {
			c.KLWarmup, c.Epochs, c.Batch, c.Patience = 3, 30, 256, 8
			if c.Dimension == 1024 {
				c.Latent, c.Hidden = 256, []int{1024, 1024}
			}
		},
	}
}

// correctInELBO trains on correct candidates alone.
func correctInELBO(q rcvae.Question) []Role {
	roles := make([]Role, len(q.Candidates))
	for i, c := range q.Candidates {
		if c.Verdict == rcvae.Correct {
			roles[i] = InELBO
		}
	}
	return roles
}
