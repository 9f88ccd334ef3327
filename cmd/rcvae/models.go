package main

import (
	"strings"

	"github.com/spf13/cobra"

	"rcvae/builtin"
	"rcvae/cvae"
	"rcvae/embed/minilm"
	"rcvae/selector"
)

// noModel is the value of --model that leaves rules without one.
const noModel = "none"

func addModelFlag(cmd *cobra.Command) {
	cmd.Flags().StringArray("model", []string{builtin.Math},
		"model `FILE`, "+strings.Join(builtin.Names(), ", ")+", or \"none\"; several of one training are averaged")
}

// modelPaths returns what --model names, nothing for "none".
func modelPaths(cmd *cobra.Command) ([]string, error) {
	paths, err := cmd.Flags().GetStringArray("model")
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if path == noModel {
			if len(paths) > 1 {
				return nil, usagef("--model none stands beside other models: leave one of them out")
			}
			return nil, nil
		}
	}
	return paths, nil
}

// loadModel reads a model file, or a built-in one.
func loadModel(path string) (*cvae.Model, error) {
	if !strings.HasPrefix(path, builtin.Prefix) {
		return cvae.Load(path)
	}
	model, err := builtin.Open(path)
	if err != nil {
		return nil, usageError{err}
	}
	return model, nil
}

func loadModels(paths []string) ([]*cvae.Model, error) {
	models := make([]*cvae.Model, len(paths))
	for i, path := range paths {
		var err error
		if models[i], err = loadModel(path); err != nil {
			return nil, err
		}
	}
	return models, nil
}

// openSources opens what the needs call for: the models of --model, and the embedder
// that --embedder names or else the one that they were trained on, behind its cache.
func openSources(cmd *cobra.Command, need selector.Needs) (selector.Sources, *openedEmbedder, error) {
	var sources selector.Sources
	none := &openedEmbedder{}
	paths, err := modelPaths(cmd)
	if err != nil {
		return sources, nil, err
	}
	if need.Has(selector.NeedModel) && len(paths) == 0 {
		return sources, nil, usagef("this selector needs a model: name one with --model, train one with 'rcvae train', or use --selector vote:arithmetic or majority")
	}
	if need.Has(selector.NeedSignalModel) || need.Has(selector.NeedModel) {
		if sources.Signals, err = builtin.Open(builtin.Signals); err != nil {
			return sources, nil, err
		}
	}
	if !need.Has(selector.NeedEmbeddings) && !need.Has(selector.NeedModel) {
		return sources, none, nil
	}
	models, err := loadModels(paths)
	if err != nil {
		return sources, nil, err
	}
	embedder, err := openSourceEmbedder(cmd, paths, models)
	if err != nil {
		return sources, nil, err
	}
	sources.Embedder = embedder.embedder()
	for i, m := range models {
		if err := embedder.sameEmbedder(cmd, paths[i], m); err != nil {
			embedder.Close()
			return sources, nil, err
		}
		sources.Models = append(sources.Models, m)
	}
	return sources, embedder, nil
}

func openSourceEmbedder(cmd *cobra.Command, paths []string, models []*cvae.Model) (*openedEmbedder, error) {
	if len(models) == 0 {
		return openEmbedder(cmd, minilm.Name)
	}
	return openModelEmbedder(cmd, paths[0], models[0])
}
