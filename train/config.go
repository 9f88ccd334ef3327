package train

import (
	"rcvae/cvae"
	"rcvae/signal"
)

// Config returns the objective's default settings for embeddings of the given dimension
// (0: none), with the signal columns beside them. Columns of one group are dropped
// together in training.
func Config(objective cvae.Objective, dimension int, columns ...signal.Column) cvae.Config {
	var names, groups []string
	for _, c := range columns {
		names, groups = append(names, c.Name), append(groups, c.Group)
	}
	config := objective.Config(dimension, names...)
	config.SignalVersion, config.SignalGroups = signal.Version, groups
	return config
}
