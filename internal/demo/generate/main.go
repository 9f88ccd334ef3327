// Command generate makes the bundled samples of package demo from the full set:
//
//	go run ./internal/demo/generate DEMO-DATA internal/demo
//
// It keeps the training questions for which the model was right at least once and
// wrong at least once (the others carry no contrast), and the first test questions
// with the first samples of each.
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"rcvae"
	"rcvae/dataset"
	"rcvae/embed/minilm"
	"rcvae/internal/atomicfile"
	"rcvae/internal/demo"
)

const (
	sampler       = "top_p"
	testQuestions = 120
	testSamples   = 8
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: generate DEMO-DATA OUT-FOLDER")
		os.Exit(2)
	}
	if err := generate(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		os.Exit(1)
	}
}

func generate(in, out string) error {
	pool, err := dataset.LoadPool(filepath.Join(in, "pool-train-qwen2.5-coder-0.5b.jsonl.gz"))
	if err != nil {
		return err
	}
	test, err := dataset.LoadPool(filepath.Join(in, "pool-test-qwen2.5-coder-0.5b.jsonl.gz"))
	if err != nil {
		return err
	}
	problems, err := dataset.LoadProblems(filepath.Join(in, "train.jsonl"))
	if err != nil {
		return err
	}
	var train []rcvae.Question
	for _, q := range pool {
		if q = dataset.WithSampler(q, sampler); q.Mixed() {
			train = append(train, q)
		}
	}
	test = test[:testQuestions]
	for i := range test {
		test[i] = dataset.WithSampler(test[i], sampler)
		test[i].Candidates = test[i].Candidates[:testSamples]
	}
	if err := dataset.SavePool(filepath.Join(out, "train.jsonl.gz"), train); err != nil {
		return err
	}
	if err := dataset.SavePool(filepath.Join(out, "test.jsonl.gz"), test); err != nil {
		return err
	}
	if err := writeProblems(filepath.Join(out, "gold.jsonl.gz"), problems); err != nil {
		return err
	}
	return writeEmbeddings(filepath.Join(out, "train.safetensors"), train, problems)
}

func writeProblems(path string, problems []rcvae.Problem) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	enc := json.NewEncoder(z)
	enc.SetEscapeHTML(false)
	for _, p := range problems {
		if err := enc.Encode(map[string]string{"id": p.ID, "question": p.Question, "solution": p.Solution, "answer": p.Answer}); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return writeFile(path, b.Bytes())
}

func writeEmbeddings(path string, train []rcvae.Question, problems []rcvae.Problem) error {
	embedder, err := minilm.New(minilm.DefaultOptions())
	if err != nil {
		return err
	}
	var texts []rcvae.Text
	for _, q := range train {
		texts = append(texts, q.Texts()...)
	}
	for _, p := range problems {
		texts = append(texts, rcvae.Reference(p).Texts()...)
	}
	slices.SortFunc(texts, func(a, b rcvae.Text) int { return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Text, b.Text)) })
	texts = slices.CompactFunc(texts, func(a, b rcvae.Text) bool { return a.Role == b.Role && a.Text == b.Text })
	embeddings, err := embedder.Embed(context.Background(), texts)
	if err != nil {
		return fmt.Errorf("embed: %w", err)
	}
	data, err := demo.Pack(embedder.Fingerprint(), texts, embeddings)
	if err != nil {
		return err
	}
	return writeFile(path, data)
}

func writeFile(path string, data []byte) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
