package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"rcvae"
	"rcvae/dataset"
	"rcvae/embed/minilm"
	"rcvae/internal/atomicfile"
	"rcvae/internal/safetensors"
)

// embedPoolDefault is the embedder that train uses for pools.
const embedPoolDefault = minilm.NameMath

const maxTextLine = 64 << 20 // bytes

func newEmbed() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "embed",
		Short: "Embed texts, one a line",
		Long: `Embed texts, one a line, into vectors of unit length. A line that is a JSON string
or an object with a field "text" is read as such, anything else is the text itself.

--out FILE.safetensors writes one float32 matrix named "embeddings" (texts, D);
any other name, and standard output, gets one JSON array a line.

With --pool it embeds the questions and candidates of pools into the cache, where train
and eval find them. --shard 2/8 takes the second of eight parts: each machine embeds one
into a --cache of its own, which has no limit unless --cache-size sets one, and 'rcvae
cache merge' joins them.`,
		Example: `  rcvae embed --in texts.txt --out vectors.safetensors
  echo 'Ann has 3 apples.' | rcvae embed
  rcvae embed --pool pool.jsonl.gz --shard 2/8 --cache part2.sqlite`,
		Args: noArgs,
		RunE: runEmbed,
	}
	cmd.Flags().String("in", "-", "`FILE` of texts, - for standard input")
	cmd.Flags().String("out", "-", "`FILE` for the vectors, - for standard output")
	cmd.Flags().String("role", rcvae.RoleSolution.String(), "what the texts are to the embedder: question or solution")
	cmd.Flags().StringArray("pool", nil, "embed the texts of this pool `FILE` into the cache (repeatable)")
	cmd.Flags().String("shard", "", "with --pool: only part I of N of the questions, as `I/N`")
	addSamplerFlag(cmd)
	addEmbedderFlags(cmd, minilm.Name+"; with --pool "+embedPoolDefault)
	addWorkersFlags(cmd)
	return cmd
}

func runEmbed(cmd *cobra.Command, _ []string) error {
	if pools, _ := cmd.Flags().GetStringArray("pool"); len(pools) > 0 {
		return embedPools(cmd, pools)
	}
	if cmd.Flags().Changed("shard") {
		return usagef("--shard is a part of the questions of --pool, which is missing")
	}
	in, _ := cmd.Flags().GetString("in")
	out, _ := cmd.Flags().GetString("out")
	if err := checkOutputs(cmd, in); err != nil {
		return err
	}
	texts, err := readTexts(cmd.InOrStdin(), in)
	if err != nil {
		return err
	}
	embedder, err := openEmbedder(cmd, minilm.Name)
	if err != nil {
		return err
	}
	defer embedder.Close()
	embeddings, err := embedAll(cmd, embedder, texts)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return writeVectorLines(w, embeddings) }
	if strings.HasSuffix(out, ".safetensors") {
		write = func(w io.Writer) error { return writeVectorMatrix(w, embeddings, embedder.Fingerprint()) }
	}
	if out == "-" {
		return write(cmd.OutOrStdout())
	}
	return atomicfile.Write(out, write)
}

// embedAll embeds texts of one role with a progress report.
func embedAll(cmd *cobra.Command, embedder *openedEmbedder, list []string) ([]rcvae.Embedding, error) {
	if embedder.cache == nil {
		return nil, usagef("--embedder %s embeds nothing", noEmbedder)
	}
	name, _ := cmd.Flags().GetString("role")
	roles := map[string]rcvae.Role{rcvae.RoleQuestion.String(): rcvae.RoleQuestion, rcvae.RoleSolution.String(): rcvae.RoleSolution}
	role, ok := roles[name]
	if !ok {
		return nil, usagef("--role is %q, want question or solution", name)
	}
	texts := make([]rcvae.Text, len(list))
	for i, text := range list {
		texts[i] = rcvae.Text{Role: role, Text: text}
	}
	finish := embedder.progress(cmd, nil)
	embeddings, err := embedder.cache.Embed(cmd.Context(), texts)
	if errors.Is(err, context.Canceled) {
		return nil, errors.New("embed: interrupted; what is done is in the cache, run the same command to continue")
	}
	if err != nil {
		return nil, fmt.Errorf("embed %d texts: %w", len(texts), err)
	}
	finish()
	return embeddings, nil
}

func readTexts(stdin io.Reader, path string) ([]string, error) {
	lines, err := readLines(stdin, path)
	if err != nil {
		return nil, err
	}
	for i, line := range lines {
		if lines[i], err = textOfLine(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
	}
	return lines, nil
}

// readLines reads a file of at least one line, "-" being standard input.
func readLines(stdin io.Reader, path string) ([]string, error) {
	r, name := stdin, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read texts: %w", err)
		}
		defer f.Close()
		r, name = f, path
	}
	in := bufio.NewReader(r)
	begin, _ := in.Peek(64) // a shorter file gives less
	if err := dataset.CheckText(begin); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var lines []string
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxTextLine)
	for scanner.Scan() {
		if !utf8.Valid(scanner.Bytes()) {
			return nil, fmt.Errorf("%s:%d: the line is not UTF-8; convert the file to UTF-8", name, len(lines)+1)
		}
		lines = append(lines, scanner.Text())
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("%s:%d: the line is longer than %d MiB; give one text a line", name, len(lines)+1, maxTextLine>>20)
	} else if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, len(lines)+1, err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s is empty; give one text a line", name)
	}
	return lines, nil
}

func textOfLine(line string) (string, error) {
	var text string
	if strings.HasPrefix(line, `"`) && json.Unmarshal([]byte(line), &text) == nil {
		return text, nil
	}
	if !strings.HasPrefix(line, "{") {
		return line, nil
	}
	var object struct{ Text *string }
	if json.Unmarshal([]byte(line), &object) != nil {
		return line, nil
	}
	if object.Text == nil {
		return "", fmt.Errorf(`the object has no string field "text"`)
	}
	return *object.Text, nil
}

func writeVectorLines(w io.Writer, embeddings []rcvae.Embedding) error {
	buffered := bufio.NewWriter(w)
	enc := json.NewEncoder(buffered)
	for _, e := range embeddings {
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

func writeVectorMatrix(w io.Writer, embeddings []rcvae.Embedding, fp rcvae.Fingerprint) error {
	dim := len(embeddings[0])
	flat := make([]float32, 0, len(embeddings)*dim)
	for _, e := range embeddings {
		flat = append(flat, e...)
	}
	file := safetensors.File{
		Metadata: map[string]string{"embedder": fp.Name, "fingerprint": fp.ID()},
		Tensors:  []safetensors.Tensor{safetensors.Float32s("embeddings", []int{len(embeddings), dim}, flat)},
	}
	data, err := file.Encode()
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
