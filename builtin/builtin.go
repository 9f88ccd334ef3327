// Package builtin holds the trained models inside the binary.
package builtin

import (
	_ "embed" // the models
	"fmt"
	"maps"
	"slices"
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
)

//go:embed math.rcvae
var math []byte

//go:embed signals.rcvae
var signals []byte

var files = map[string][]byte{Math: math, Signals: signals}

// Names returns the names of the models, sorted.
func Names() []string { return slices.Sorted(maps.Keys(files)) }

// Open returns the named model.
func Open(name string) (*cvae.Model, error) {
	data, ok := files[name]
	if !ok {
		return nil, fmt.Errorf("there is no built-in model %q: use one of %s, or name a file", name, strings.Join(Names(), ", "))
	}
	model, err := cvae.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return model, nil
}
