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

// Role says what a text is to its [Embedder]. Many embedders put a prompt of its
// own before each role.
type Role uint8

// The roles.
const (
	RoleQuestion Role = iota
	RoleSolution
)

// String returns "question" or "solution".
func (r Role) String() string {
	if r == RoleSolution {
		return "solution"
	}
	return "question"
}

// Text is one input of an [Embedder].
type Text struct {
	Role Role
	Text string

	// Question is the question that a solution belongs to. Embedders that read a
	// solution in context (see [Fingerprint].InContext) put it before the solution;
	// the others ignore it. It is empty for questions.
	Question string
}

// Texts returns the inputs that embed a question and its candidates: the question
// first, then a solution for each candidate.
func (q Question) Texts() []Text {
	texts := make([]Text, 1, 1+len(q.Candidates))
	texts[0] = Text{Role: RoleQuestion, Text: q.Question}
	for _, c := range q.Candidates {
		texts = append(texts, Text{Role: RoleSolution, Text: c.Text, Question: q.Question})
	}
	return texts
}

// Embedder maps n texts to n embeddings of one dimension D, in input order (g_η
// in the paper). Every embedding has unit length and finite elements; an empty
// text has an embedding too.
type Embedder interface {
	Embed(ctx context.Context, texts []Text) ([]Embedding, error)
	Fingerprint() Fingerprint
}

// Fingerprint says which function of the text an embedder computes. Two embedders
// whose fingerprints have one [Fingerprint.ID] give interchangeable embeddings; a
// trained model may be used only with such an embedder.
type Fingerprint struct {
	Name       string `json:"name"`                 // for people and to open it again, for example "minilm"; not part of the ID
	Weights    string `json:"weights"`              // SHA-256 of the weights, or the remote model's name
	Pooling    string `json:"pooling"`              // "mean", "cls", "last", …
	Prompt     string `json:"prompt,omitempty"`     // text or task put before each question
	Solution   string `json:"solution,omitempty"`   // text or task put before each solution
	InContext  bool   `json:"in_context,omitempty"` // a solution is read after its question
	Dimension  int    `json:"dimension"`            // D
	MaxTokens  int    `json:"max_tokens"`           // longer inputs are cut; 0: not known
	Truncation string `json:"truncation,omitempty"` // what a cut leaves: "" the start, "ends" the start and the end; "refused": nothing is cut, longer inputs are errors
	Normalized bool   `json:"normalized"`           // embeddings have unit length
}

// ID returns the hexadecimal SHA-256 of all fields but the name.
func (f Fingerprint) ID() string {
	f.Name = ""
	b, err := json.Marshal(f)
	if err != nil { // a struct of strings, ints and bools always marshals
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Same reports whether both fingerprints are of one embedding function.
func (f Fingerprint) Same(g Fingerprint) bool {
	f.Name, g.Name = "", ""
	return f == g
}

// String returns the name and the start of the [Fingerprint.ID], for messages.
func (f Fingerprint) String() string {
	return fmt.Sprintf("%s (%d-d, fingerprint %s)", f.Name, f.Dimension, f.ID()[:12])
}
