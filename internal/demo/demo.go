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
	"encoding/binary"
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

// scale is what a stored 1 stands for: unit vectors have elements within ±1, and
// int16 keeps them to 1.5e-5.
const scale = 32767

// fingerprintKey is the metadata key of the embedder's fingerprint.
const fingerprintKey = "fingerprint"

// The tensors of the file of embeddings.
const (
	keysTensor    = "keys"    // (n, 32) SHA-256 of role and text
	vectorsTensor = "vectors" // (n, D) in units of 1/scale
)

// Pack returns the file of the embeddings of texts.
func Pack(fp rcvae.Fingerprint, texts []rcvae.Text, embeddings []rcvae.Embedding) ([]byte, error) {
	var keys, vectors []byte
	for i, t := range texts {
		key := keyOf(t)
		keys = append(keys, key[:]...)
		for _, v := range embeddings[i] {
			vectors = binary.LittleEndian.AppendUint16(vectors, uint16(int16(math.RoundToEven(float64(v)*scale))))
		}
	}
	file := safetensors.File{
		Metadata: map[string]string{"embedder": fp.Name, fingerprintKey: fp.ID()},
		Tensors: []safetensors.Tensor{
			{Name: keysTensor, DType: "U8", Shape: []int{len(texts), sha256.Size}, Data: keys},
			{Name: vectorsTensor, DType: "I16", Shape: []int{len(texts), fp.Dimension}, Data: vectors},
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
// each by the SHA-256 of role and text, and asks inner for all others. It is an error if
// they were made by another embedder than inner.
func Embedder(inner rcvae.Embedder) (rcvae.Embedder, error) {
	file, err := safetensors.Decode(embeddings)
	if err != nil {
		return nil, fmt.Errorf("bundled embeddings: %w", err)
	}
	fp := inner.Fingerprint()
	if id := file.Metadata[fingerprintKey]; id != fp.ID() {
		return nil, fmt.Errorf("bundled embeddings were made by the embedder %.12s, not by %v; run go generate ./internal/demo", id, fp)
	}
	keys, err := file.Lookup(keysTensor)
	if err != nil {
		return nil, fmt.Errorf("bundled embeddings: %w", err)
	}
	vectors, err := file.Lookup(vectorsTensor)
	if err != nil {
		return nil, fmt.Errorf("bundled embeddings: %w", err)
	}
	n := len(keys.Data) / sha256.Size
	if len(vectors.Data) != 2*n*fp.Dimension {
		return nil, fmt.Errorf("bundled embeddings: %d bytes of vectors for %d texts", len(vectors.Data), n)
	}
	e := &bundled{Embedder: inner, vectors: make(map[[sha256.Size]byte][]byte, n)}
	for i := range n {
		e.vectors[[sha256.Size]byte(keys.Data[i*sha256.Size:])] = vectors.Data[2*i*fp.Dimension : 2*(i+1)*fp.Dimension]
	}
	return e, nil
}

// bundled is an embedder with vectors at hand.
type bundled struct {
	rcvae.Embedder
	vectors map[[sha256.Size]byte][]byte // int16, little-endian
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

func keyOf(t rcvae.Text) [sha256.Size]byte {
	return sha256.Sum256(append([]byte{byte(t.Role)}, t.Text...))
}

func unpack(data []byte) rcvae.Embedding {
	e := make(rcvae.Embedding, len(data)/2)
	for j := range e {
		e[j] = float32(int16(binary.LittleEndian.Uint16(data[2*j:]))) / scale
	}
	return e
}
