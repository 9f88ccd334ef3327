// Package builtin holds the trained model inside the binary.
package builtin

import (
	_ "embed" // the model
	"fmt"
	"strings"

	"rcvae/cvae"
)

// Prefix marks the name of a built-in model where a file could be named too.
const Prefix = "builtin:"

// Math is the name of the model for mathematical problems: a CVAE on embeddings of
// minilm-math with the signals beside them. docs/models.md says what it was trained on
// and where it helps.
const Math = Prefix + "math"

//go:embed math.rcvae
var math []byte

// Open returns the named model.
func Open(name string) (*cvae.Model, error) {
	if name != Math {
		return nil, fmt.Errorf("there is no built-in model %q: use %s or name a file", strings.TrimPrefix(name, Prefix), Math)
	}
	model, err := cvae.Decode(math)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return model, nil
}
