// Command fill puts embeddings of package lm that were computed elsewhere, on a GPU, into
// an embedding cache:
//
//	go run ./embed/lm/internal/fill --vectors FILE... --cache FILE
//
// Each file of vectors is a safetensors file with the tensors keys, U8 (N, 32), and
// vectors, F16, BF16 or F32 (N, 896). A key is the SHA-256 of what package embed says of a
// text: for a question
//
//	sha256(b"\0" + question)
//
// and for a solution, which is read in context,
//
//	sha256(b"\1" + struct.pack("<Q", len(question)) + question + solution)
//
// with both in UTF-8 and the length in bytes. Vectors have unit length up to rounding;
// they are normalised.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"

	"rcvae"
	"rcvae/embed"
	"rcvae/embed/lm"
	"rcvae/internal/safetensors"
)

func main() {
	var files fileList
	flag.Var(&files, "vectors", "safetensors `FILE` (repeatable, or several behind each other)")
	cache := flag.String("cache", "", "embedding cache `FILE`, which is made if there is none")
	flag.Parse()
	for flag.NArg() > 0 { // files of one --vectors, and flags behind them
		files = append(files, flag.Arg(0))
		flag.CommandLine.Parse(flag.Args()[1:]) //nolint:errcheck // it exits
	}
	if len(files) == 0 || *cache == "" {
		fmt.Fprintln(os.Stderr, "usage: fill --cache FILE --vectors FILE [FILE...]")
		os.Exit(2)
	}
	if err := fill(context.Background(), *cache, files); err != nil {
		fmt.Fprintf(os.Stderr, "fill: %v\n", err)
		os.Exit(1)
	}
}

type fileList []string

func (f *fileList) String() string         { return strings.Join(*f, " ") }
func (f *fileList) Set(value string) error { *f = append(*f, value); return nil }

// noEmbedder has the fingerprint of package lm and embeds nothing.
type noEmbedder struct{}

func (noEmbedder) Fingerprint() rcvae.Fingerprint { return lm.Fingerprint() }

func (noEmbedder) Embed(context.Context, []rcvae.Text) ([]rcvae.Embedding, error) {
	return nil, errors.New("the text is not in the cache")
}

func fill(ctx context.Context, path string, files []string) (err error) {
	cache, err := embed.OpenCache(path, noEmbedder{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cache.Close()) }()
	for _, name := range files {
		n, err := fillFrom(ctx, cache, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%s: %d vectors of embedder %v\n", name, n, cache.Fingerprint())
	}
	return nil
}

// atOnce is how many vectors one transaction stores.
const atOnce = 4096

func fillFrom(ctx context.Context, cache *embed.Cache, name string) (int, error) {
	file, err := safetensors.ReadFile(name)
	if err != nil {
		return 0, err
	}
	keys, err := file.Lookup("keys")
	if err != nil {
		return 0, err
	}
	vectors, err := file.Lookup("vectors")
	if err != nil {
		return 0, err
	}
	width := cache.Fingerprint().Dimension
	row := vectors.RowReader()
	if keys.DType != "U8" || len(keys.Shape) != 2 || keys.Shape[1] != len(embed.Key{}) || row == nil ||
		len(vectors.Shape) != 2 || vectors.Shape[0] != keys.Shape[0] || vectors.Shape[1] != width {
		return 0, fmt.Errorf("keys are %s %v and vectors %s %v, want U8 (N, 32) and F16 (N, %d)", keys.DType, keys.Shape, vectors.DType, vectors.Shape, width)
	}
	n := keys.Shape[0]
	for from := 0; from < n; from += atOnce {
		var some []embed.Key
		var embeddings []rcvae.Embedding
		for i := from; i < min(n, from+atOnce); i++ {
			e := make(rcvae.Embedding, width)
			row(e, i)
			some, embeddings = append(some, embed.Key(keys.Data[32*i:])), append(embeddings, unit(e))
		}
		if err := cache.Put(ctx, some, embeddings); err != nil {
			return 0, fmt.Errorf("from vector %d on: %w", from, err)
		}
	}
	return n, nil
}

// unit scales a vector whose length is about 1 to length 1. Others stay: they are errors.
func unit(e rcvae.Embedding) rcvae.Embedding {
	var square float64
	for _, v := range e {
		square += float64(v) * float64(v)
	}
	length := math.Sqrt(square)
	if !(math.Abs(length-1) < 1e-2) {
		return e
	}
	for i, v := range e {
		e[i] = float32(float64(v) / length)
	}
	return e
}
