// Package builtin holds the trained model inside the binary.
package builtin

import (
	_ "embed" // the model
	"fmt"
	"strings"
)

// Prefix marks the name of a built-in model where a file could be named too.
const Prefix = "builtin:"

// Math is the name of the model for mathematical problems: a CVAE on embeddings of
// minilm-math. docs/models.md says what it was trained on and where it helps.
const Math = Prefix + "math"

//go:embed math.rcvae
var math []byte

// Model returns the bytes of the named model, a file as [rcvae/cvae.Decode] reads it.
func Model(name string) ([]byte, error) {
	if name == Math {
		return math, nil
	}
	return nil, fmt.Errorf("there is no built-in model %q: use %s or name a file", strings.TrimPrefix(name, Prefix), Math)
}
