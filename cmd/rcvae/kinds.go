package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/embed"
	"rcvae/embed/encoder"
	"rcvae/embed/hub"
	"rcvae/embed/minilm"
)

// embedderKind is one form of what --embedder names.
type embedderKind struct {
	form, about string
	names       func(name string) bool // whether the name has this form
	takes       []string               // flags
	remote      bool                   // another program computes: what it computes can change
	// probes embeds the probe texts where the fingerprint does not tell the weights exactly;
	// nil: it does, and the cache knows them.
	probes func(cmd *cobra.Command, o *openedEmbedder, name string) (embed.Probes, error)
	open   func(ctx context.Context, name string, s embedderSettings) (rcvae.Embedder, error)
	// files returns the file or folder that all of the embedder is read from; nil: it is not,
	// or what open returns is lazy without it.
	files func(name string) (string, error)
}

func itsName(name string) (string, error) { return name, nil }

// elsewhere reports whether another program computes the embeddings of that name.
func (k embedderKind) elsewhere(name string) bool {
	return k.remote || isServer(strings.TrimPrefix(name, lmPrefix))
}

// fileFlags are the flags of embedders that are opened from files.
var fileFlags = []string{"pooling", "task", "dimension", "max-tokens", "in-context", "adapter", "question-prompt", "solution-prompt", "weight-bits"}

// embedderKinds returns every kind, first match first.
func embedderKinds() []embedderKind {
	kinds := []embedderKind{{
		form: strings.Join(embedderNames(), ", "), about: "built in",
		names: func(name string) bool { return slices.Contains(embedderNames(), name) }, open: openBuiltin,
	}}
	kinds = append(kinds, lmKind())
	kinds = append(kinds, remoteKinds()...)
	return append(kinds,
		embedderKind{form: "FILE.gguf", about: "a file of llama.cpp", names: isFile, takes: fileFlags, open: openEncoderFile, files: itsName},
		embedderKind{form: "FOLDER", about: "a folder of Hugging Face or sentence-transformers", names: isFolder, takes: fileFlags, open: openEncoder, files: itsName},
		embedderKind{form: "ORG/NAME[@REVISION]", about: "a model in the hub cache, see 'rcvae embedders get'", names: isHubName, takes: fileFlags, open: openFromHub, files: findInHub},
	)
}

// kindOf returns the kind of embedder that the name names.
func kindOf(name string) (embedderKind, error) {
	kinds := embedderKinds()
	for _, k := range kinds {
		if k.names(name) {
			return k, nil
		}
	}
	if strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".gguf") {
		return embedderKind{}, fmt.Errorf("embedder %s: there is no such file or folder", name)
	}
	var forms []string
	for _, k := range kinds {
		forms = append(forms, k.form)
	}
	return embedderKind{}, usagef("unknown embedder %q: want %s, or none for signals alone; 'rcvae embedders list' shows what there is", name, strings.Join(forms, ", "))
}

// newEmbedder opens what --embedder names.
func newEmbedder(ctx context.Context, name string, s embedderSettings) (rcvae.Embedder, error) {
	kind, err := kindOf(name)
	if err != nil {
		return nil, err
	}
	for _, flag := range s.given() {
		if !slices.Contains(kind.takes, flag) {
			return nil, usagef("embedder %s is %s, which takes no --%s", name, kind.about, flag)
		}
	}
	return kind.open(ctx, name, s)
}

// isBuiltin reports whether the embedder of that name is in the binary.
func isBuiltin(name string) bool { return slices.Contains(embedderNames(), name) }

// openBuiltin returns an encoder of the binary, which is opened when a text is not in
// the cache.
func openBuiltin(_ context.Context, name string, _ embedderSettings) (rcvae.Embedder, error) {
	for _, b := range builtinEmbedders() {
		if b.name == name {
			return b.lazy()
		}
	}
	return nil, usagef("unknown built-in embedder %q", name)
}

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

// lazy returns the encoder, which is opened when it is asked for an embedding.
func (b builtinEmbedder) lazy() (rcvae.Embedder, error) {
	fingerprint, err := minilm.FingerprintOf(b.name, b.options)
	if err != nil {
		return nil, err
	}
	return embed.NewLazy(fingerprint, func() (rcvae.Embedder, error) { return b.open(b.options) }), nil
}

func embedderNames() []string {
	var names []string
	for _, b := range builtinEmbedders() {
		names = append(names, b.name)
	}
	return names
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

func isHubName(name string) bool {
	_, err := hub.ParseName(name)
	return err == nil && !strings.HasSuffix(name, ".gguf")
}

// openEncoder opens a folder or a file.
func openEncoder(_ context.Context, path string, s embedderSettings) (rcvae.Embedder, error) {
	return s.openEncoder(path, path)
}

func openEncoderFile(_ context.Context, path string, s embedderSettings) (rcvae.Embedder, error) {
	if filepath.Ext(path) != ".gguf" {
		return nil, usagef("embedder %s is a file without the ending .gguf: want such a file, or the folder of a model", path)
	}
	return s.openEncoder(path, path)
}

func openFromHub(_ context.Context, name string, s embedderSettings) (rcvae.Embedder, error) {
	folder, err := findInHub(name)
	if errors.Is(err, hub.ErrNotCached) {
		return nil, fmt.Errorf("embedder %s is not a folder, and %w: 'rcvae embedders get %s' gets it", name, err, name)
	}
	if err != nil {
		return nil, err
	}
	e, err := s.openEncoder(folder, name)
	if errors.Is(err, fs.ErrNotExist) { // another program took what it needed
		return nil, fmt.Errorf("%w; 'rcvae embedders get %s' gets what is missing", err, name)
	}
	return e, err
}

// embedderSettings are the flags that say what an embedder's own files or server leave
// open. A model file keeps those that it was trained with.
type embedderSettings struct {
	Pooling        string `json:"pooling,omitempty"`
	Task           string `json:"task,omitempty"`
	Dimension      int    `json:"dimension,omitempty"`
	MaxTokens      int    `json:"max_tokens,omitempty"`
	InContext      bool   `json:"in_context,omitempty"`
	Adapter        string `json:"adapter,omitempty"`
	QuestionPrompt string `json:"question_prompt,omitempty"`
	SolutionPrompt string `json:"solution_prompt,omitempty"`
	WeightBits     int    `json:"weight_bits,omitempty"`
}

// given returns the names of the flags that are set.
func (s embedderSettings) given() []string {
	var names []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"pooling", s.Pooling != ""}, {"task", s.Task != ""}, {"dimension", s.Dimension != 0}, {"max-tokens", s.MaxTokens != 0},
		{"in-context", s.InContext}, {"adapter", s.Adapter != ""}, {"question-prompt", s.QuestionPrompt != ""}, {"solution-prompt", s.SolutionPrompt != ""},
		{"weight-bits", s.WeightBits != 0},
	} {
		if f.set {
			names = append(names, f.name)
		}
	}
	return names
}

// openEncoder opens the encoder at path under the name that it is known by.
func (s embedderSettings) openEncoder(path, name string) (rcvae.Embedder, error) {
	m, err := encoder.Open(path, encoder.Options{
		Name: name, Pooling: s.Pooling, Task: s.Task, Dimension: s.Dimension, MaxTokens: s.MaxTokens, InContext: s.InContext,
		Adapter: s.Adapter, QuestionPrompt: s.QuestionPrompt, SolutionPrompt: s.SolutionPrompt, WeightBits: s.WeightBits,
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}
