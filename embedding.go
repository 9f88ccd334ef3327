package rcvae

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Embedding is a text's vector of D float32 values, of unit Euclidean length.
type Embedding []float32

// Embedder maps n texts to n embeddings of one dimension D, in input order (g_η
// in the paper). Every embedding has unit length and finite elements; an empty
// text has an embedding too.
type Embedder interface {
	Embed(ctx context.Context, texts []string) ([]Embedding, error)
}

// FingerprintedEmbedder is an [Embedder] that can say which function of the text
// it computes.
type FingerprintedEmbedder interface {
	Embedder
	Fingerprint() Fingerprint
}

// Fingerprint names an embedding function. Two embedders with equal fingerprints
// give interchangeable embeddings; a trained model may be used only with the
// embedder that it was trained on.
type Fingerprint struct {
	Name       string `json:"name"`                 // for people, for example "minilm"
	Weights    string `json:"weights"`              // SHA-256 of the weights, or the remote model's name
	Pooling    string `json:"pooling"`              // "mean", "cls", …
	Prompt     string `json:"prompt"`               // text put before each input; usually empty
	Dimension  int    `json:"dimension"`            // D
	MaxTokens  int    `json:"max_tokens"`           // longer inputs are cut
	Truncation string `json:"truncation,omitempty"` // what a cut leaves: "" the start, "ends" the start and the end
	Normalized bool   `json:"normalized"`           // embeddings have unit length
}

// ID returns the hexadecimal SHA-256 of the fingerprint.
func (f Fingerprint) ID() string {
	b, err := json.Marshal(f)
	if err != nil { // a struct of strings, ints and bools always marshals
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// String returns the name and the start of the [Fingerprint.ID], for messages.
func (f Fingerprint) String() string {
	return fmt.Sprintf("%s (%d-d, fingerprint %s)", f.Name, f.Dimension, f.ID()[:12])
}
