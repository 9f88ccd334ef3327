package cvae

// authorsObjective has the settings of the code that the paper's authors released: the
// mean squared error over the elements plus the KL divergence.
func authorsObjective() Objective {
	return Objective{
		Name: Authors, Score: ScoreEntropy, Roles: correctInELBO, Loss: Statistics.NegativeELBO,
		Defaults: func(c *Config) {
			c.MeanSquared, c.Cosine = true, false
			c.Latent, c.Hidden = 256, []int{256, 256}
			c.LearningRate, c.Epochs, c.Batch = 1e-4, 100, 256
		},
	}
}
