// Command vectors embeds texts with a model of package encoder, for comparisons with
// other implementations: JSON Lines {"role": "question"|"solution", "text", "question"}
// on standard input become little-endian float32 vectors on standard output.
//
//	go run ./embed/encoder/internal/vectors -model FOLDER [-pooling mean] [-max-tokens N] [-in-context] [-task NAME] [-adapter PATH] < texts.jsonl > vectors.f32
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"rcvae"

	"rcvae/embed/encoder"
)

func main() {
	var o encoder.Options
	path := flag.String("model", "", "folder or GGUF file")
	flag.StringVar(&o.Pooling, "pooling", "", "mean, cls or last")
	flag.StringVar(&o.Task, "task", "", "task or prompt")
	flag.StringVar(&o.Adapter, "adapter", "", "PEFT folder or GGUF file")
	flag.IntVar(&o.MaxTokens, "max-tokens", 0, "longer texts are cut")
	flag.BoolVar(&o.InContext, "in-context", false, "read a solution behind its question")
	flag.Parse()
	if err := run(*path, o, os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "vectors: %v\n", err)
		os.Exit(1)
	}
}

func run(path string, o encoder.Options, in io.Reader, out, log io.Writer) (err error) {
	texts, err := read(in)
	if err != nil {
		return err
	}
	start := time.Now()
	m, err := encoder.Open(path, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	opened := time.Now()
	embeddings, err := m.Embed(context.Background(), texts)
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "opened in %.2f s, %d texts in %.2f s\n", opened.Sub(start).Seconds(), len(texts), time.Since(opened).Seconds())
	w := bufio.NewWriter(out)
	for _, e := range embeddings {
		if err := binary.Write(w, binary.LittleEndian, []float32(e)); err != nil {
			return err
		}
	}
	return w.Flush()
}

func read(in io.Reader) ([]rcvae.Text, error) {
	var texts []rcvae.Text
	for dec := json.NewDecoder(in); ; {
		var line struct{ Role, Text, Question string }
		err := dec.Decode(&line)
		if errors.Is(err, io.EOF) {
			return texts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("text %d: %w", len(texts), err)
		}
		role, ok := map[string]rcvae.Role{"question": rcvae.RoleQuestion, "solution": rcvae.RoleSolution}[line.Role]
		if !ok {
			return nil, fmt.Errorf("text %d: role %q is not question or solution", len(texts), line.Role)
		}
		texts = append(texts, rcvae.Text{Role: role, Text: line.Text, Question: line.Question})
	}
}
