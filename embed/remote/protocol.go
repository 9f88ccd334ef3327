package remote

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"rcvae"
)

// protocol is what one kind of server wants and answers.
type protocol struct {
	kind, example string
	root          string // path of URLs without one
	path          string // of the call that embeds
	needsModel    bool
	formats       bool                                   // the form of vectors is asked for
	task          func(task string, r rcvae.Role) string // the server's name of a role's task; nil: it has no tasks
	body          func(r request) any
	read          func(data []byte) ([][]float32, error)
	describe      func(ctx context.Context, e *Embedder) error // completes model, batch and fingerprint; nil: nothing to ask
}

// request is one call.
type request struct {
	model, task string
	texts       []string
	dimension   int    // 0: the model's
	format      string // "base64", or "" where the server refuses it
}

// protocols returns every kind of server.
func protocols() []protocol {
	return []protocol{openAI(), tei(), llamaCpp(), ollama(), jina()}
}

// listed is the answer of OpenAI's API and of those that follow it.
type listed struct {
	Data []struct {
		Index     int    `json:"index"`
		Embedding vector `json:"embedding"`
	} `json:"data"`
}

// readListed returns the embeddings by their indices.
func readListed(data []byte) ([][]float32, error) {
	var answer listed
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, fmt.Errorf("read the embeddings: %w", err)
	}
	out := make([][]float32, len(answer.Data))
	for _, d := range answer.Data {
		if d.Index < 0 || d.Index >= len(out) || out[d.Index] != nil {
			return nil, fmt.Errorf("the answer has %d embeddings, and one with the index %d is too many", len(out), d.Index)
		}
		out[d.Index] = d.Embedding
	}
	return out, nil
}

// vector is a list of numbers, or the base64 of little-endian float32 values.
type vector []float32

func (v *vector) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return json.Unmarshal(data, (*[]float32)(v))
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw)%4 != 0 {
		return errors.New("an embedding is no base64 of float32 values")
	}
	*v = make(vector, len(raw)/4)
	for i := range *v {
		(*v)[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return nil
}

// unit returns a vector of length 1. One that is zero or not finite is an error.
func unit(v []float32) (rcvae.Embedding, error) {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	norm := math.Sqrt(square)
	if !(norm > 0) || math.IsInf(norm, 0) {
		return nil, fmt.Errorf("the embedding has length %v", norm)
	}
	out := make(rcvae.Embedding, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / norm)
	}
	return out, nil
}
