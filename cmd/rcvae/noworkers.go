//go:build noqueue

package main

import (
	"errors"

	"github.com/spf13/cobra"

	"rcvae"
)

// This file stands in for the queue in programs that are built without it.

func queueCommands() []*cobra.Command { return nil }

func workersFlags() []string { return nil }

func addWorkersFlags(*cobra.Command) {}

func workersAsked(*cobra.Command) bool { return false }

func openEmbedWorkers(*cobra.Command, string, embedderSettings, rcvae.Embedder, string) (workers, error) {
	return nil, nil //nolint:nilnil // there are none, and that is no error
}

func (r *drawingRun) drawSpread(*cobra.Command, []rcvae.Problem) error {
	return errors.ErrUnsupported
}
