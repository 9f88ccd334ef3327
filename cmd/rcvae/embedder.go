package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/cvae"
	"rcvae/embed"
	"rcvae/embed/minilm"
	"rcvae/internal/sqlitefile"
)

// noEmbedder is the value of --embedder that trains on signals alone.
const noEmbedder = "none"

// defaultCacheSize is the value of --cache-size, in MiB: two million texts of the built-in
// encoders.
const defaultCacheSize = 4096

// noCache is the value of --cache that keeps embeddings in memory only.
const noCache = "none"

// addEmbedderFlags adds the flags of commands that embed. What the embedder is without
// a flag is said in otherwise, and given to openEmbedder.
func addEmbedderFlags(cmd *cobra.Command, otherwise string) {
	addEmbedderNameFlags(cmd, otherwise)
	addEmbedderSettings(cmd)
}

// ofEmbedder annotates a flag of the embedder's whose name others have too.
const ofEmbedder = "rcvae/embedder"

// addEmbedderSettings adds the flags that say what an embedder's files or server leave
// open.
func addEmbedderSettings(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("pooling", "", "how the embedder pools its states, where its files do not say: mean, cls or last")
	f.String("task", "", "the embedder's task or named prompt; retrieval is one for questions and one for solutions")
	f.Int("dimension", 0, "keep the first `N` values of embeddings, for models trained so (0: all)")
	if f.Lookup("max-tokens") == nil { // where candidates are drawn it is a solution's length
		f.Int("max-tokens", 0, "cut texts to `N` tokens before they are embedded (0: the embedder's limit)")
		_ = f.SetAnnotation("max-tokens", ofEmbedder, nil) // the flag is there
	}
	f.Int("weight-bits", 0, "hold the embedder's weights in 8 or 32 `BITS` (0: 8 where the file has 8 or fewer, else 32)")
	f.Bool("in-context", false, "embed a solution behind its question, for causal models")
	f.String("question-prompt", "", "`TEXT` that is put before questions instead of the embedder's own")
	f.String("solution-prompt", "", "`TEXT` that is put before solutions instead of the embedder's own")
}

// addModelEmbedderFlags adds the flags of commands with models, which know how their
// embedder is opened.
func addModelEmbedderFlags(cmd *cobra.Command) { addEmbedderNameFlags(cmd, "the model's own") }

func addEmbedderNameFlags(cmd *cobra.Command, otherwise string) {
	f := cmd.Flags()
	f.String("embedder", "", "`EMBEDDER`: a built-in name, a folder, a .gguf file, ORG/NAME from the hub cache, a server's URL with its kind, or none for signals alone; see 'rcvae embedders list' (default: "+otherwise+")")
	f.String("adapter", "", "`FILE` or folder of a low-rank adapter that is merged into the embedder")
	f.String("cache", "", "`FILE` that keeps embeddings between runs, or \"none\" (default: embeddings.sqlite in the user's cache folder)")
	f.Int64("cache-size", defaultCacheSize, "let that file grow to this many `MIB`, then forget the oldest (0: no limit)")
}

// withFlags returns the settings with those flags that were set in their place.
func (s embedderSettings) withFlags(cmd *cobra.Command) embedderSettings {
	f := cmd.Flags()
	for name, value := range map[string]*string{
		"pooling": &s.Pooling, "task": &s.Task, "adapter": &s.Adapter, "question-prompt": &s.QuestionPrompt, "solution-prompt": &s.SolutionPrompt,
	} {
		if f.Changed(name) {
			*value, _ = f.GetString(name)
		}
	}
	if f.Changed("in-context") {
		s.InContext, _ = f.GetBool("in-context")
	}
	if f.Changed("dimension") {
		s.Dimension, _ = f.GetInt("dimension")
	}
	if f.Changed("weight-bits") {
		s.WeightBits, _ = f.GetInt("weight-bits")
	}
	if flag := f.Lookup("max-tokens"); flag != nil && flag.Changed {
		if _, its := flag.Annotations[ofEmbedder]; its {
			s.MaxTokens, _ = f.GetInt("max-tokens")
		}
	}
	return s
}

// openedEmbedder is a command's embedder behind its cache. For the embedder "none" the
// cache is nil.
type openedEmbedder struct {
	cache   *embed.Cache
	trouble string // why the cache is in memory only though a file was meant; "" when it is not
	inner   rcvae.Embedder
	workers workers         // that embed for this command; nil: there are none
	record  *embedderRecord // nil for built-in embedders
	guard   *embed.Guard    // of an embedder in another program; nil for others
	of      string          // of which work its progress tells, behind ", "; "" where there is one
}

// workers embed texts for a command in other processes.
type workers interface {
	embedder() rcvae.Embedder
	onProgress(show func(string)) // in a few words
	Close()
}

// openEmbedder opens the embedder that --embedder names, or else the given one.
func openEmbedder(cmd *cobra.Command, otherwise string) (*openedEmbedder, error) {
	return openNamed(cmd, embedderName(cmd, otherwise), embedderSettings{}, nil)
}

// embedderName returns --embedder, or else the given name.
func embedderName(cmd *cobra.Command, otherwise string) string {
	name, _ := cmd.Flags().GetString("embedder")
	return cmp.Or(name, otherwise)
}

// openNamed opens the embedder of that name, with the given settings where no flag changes
// them. It is wanted to have that fingerprint, nil for any; others are not refused here.
func openNamed(cmd *cobra.Command, name string, settings embedderSettings, want *rcvae.Fingerprint) (*openedEmbedder, error) {
	if name == noEmbedder {
		return &openedEmbedder{}, nil
	}
	if isBuiltin(name) {
		settings = embedderSettings{}
	}
	settings = settings.withFlags(cmd)
	inner, err := openRemembered(cmd, name, settings, want)
	if err != nil {
		return nil, err
	}
	o := &openedEmbedder{inner: inner}
	if err = o.openCache(cmd, name, settings); err != nil {
		o.Close()
		return nil, err
	}
	var once sync.Once
	o.cache.OnFault = func(err error) {
		once.Do(func() { fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %v\n", cmd.Name(), err) })
	}
	if isBuiltin(name) {
		return o, nil
	}
	if o.record, err = o.makeRecord(cmd, name, settings); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
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

// openCache puts the cache in front of the embedder, or of the workers that stand for it.
func (o *openedEmbedder) openCache(cmd *cobra.Command, name string, settings embedderSettings) error {
	path, err := cachePath(cmd)
	if err != nil {
		path = ""
	}
	if o.workers, err = openEmbedWorkers(cmd, name, settings, o.inner, path); err != nil {
		return err
	}
	behind := o.inner
	if kind, err := kindOf(name); err == nil && kind.elsewhere(name) {
		o.guard = embed.NewGuard(o.inner)
		behind = o.guard
	}
	if o.workers != nil {
		behind = o.workers.embedder()
	}
	o.cache, o.trouble, err = openCache(cmd, behind)
	return err
}

// cachePath returns the file that --cache names, or the default one, "" for none.
func cachePath(cmd *cobra.Command) (string, error) {
	switch path, _ := cmd.Flags().GetString("cache"); path {
	case "":
		return defaultCache()
	case noCache:
		return "", nil
	default:
		return path, nil
	}
}

// openCache opens the cache that --cache names. One that is locked, or on a disk that is
// full, costs time and no answer: embeddings are kept in memory, and the trouble is said.
// So does any that cannot be opened when the flag does not name it.
func openCache(cmd *cobra.Command, inner rcvae.Embedder) (cache *embed.Cache, trouble string, err error) {
	named, _ := cmd.Flags().GetString("cache")
	path, err := cachePath(cmd)
	if err == nil && path == "" {
		cache, err = embed.OpenCache("", inner)
		return cache, "", err
	}
	if err == nil {
		cache, err = embed.OpenCacheLimited(path, cacheSize(cmd), inner)
	}
	switch {
	case err == nil:
		return cache, "", nil
	case named == "":
		note(cmd, "embeddings are kept in memory only: %v; --cache FILE names another place", err)
	case sqlitefile.Passing(err):
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %v; embeddings are kept in memory only\n", cmd.Name(), err)
	default:
		return nil, "", err
	}
	trouble = err.Error()
	cache, err = embed.OpenCache("", inner)
	return cache, trouble, err
}

// cacheSize returns --cache-size in bytes.
func cacheSize(cmd *cobra.Command) int64 {
	size, _ := cmd.Flags().GetInt64("cache-size")
	return max(size, 0) << 20
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

// Close releases the cache and the embedder's files.
func (o *openedEmbedder) Close() {
	if o.cache != nil {
		_ = o.cache.Close() // it loses nothing: every chunk is committed
	}
	if o.workers != nil {
		o.workers.Close()
	}
	if closer, ok := o.inner.(io.Closer); ok {
		_ = closer.Close() // mapped files were only read
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

// progress shows the progress of the calls to the embedder that embed these questions, or
// of the next call without any. The function that it returns ends the report; it may be
// called more than once.
func (o *openedEmbedder) progress(cmd *cobra.Command, questions []rcvae.Question) (finish func()) {
	if o.cache == nil {
		return func() {}
	}
	texts := 0
	for _, q := range questions {
		texts += 1 + len(q.Candidates)
	}
	if texts <= embed.CallTexts { // one call, which knows how many texts differ
		texts = 0
	}
	p, before, last, all := newProgress(cmd, "embedding"+o.of, "texts"), 0, 0, 0
	o.cache.Progress = func(done, total int) {
		last, all = before+done, max(before+total, texts)
		p.update(last, all)
		if done == total { // the end of a call
			before += total
		}
	}
	if o.workers != nil {
		o.workers.onProgress(func(text string) {
			p.note = text
			p.update(last, all)
		})
	}
	return sync.OnceFunc(func() {
		o.cache.Progress = nil
		if o.workers != nil {
			o.workers.onProgress(nil)
		}
		p.done(last)
	})
}
