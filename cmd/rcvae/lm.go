package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/builtin"
	"rcvae/embed"
	"rcvae/embed/hub"
	"rcvae/embed/lm"
	"rcvae/embed/remote"
)

// lmPrefix stands before the base that the adapters of the binary belong to.
const lmPrefix = lm.Name + "+"

func lmKind() embedderKind {
	return embedderKind{
		form: lmPrefix + "BASE", about: "the adapters in the binary over " + lm.Base,
		names: func(name string) bool { return name == lm.Name || strings.HasPrefix(name, lmPrefix) },
		open:  openLM, probes: probeLM,
	}
}

// openLM opens the base that stands behind the prefix, or else the one in the hub cache,
// when a text is not in the cache.
func openLM(ctx context.Context, name string, _ embedderSettings) (rcvae.Embedder, error) {
	if address, ok := strings.CutPrefix(name, lmPrefix); ok && isServer(address) {
		return openLMServer(ctx, address)
	}
	base, err := lmBase(name)
	if err != nil {
		return nil, err
	}
	return embed.NewLazy(lm.Fingerprint(), func() (rcvae.Embedder, error) {
		// The weights are most of the memory: with the usual 100 % as much again could be
		// garbage before it is collected.
		debug.SetGCPercent(25)
		m, err := lm.Open(base)
		if err != nil {
			return nil, fmt.Errorf("%w; the adapters are for %s and no other model", err, lm.Base)
		}
		return m, nil
	}), nil
}

// isServer reports whether the base runs in a llama-server, with the adapters.
func isServer(base string) bool { return strings.HasPrefix(base, "llamacpp+") }

// openLMServer connects to a llama-server. It is taken for the embedder if its vectors of
// the probe texts are.
func openLMServer(ctx context.Context, address string) (rcvae.Embedder, error) {
	o := remote.DefaultOptions()
	o.Key = os.Getenv(remote.KeyVariable)
	e, err := remote.OpenInContext(ctx, address, lm.Fingerprint().MaxTokens, o)
	if err != nil {
		return nil, err
	}
	if got, want := e.Fingerprint().Dimension, lm.Fingerprint().Dimension; got != want {
		return nil, fmt.Errorf("%s has embeddings of %d dimensions, want %d: it runs another model than %s", address, got, want, lm.Base)
	}
	return underFingerprint{e, lm.Fingerprint()}, nil
}

// lmBase returns the file or folder of the base.
func lmBase(name string) (string, error) {
	base, named := strings.CutPrefix(name, lmPrefix)
	if !named {
		folder, err := findInHub(lm.Repository)
		if errors.Is(err, hub.ErrNotCached) {
			return "", noBase()
		}
		return folder, err
	}
	switch _, err := os.Stat(base); {
	case err == nil:
		return base, nil
	case !errors.Is(err, fs.ErrNotExist) || !isHubName(base):
		return "", fmt.Errorf("embedder %s: %w", name, err)
	}
	folder, err := findInHub(base)
	if errors.Is(err, hub.ErrNotCached) {
		return "", fmt.Errorf("embedder %s: %s is no file or folder, and %w: 'rcvae embedders get %s' gets it", name, base, err, base)
	}
	return folder, err
}

// noBase says which model is missing, and how to get it.
func noBase() error {
	return usagef("the embedder %s reads %s, whose weights are not in the binary: name its GGUF file with --embedder, "+
		"for example qwen2.5-coder-0.5b-instruct-q4_k_m.gguf (491 MB, from %s-GGUF on the hub, or what llama.cpp has on your disk), "+
		"or get its folder with 'rcvae embedders get %s' (0.99 GB), which is found without a flag",
		lm.Name, lm.Base, lm.Repository, lm.Repository)
}

// withBase returns the name of the embedder of a model that was trained on it: where
// --embedder names a file, folder or model of the hub, this is the base.
func withBase(name string) string {
	if isServer(name) || isFile(name) || isFolder(name) || isHubName(name) && strings.Contains(name, "/") || strings.HasSuffix(name, ".gguf") {
		return lmPrefix + name
	}
	return name
}

// probeLM embeds the probe texts with the base itself: the fingerprint, and with it the
// cache, is one for all of its files. What a file makes of them is cached under what tells
// it from others on the disk, and a base whose vectors are not those that the adapters
// belong to is refused before any of them gets into the cache.
func probeLM(cmd *cobra.Command, o *openedEmbedder, name string) (embed.Probes, error) {
	probes, err := probesOfBase(cmd, o, name)
	if err != nil {
		return probes, err
	}
	reference, err := lmReference()
	if err != nil || reference == nil {
		return probes, err
	}
	if _, err := reference.CompareFrom(probes, lm.SameFrom); err != nil {
		return probes, fmt.Errorf("embedder %s: the base is not %s, or its weights are rounded too far, or a server lacks the adapters: %w", name, lm.Base, err)
	}
	return probes, nil
}

// probesOfBase embeds the probe texts, with a server every time.
func probesOfBase(cmd *cobra.Command, o *openedEmbedder, name string) (embed.Probes, error) {
	if isServer(strings.TrimPrefix(name, lmPrefix)) {
		return embed.Probe(cmd.Context(), o.inner)
	}
	base, err := lmBase(name)
	if err != nil {
		return embed.Probes{}, err
	}
	file, err := fileStamp(base)
	if err != nil {
		return embed.Probes{}, fmt.Errorf("embedder %s: %w", name, err)
	}
	fingerprint := o.inner.Fingerprint()
	fingerprint.Weights += "; " + file
	cache, _, err := openCache(cmd, underFingerprint{o.inner, fingerprint})
	if err != nil {
		return embed.Probes{}, err
	}
	defer cache.Close()
	return embed.Probe(cmd.Context(), cache)
}

// underFingerprint is an embedder that is known by another fingerprint than its own.
type underFingerprint struct {
	rcvae.Embedder
	fingerprint rcvae.Fingerprint
}

func (u underFingerprint) Fingerprint() rcvae.Fingerprint { return u.fingerprint }

// stampOf tells a file from another that stood there before.
func stampOf(name string, info fs.FileInfo) string {
	return fmt.Sprintf("%s of %d bytes at %d", name, info.Size(), info.ModTime().UnixNano())
}

// lmReference returns what the built-in model's base made of the probe texts; nil without
// such a model for these adapters.
func lmReference() (*embed.Probes, error) {
	if !slices.Contains(builtin.Names(), builtin.MathLM) {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	model, err := builtin.Open(builtin.MathLM)
	if err != nil {
		return nil, err
	}
	record, err := recordOf(model)
	if err != nil || record == nil || !model.Info().Fingerprint.Same(lm.Fingerprint()) {
		return nil, err
	}
	return &record.Probes, nil
}
