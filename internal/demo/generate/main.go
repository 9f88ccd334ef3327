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
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

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
	var train []dataset.Item
	for _, item := range pool {
		if item = item.WithSampler(sampler); mixed(item) {
			train = append(train, item)
		}
	}
	test = test[:testQuestions]
	for i := range test {
		test[i] = test[i].WithSampler(sampler)
		test[i].Samples = test[i].Samples[:testSamples]
	}
	if err := writePool(filepath.Join(out, "train.jsonl.gz"), train); err != nil {
		return err
	}
	if err := writePool(filepath.Join(out, "test.jsonl.gz"), test); err != nil {
		return err
	}
	if err := writeProblems(filepath.Join(out, "gold.jsonl.gz"), problems); err != nil {
		return err
	}
	return writeEmbeddings(filepath.Join(out, "train.safetensors"), train, problems)
}

func mixed(item dataset.Item) bool {
	right, wrong := false, false
	for _, s := range item.Samples {
		if s.Votes() && s.Correct != nil {
			right, wrong = right || *s.Correct, wrong || !*s.Correct
		}
	}
	return right && wrong
}

func writePool(path string, items []dataset.Item) error {
	w, err := dataset.CreatePool(path)
	if err != nil {
		return err
	}
	for _, item := range items {
		if err := w.Write(item); err != nil {
			w.Abort()
			return err
		}
	}
	return w.Close()
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

func writeEmbeddings(path string, train []dataset.Item, problems []rcvae.Problem) error {
	embedder, err := minilm.New(minilm.DefaultOptions())
	if err != nil {
		return err
	}
	texts := map[string][]string{}
	for _, item := range train {
		texts["questions"] = append(texts["questions"], item.Question)
		for _, s := range item.Samples {
			texts["solutions"] = append(texts["solutions"], s.Text)
		}
	}
	for _, p := range problems {
		texts["gold"] = append(texts["gold"], p.Solution)
		texts["gold-questions"] = append(texts["gold-questions"], p.Question)
	}
	var failed error
	data, err := demo.Pack(embedder.Fingerprint(), func(yield func(string, []rcvae.Embedding) bool) {
		for _, name := range []string{"questions", "solutions", "gold-questions", "gold"} {
			embeddings, err := embedder.Embed(context.Background(), texts[name])
			if err != nil {
				failed = err
				return
			}
			if !yield(name, embeddings) {
				return
			}
		}
	})
	if err != nil || failed != nil {
		return fmt.Errorf("embed: %w", cmpErr(failed, err))
	}
	return writeFile(path, data)
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func writeFile(path string, data []byte) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
