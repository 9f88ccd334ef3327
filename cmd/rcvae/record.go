package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/cvae"
	"rcvae/embed"
	"rcvae/embed/hub"
	"rcvae/embed/lm"
)

// embedderRecord is what a model file keeps of an embedder that is not built in: how it
// is opened again, on which terms its weights may be used, and what it makes of the
// probe texts.
type embedderRecord struct {
	Settings embedderSettings `json:"settings"`
	License  string           `json:"license,omitempty"`
	Probes   embed.Probes     `json:"probes"`
}

// recordOf returns the record of a model, nil if it has none.
func recordOf(m *cvae.Model) (*embedderRecord, error) {
	raw := m.EmbedderRecord()
	if raw == nil {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	var r embedderRecord
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("read the embedder's record: %w", err)
	}
	return &r, nil
}

// makeRecord embeds the probe texts. Those of an embedder in another program are
// embedded afresh and compared with the cache: under one name there may be two servers.
func (o *openedEmbedder) makeRecord(cmd *cobra.Command, name string, s embedderSettings) (*embedderRecord, error) {
	ctx := cmd.Context()
	kind, err := kindOf(name)
	if err != nil {
		return nil, err
	}
	if kind.probes != nil {
		probes, err := kind.probes(cmd, o, name)
		return &embedderRecord{Settings: s, License: licenseOf(name), Probes: probes}, err
	}
	cached, err := embed.Probe(ctx, o.cache)
	if err != nil {
		return nil, err
	}
	r := &embedderRecord{Settings: s, Probes: cached}
	if !kind.remote {
		r.License = licenseOf(name)
		return r, nil
	}
	if r.Probes, err = embed.Probe(ctx, o.inner); err != nil {
		return nil, err
	}
	if _, err := cached.Compare(r.Probes); err != nil {
		return nil, fmt.Errorf("the cache holds embeddings of another server that was called %s: %w; name another file with --cache", name, err)
	}
	return r, nil
}

// watch begins to look, while the embedder is used, whether it still is what these models
// were trained on and what it was when it was opened. onChange is told.
func (o *openedEmbedder) watch(paths []string, models []rcvae.Model, onChange func(error)) {
	if o.guard == nil {
		return
	}
	o.guard.Watch(func(now embed.Probes) error {
		for i, m := range models {
			if model, ok := m.(*cvae.Model); ok {
				if _, err := o.compareProbes(paths[i], model, now); err != nil {
					return err
				}
			}
		}
		if _, err := o.record.Probes.CompareFrom(now, sameFrom(o.Fingerprint())); err != nil {
			return fmt.Errorf("%s computes something else than when it was opened: %w", o.Fingerprint().Name, err)
		}
		return nil
	}, onChange)
}

// licenseOf returns what the files of an embedder say about their licence.
func licenseOf(name string) string {
	if lmKind().names(name) {
		return lm.License
	}
	if isFolder(name) {
		return hub.License(name)
	}
	if folder, err := findInHub(name); err == nil {
		return hub.License(folder)
	}
	return ""
}

// checkProbes refuses a model whose embedder made something else of the probe texts than
// the one that is open.
func (o *openedEmbedder) checkProbes(cmd *cobra.Command, path string, m *cvae.Model) error {
	if o.record == nil {
		return nil
	}
	least, err := o.compareProbes(path, m, o.record.Probes)
	if err == nil && least < embed.AlikeFrom {
		note(cmd, "%s differs a little from the embedder that %s was trained on: least cosine %.5f", o.Fingerprint().Name, path, least)
	}
	return err
}

// compareProbes compares what the model's embedder made of the probe texts with what the
// open one does; 1 if the model does not know.
func (o *openedEmbedder) compareProbes(path string, m *cvae.Model, now embed.Probes) (least float64, err error) {
	record, err := recordOf(m)
	if err != nil || record == nil {
		return 1, err
	}
	then := m.Info().Fingerprint
	least, err = record.Probes.CompareFrom(now, sameFrom(then))
	if err != nil {
		err = fmt.Errorf("%s was trained on embedder %s; %s computes something else: %w; use the embedder that it was trained on, or train a model with this one", path, then.Name, o.Fingerprint().Name, err)
	}
	return least, err
}

// sameFrom returns the least cosine of two vectors of one text that a model takes for one
// function's.
func sameFrom(fp rcvae.Fingerprint) float64 {
	if fp.Same(lm.Fingerprint()) {
		return lm.SameFrom
	}
	return embed.SameFrom
}

// sameEmbedder checks that the model at path belongs to the open embedder.
func (o *openedEmbedder) sameEmbedder(cmd *cobra.Command, path string, m *cvae.Model) error {
	if fp := m.Info().Fingerprint; !fp.Same(o.Fingerprint()) {
		return fmt.Errorf("%s was trained on embedder %v, not %v: use that embedder, or train a model with this one", path, fp, o.Fingerprint())
	}
	return o.checkProbes(cmd, path, m)
}

// openModelEmbedder opens the embedder of the model at path, or the one that --embedder
// names in its place.
func openModelEmbedder(cmd *cobra.Command, path string, m *cvae.Model) (*openedEmbedder, error) {
	fp := m.Info().Fingerprint
	if fp.Dimension == 0 {
		return openEmbedder(cmd, noEmbedder)
	}
	record, err := recordOf(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var settings embedderSettings
	if record != nil {
		settings = record.Settings
	}
	name := embedderName(cmd, fp.Name)
	if fp.Name == lm.Name {
		name = withBase(name)
	}
	if name == lm.Name {
		if _, err := lmBase(name); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	o, err := openNamed(cmd, name, settings, &fp)
	if err != nil && !cmd.Flags().Changed("embedder") {
		// Not wrapped: a name that is wrong in the model file is no wrong usage.
		return nil, fmt.Errorf("%s was trained on embedder %v, which cannot be opened: %s; name where it is with --embedder", path, fp, err.Error())
	}
	return o, err
}

// recordJSON returns the record for a model file, nil for built-in embedders.
func (o *openedEmbedder) recordJSON() (json.RawMessage, error) {
	if o.record == nil {
		return nil, nil
	}
	return json.Marshal(o.record)
}

// findInHub returns the folder of ORG/NAME in the hub cache.
func findInHub(name string) (string, error) {
	cache, err := hub.FromEnvironment(os.Getenv)
	if err != nil {
		return "", err
	}
	return cache.Find(name)
}
