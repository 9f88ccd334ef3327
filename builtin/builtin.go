// Package builtin holds the trained models inside the binary.
package builtin

import (
	"embed"
	"fmt"
	"strings"

	"rcvae/cvae"
)

// Prefix marks the name of a built-in model where a file could be named too.
const Prefix = "builtin:"

// The names of the models. docs/models.md says what they were trained on and where they
// help.
const (
	// Math is for mathematical problems: a CVAE on embeddings of minilm-math with the
	// signals beside them.
	Math = Prefix + "math"
	// Signals is for word problems of grade school: a CVAE without hidden layers on the
	// signals alone, so that its entropy is linear in them. It needs no embedder.
	Signals = Prefix + "signals"
	// MathLM is Math's big sister: a CVAE on embeddings of package embed/lm, whose base is
	// a file of the user's, with the signals beside them.
	MathLM = Prefix + "math-lm"
)

const ending = ".rcvae"

//go:embed *.rcvae
var files embed.FS

// Names returns the names of the models.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // the folder is in the binary
	}
	var names []string
	for _, e := range entries {
		names = append(names, Prefix+strings.TrimSuffix(e.Name(), ending))
	}
	return names
}

// Open returns the named model.
func Open(name string) (*cvae.Model, error) {
	data, err := files.ReadFile(strings.TrimPrefix(name, Prefix) + ending)
	if err != nil || !strings.HasPrefix(name, Prefix) {
		return nil, fmt.Errorf("there is no built-in model %q: use one of %s, or name a file", name, strings.Join(Names(), ", "))
	}
	model, err := cvae.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return model, nil
}
