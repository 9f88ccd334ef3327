// Package demo holds the bundled samples of 'rcvae demo': word problems written for
// this project, and solutions that Qwen2.5-Coder-0.5B-Instruct (Apache-2.0) wrote
// for them. The training part comes with its embeddings, since embedding it takes
// minutes; the test part does not.
package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the samples
	"fmt"
	"io"
	"iter"
	"math"

	"rcvae"
	"rcvae/internal/safetensors"
)

//go:generate go run ./generate $RCVAE_SHARED/data/demo .

//go:embed train.jsonl.gz
var train []byte

//go:embed test.jsonl.gz
var test []byte

//go:embed gold.jsonl.gz
var gold []byte

//go:embed train.safetensors
var embeddings []byte

// Train returns the training pool, in the form of package dataset.
func Train() io.Reader { return bytes.NewReader(train) }

// Test returns the test pool.
func Test() io.Reader { return bytes.NewReader(test) }

// Gold returns the training problems with their reference solutions.
func Gold() io.Reader { return bytes.NewReader(gold) }

// fingerprintKey is the metadata key of the embedder's fingerprint.
const fingerprintKey = "fingerprint"

// The tensors of the file of embeddings.
const (
	keysTensor    = "keys"    // (n, 16) the beginning of the SHA-256 of role and text
	vectorsTensor = "vectors" // (n, D) directions; the largest element of each is ±127
)

// key names a text by its role and words.
type key [16]byte

// Pack returns the file of the embeddings of texts, in eight bits.
func Pack(fp rcvae.Fingerprint, texts []rcvae.Text, embeddings []rcvae.Embedding) ([]byte, error) {
	var keys, vectors []byte
	for i, t := range texts {
		k := keyOf(t)
		keys = append(keys, k[:]...)
		vectors = appendDirection(vectors, embeddings[i])
	}
	file := safetensors.File{
		Metadata: map[string]string{"embedder": fp.Name, fingerprintKey: fp.ID()},
		Tensors: []safetensors.Tensor{
			{Name: keysTensor, DType: "U8", Shape: []int{len(texts), len(key{})}, Data: keys},
			{Name: vectorsTensor, DType: "I8", Shape: []int{len(texts), fp.Dimension}, Data: vectors},
		},
	}
	return file.Encode()
}

// Questions collects a bundled pool.
func Questions(pool iter.Seq2[rcvae.Question, error]) ([]rcvae.Question, error) {
	var questions []rcvae.Question
	for q, err := range pool {
		if err != nil {
			return nil, err
		}
		questions = append(questions, q)
	}
	return questions, nil
}

// Embedder returns an embedder that knows the vectors of the bundled training texts,
// and asks inner for all others. It is an error if they were made by another embedder
// than inner.
func Embedder(inner rcvae.Embedder) (rcvae.Embedder, error) {
	e, err := unpacked(embeddings, inner)
	if err != nil {
		return nil, fmt.Errorf("bundled embeddings: %w", err)
	}
	return e, nil
}

// unpacked reads a file that [Pack] wrote.
func unpacked(data []byte, inner rcvae.Embedder) (*bundled, error) {
	file, err := safetensors.Decode(data)
	if err != nil {
		return nil, err
	}
	fp := inner.Fingerprint()
	if id := file.Metadata[fingerprintKey]; id != fp.ID() {
		return nil, fmt.Errorf("they were made by the embedder %.12s, not by %v; run go generate ./internal/demo", id, fp)
	}
	keys, err := file.Lookup(keysTensor)
	if err != nil {
		return nil, err
	}
	vectors, err := file.Lookup(vectorsTensor)
	if err != nil {
		return nil, err
	}
	n := len(keys.Data) / len(key{})
	if len(vectors.Data) != n*fp.Dimension {
		return nil, fmt.Errorf("%d bytes of vectors for %d texts", len(vectors.Data), n)
	}
	e := &bundled{Embedder: inner, vectors: make(map[key][]byte, n)}
	for i := range n {
		e.vectors[key(keys.Data[i*len(key{}):])] = vectors.Data[i*fp.Dimension : (i+1)*fp.Dimension]
	}
	return e, nil
}

// bundled is an embedder with vectors at hand.
type bundled struct {
	rcvae.Embedder
	vectors map[key][]byte // int8
}

// Embed implements [rcvae.Embedder].
func (b *bundled) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	out := make([]rcvae.Embedding, len(texts))
	var missing []rcvae.Text
	var where []int
	for i, t := range texts {
		if data, ok := b.vectors[keyOf(t)]; ok {
			out[i] = unpack(data)
			continue
		}
		missing, where = append(missing, t), append(where, i)
	}
	rest, err := b.Embedder.Embed(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i, e := range rest {
		out[where[i]] = e
	}
	return out, nil
}

func keyOf(t rcvae.Text) key {
	sum := sha256.Sum256(append([]byte{byte(t.Role)}, t.Text...))
	return key(sum[:])
}

// appendDirection appends the elements of e, the largest of which becomes ±127.
func appendDirection(to []byte, e rcvae.Embedding) []byte {
	var largest float64
	for _, v := range e {
		largest = max(largest, math.Abs(float64(v)))
	}
	for _, v := range e {
		to = append(to, byte(int8(math.RoundToEven(float64(v)*127/largest))))
	}
	return to
}

// unpack returns the unit vector of a direction.
func unpack(direction []byte) rcvae.Embedding {
	var square float64
	for _, v := range direction {
		square += float64(int8(v)) * float64(int8(v))
	}
	e := make(rcvae.Embedding, len(direction))
	for j, v := range direction {
		e[j] = float32(float64(int8(v)) / math.Sqrt(square))
	}
	return e
}
