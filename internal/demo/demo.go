// Package demo holds the bundled samples of 'rcvae demo': word problems written for
// this project, and solutions that Qwen2.5-Coder-0.5B-Instruct (Apache-2.0) wrote
// for them. The training part comes with its embeddings, since embedding it takes
// minutes; the test part does not.
package demo

import (
	"bytes"
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

// Pack returns the file of embeddings of named lists of texts.
func Pack(fp rcvae.Fingerprint, lists iter.Seq2[string, []rcvae.Embedding]) ([]byte, error) {
	file := safetensors.File{Metadata: map[string]string{"embedder": fp.Name, fingerprintKey: fp.ID()}}
	for name, list := range lists {
		data := make([]byte, 0, 2*len(list)*fp.Dimension)
		for _, e := range list {
			for _, v := range e {
				data = binary.LittleEndian.AppendUint16(data, uint16(int16(math.RoundToEven(float64(v)*scale))))
			}
		}
		file.Tensors = append(file.Tensors, safetensors.Tensor{Name: name, DType: "I16", Shape: []int{len(list), fp.Dimension}, Data: data})
	}
	return file.Encode()
}

// Embeddings returns the bundled embeddings of a list of texts: "questions" and
// "solutions" of the training pool in its order, "gold" of the problems'. It is an
// error if they were made by an embedder other than fp.
func Embeddings(fp rcvae.Fingerprint, name string) ([]rcvae.Embedding, error) {
	file, err := safetensors.Decode(embeddings)
	if err != nil {
		return nil, fmt.Errorf("bundled embeddings: %w", err)
	}
	if id := file.Metadata[fingerprintKey]; id != fp.ID() {
		return nil, fmt.Errorf("bundled embeddings were made by the embedder %.12s, not by %v; run go generate ./internal/demo", id, fp)
	}
	t, err := file.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("bundled embeddings: %w", err)
	}
	if t.DType != "I16" || len(t.Shape) != 2 || t.Shape[1] != fp.Dimension {
		return nil, fmt.Errorf("bundled embeddings: tensor %s is %s %v, want I16 (n, %d)", name, t.DType, t.Shape, fp.Dimension)
	}
	out := make([]rcvae.Embedding, t.Shape[0])
	for i := range out {
		row := t.Data[2*i*fp.Dimension:]
		out[i] = make(rcvae.Embedding, fp.Dimension)
		for j := range out[i] {
			out[i][j] = float32(int16(binary.LittleEndian.Uint16(row[2*j:]))) / scale
		}
	}
	return out, nil
}
