package main

import (
	"strings"

	"github.com/spf13/cobra"

	"rcvae/cvae"
	"rcvae/signal"
	"rcvae/train"
)

// The values of --signals besides lists of columns and groups.
const (
	allSignals = "all"
	noSignals  = "none"
)

func addSignalsFlag(cmd *cobra.Command) {
	cmd.Flags().String("signals", "", "columns that are read off the texts beside the embedding: all, none, or `NAMES` of columns and groups separated by commas (default: all for objectives that learn from graded candidates)")
}

// withSignals returns the objective's settings with the columns of --signals.
func withSignals(cmd *cobra.Command, objective cvae.Objective, dimension int) (cvae.Config, error) {
	text, _ := cmd.Flags().GetString("signals")
	switch text {
	case "":
		return defaultConfig(objective, dimension), nil
	case noSignals:
		return objective.Config(dimension), nil
	case allSignals:
		return train.Config(objective, dimension, signal.Columns()...), nil
	}
	var columns []signal.Column
	for name := range strings.SplitSeq(text, ",") {
		found := signal.Find(strings.TrimSpace(name))
		if len(found) == 0 {
			return cvae.Config{}, usagef("--signals: there is no column or group %q; there are %s", name, strings.Join(signal.Groups(), ", "))
		}
		columns = append(columns, found...)
	}
	return train.Config(objective, dimension, columns...), nil
}

// defaultConfig returns an objective's settings, with all signals if it learns from
// graded candidates.
func defaultConfig(objective cvae.Objective, dimension int) cvae.Config {
	if !objective.Graded {
		return objective.Config(dimension)
	}
	return train.Config(objective, dimension, signal.Columns()...)
}
