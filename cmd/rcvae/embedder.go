package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/cvae"
	"rcvae/embed"
	"rcvae/embed/minilm"
)

// noEmbedder is the value of --embedder that trains on signals alone.
const noEmbedder = "none"

// noCache is the value of --cache that keeps embeddings in memory only.
const noCache = "none"

// builtinEmbedder is an encoder inside the binary.
type builtinEmbedder struct {
	name, source, license string
	options               minilm.Options
	open                  func(minilm.Options) (*minilm.Embedder, error)
}

func builtinEmbedders() []builtinEmbedder {
	return []builtinEmbedder{
		{minilm.Name, minilm.Source, minilm.License, minilm.DefaultOptions(), minilm.New},
		{minilm.NameMath, minilm.SourceMath, minilm.License, minilm.DefaultMathOptions(), minilm.NewMath},
	}
}

func embedderNames() []string {
	var names []string
	for _, b := range builtinEmbedders() {
		names = append(names, b.name)
	}
	return names
}

// lazy returns the encoder, which is opened when a text is not in the cache.
func (b builtinEmbedder) lazy() (rcvae.Embedder, error) {
	fingerprint, err := minilm.FingerprintOf(b.name, b.options)
	if err != nil {
		return nil, err
	}
	return embed.NewLazy(fingerprint, func() (rcvae.Embedder, error) { return b.open(b.options) }), nil
}

// newEmbedder returns what --embedder names.
func newEmbedder(name string) (rcvae.Embedder, error) {
	for _, b := range builtinEmbedders() {
		if b.name == name {
			return b.lazy()
		}
	}
	return nil, usagef("unknown embedder %q; 'rcvae embedders list' shows what there is", name)
}

// addEmbedderFlags adds the flags of commands that embed. What the embedder is without
// a flag is said in otherwise, and given to openEmbedder.
func addEmbedderFlags(cmd *cobra.Command, otherwise string) {
	cmd.Flags().String("embedder", "", "embedding model `NAME`; see 'rcvae embedders list' (default: "+otherwise+")")
	cmd.Flags().String("cache", "", "`FILE` that keeps embeddings between runs, or \"none\" (default: embeddings.sqlite in the user's cache folder)")
}

// addModelEmbedderFlags is addEmbedderFlags for commands with models.
func addModelEmbedderFlags(cmd *cobra.Command) { addEmbedderFlags(cmd, "the model's own") }

// openedEmbedder is a command's embedder behind its cache. For the embedder "none" the
// cache is nil.
type openedEmbedder struct{ cache *embed.Cache }

// openEmbedder opens the embedder that --embedder names, or else the given one.
func openEmbedder(cmd *cobra.Command, otherwise string) (*openedEmbedder, error) {
	name, _ := cmd.Flags().GetString("embedder")
	if name == "" {
		name = otherwise
	}
	if name == noEmbedder {
		return &openedEmbedder{}, nil
	}
	inner, err := newEmbedder(name)
	if err != nil {
		return nil, err
	}
	cache, err := openCache(cmd, inner)
	if err != nil {
		return nil, err
	}
	var once sync.Once
	cache.OnFault = func(err error) {
		once.Do(func() { fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %v\n", cmd.Name(), err) })
	}
	return &openedEmbedder{cache}, nil
}

// openTrainEmbedder opens the embedder of train. Without --embedder it is the adapted
// one for objectives that learn from graded candidates, and the published one for those
// that are there to be studied.
func openTrainEmbedder(cmd *cobra.Command, objective cvae.Objective) (*openedEmbedder, error) {
	if objective.Graded {
		return openEmbedder(cmd, minilm.NameMath)
	}
	return openEmbedder(cmd, minilm.Name)
}

// openCache opens the cache that --cache names. Without the flag a cache that cannot be
// opened costs time and no answer: embeddings are kept in memory, and that is said.
func openCache(cmd *cobra.Command, inner rcvae.Embedder) (*embed.Cache, error) {
	path, _ := cmd.Flags().GetString("cache")
	if path != "" {
		if path == noCache {
			path = ""
		}
		return embed.OpenCache(path, inner)
	}
	path, err := defaultCache()
	if err == nil {
		var cache *embed.Cache
		if cache, err = embed.OpenCache(path, inner); err == nil {
			return cache, nil
		}
	}
	note(cmd, "embeddings are kept in memory only: %v; --cache FILE names another place", err)
	return embed.OpenCache("", inner)
}

// defaultCache returns the file in the user's cache folder, whose folder it makes.
func defaultCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache folder: %w", err)
	}
	dir = filepath.Join(dir, "rcvae")
	return filepath.Join(dir, "embeddings.sqlite"), os.MkdirAll(dir, 0o755)
}

// Close releases the cache.
func (o *openedEmbedder) Close() {
	if o.cache != nil {
		_ = o.cache.Close() // it loses nothing: every chunk is committed
	}
}

// Fingerprint returns the embedder's, and the zero value without one.
func (o *openedEmbedder) Fingerprint() rcvae.Fingerprint {
	if o.cache == nil {
		return rcvae.Fingerprint{}
	}
	return o.cache.Fingerprint()
}

// embedder returns the embedder, or nil without one.
func (o *openedEmbedder) embedder() rcvae.Embedder {
	if o.cache == nil {
		return nil
	}
	return o.cache
}

// progress shows the progress of the next call to the embedder. The function that it
// returns ends the report; it may be called more than once.
func (o *openedEmbedder) progress(cmd *cobra.Command) (finish func()) {
	if o.cache == nil {
		return func() {}
	}
	p, last := newProgress(cmd, "embedding", "texts"), 0
	o.cache.Progress = func(done, total int) {
		last = done
		p.update(done, total)
	}
	return sync.OnceFunc(func() {
		o.cache.Progress = nil
		p.done(last)
	})
}
