package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/embed"
	"rcvae/embed/minilm"
)

// noCache is the value of --cache that keeps embeddings in memory only.
const noCache = "none"

// embedderNames lists what --embedder accepts.
func embedderNames() []string { return []string{minilm.Name, minilm.NameMath} }

// newEmbedder returns a built-in embedder with its own settings.
func newEmbedder(name string) (*minilm.Embedder, error) {
	switch name {
	case minilm.Name:
		return minilm.New(minilm.DefaultOptions())
	case minilm.NameMath:
		return minilm.NewMath(minilm.DefaultMathOptions())
	}
	return nil, usagef("unknown embedder %q; 'rcvae embedders list' shows what there is", name)
}

func addEmbedderFlags(cmd *cobra.Command) {
	cmd.Flags().String("embedder", "minilm", "embedding model `NAME`; see 'rcvae embedders list'")
	cmd.Flags().String("cache", "", "`FILE` that keeps embeddings between runs, or \"none\" (default: embeddings.sqlite in the user's cache folder)")
}

// trainEmbedder is the embedder of train without --embedder: the adapted one for the
// objectives that learn to tell right from wrong, the published one for those that
// are there to be studied.
func trainEmbedder(objective string) string {
	if contrasts(objective) {
		return minilm.NameMath
	}
	return minilm.Name
}

// addModelEmbedderFlags is addEmbedderFlags for commands that follow their model, see
// [followEmbedder].
func addModelEmbedderFlags(cmd *cobra.Command) {
	addEmbedderFlags(cmd)
	embedder := cmd.Flags().Lookup("embedder")
	embedder.Usage = "embedding model `NAME` (default: the model's own; see 'rcvae embedders list')"
	embedder.DefValue = "" // for the help alone
}

// openEmbedder returns the embedder that the flags name, behind its cache, which
// reports progress on standard error. The caller closes it.
func openEmbedder(cmd *cobra.Command) (*embed.Cache, error) {
	name, err := cmd.Flags().GetString("embedder")
	if err != nil {
		return nil, err
	}
	inner, err := newEmbedder(name)
	if err != nil {
		return nil, err
	}
	path, err := cachePath(cmd)
	if err != nil {
		return nil, err
	}
	return embed.OpenCache(path, inner)
}

func cachePath(cmd *cobra.Command) (string, error) {
	path, err := cmd.Flags().GetString("cache")
	if err != nil || path == noCache {
		return "", err
	}
	if path == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find the user's cache folder: %w; name a file with --cache", err)
		}
		path = filepath.Join(dir, "rcvae", "embeddings.sqlite")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("make the folder of the embedding cache: %w; name another file with --cache", err)
	}
	return path, nil
}

// embedAll embeds texts with a progress report. Interrupted work is kept in the
// cache and says so.
func embedAll(ctx context.Context, cmd *cobra.Command, cache *embed.Cache, texts []string) ([]rcvae.Embedding, error) {
	p := newProgress(cmd, "embedding", "texts")
	cache.Progress = p.update
	defer func() { cache.Progress = nil }()
	embeddings, err := cache.Embed(ctx, texts)
	if errors.Is(err, context.Canceled) {
		return nil, errors.New("embed: interrupted; what is done is in the cache, run the same command to continue")
	}
	if err != nil {
		return nil, fmt.Errorf("embed %d texts: %w", len(texts), err)
	}
	p.done(len(texts))
	return embeddings, nil
}
