package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"rcvae"
	"rcvae/internal/tokenizer"
)

// inContext embeds with a server that pools all tokens of a text: llama.cpp with a causal
// language model and mean pooling. A question's states do not depend on what follows, so
// that of means over n tokens of the question and N of both
//
//	r = (N · mean of both − n · mean of the question) / (N − n)
//
// is the mean over the solution's own. Texts are laid out as package encoder does.
type inContext struct {
	*Embedder
	limit int // tokens
}

var _ rcvae.Embedder = (*inContext)(nil)

// emptyLine stands between a question and its solution.
const emptyLine = "\n\n"

// OpenInContext is [Open] for a llama-server with --embeddings --pooling mean and a causal
// language model, which reads a solution behind its question, both in at most limit
// tokens. Its --ubatch-size must be as large.
func OpenInContext(ctx context.Context, address string, limit int, o Options) (rcvae.Embedder, error) {
	e, err := newEmbedder(address, o)
	switch {
	case err != nil:
	case e.protocol.kind != "llamacpp":
		err = fmt.Errorf("a server of the kind %s does not say how it tokenises: reading in context is for llamacpp", e.protocol.kind)
	case limit < 4:
		err = fmt.Errorf("max tokens is %d, want at least 4", limit)
	default:
		err = e.protocol.describe(ctx, e)
	}
	c := &inContext{e, limit}
	if err == nil {
		err = c.measure(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open embedder %s: %w", redacted(address), err)
	}
	e.print.Pooling, e.print.InContext, e.print.MaxTokens, e.print.Truncation = "mean", true, limit, "ends"
	return c, nil
}

// measure asks for one embedding, whose dimension is that of all.
func (c *inContext) measure(ctx context.Context) error {
	one, err := c.Embed(ctx, []rcvae.Text{{Text: "a"}})
	if err == nil {
		c.print.Dimension = len(one[0])
	}
	return err
}

// Embed returns one unit vector per text, in order.
func (c *inContext) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	lines, err := c.layOut(ctx, texts)
	if err != nil {
		return nil, err
	}
	means, err := c.means(ctx, lines)
	if err != nil {
		return nil, err
	}
	out := make([]rcvae.Embedding, len(texts))
	for i, l := range lines {
		mean := means[key(l.ids)]
		if l.question > 0 {
			mean = behind(mean, means[key(l.ids[:l.question])], len(l.ids), l.question)
		}
		if out[i], err = unit(mean); err != nil {
			return nil, fmt.Errorf("%s: text %d: %w", c.client.base, i+1, err)
		}
	}
	return out, nil
}

// behind returns the mean over the last of all tokens from the means over all and over the
// first n.
func behind(both, first []float32, all, n int) []float32 {
	out := make([]float32, len(both))
	for j := range out {
		out[j] = float32((float64(all)*float64(both[j]) - float64(n)*float64(first[j])) / float64(all-n))
	}
	return out
}

// line is a text's tokens, and how many of them are a question before it.
type line struct {
	ids      []int32
	question int
}

func (c *inContext) layOut(ctx context.Context, texts []rcvae.Text) ([]line, error) {
	var pieces []string
	for _, t := range texts {
		pieces = append(pieces, c.prefix(rcvae.RoleQuestion)+questionOf(t))
		if t.Role == rcvae.RoleSolution {
			pieces = append(pieces, emptyLine+t.Text)
		}
	}
	ids, err := c.tokenize(ctx, append(pieces, emptyLine))
	if err != nil {
		return nil, err
	}
	lines := make([]line, len(texts))
	for i, t := range texts {
		q := ids[c.prefix(rcvae.RoleQuestion)+questionOf(t)]
		q = q[max(0, len(q)-c.limit/2):]
		switch {
		case t.Role == rcvae.RoleSolution:
			r := tokenizer.Cut(ids[emptyLine+t.Text], c.limit-len(q), true)
			lines[i] = line{append(q[:len(q):len(q)], r...), len(q)}
		case len(q) == 0:
			lines[i] = line{ids: ids[emptyLine]}
		default:
			lines[i] = line{ids: q}
		}
	}
	return lines, nil
}

func questionOf(t rcvae.Text) string {
	if t.Role == rcvae.RoleSolution {
		return t.Question
	}
	return t.Text
}

// tokenize returns the server's tokens of texts, by text.
func (c *inContext) tokenize(ctx context.Context, texts []string) (map[string][]int32, error) {
	ids := make(map[string][]int32, len(texts))
	for _, text := range texts {
		if _, done := ids[text]; done {
			continue
		}
		body := struct {
			Content string `json:"content"`
		}{text}
		var answer struct{ Tokens []int32 }
		if err := c.client.post(ctx, "/tokenize", body, false, func(data []byte) error { return json.Unmarshal(data, &answer) }); err != nil {
			return nil, fmt.Errorf("tokenise: %w", err)
		}
		if len(answer.Tokens) == 0 && text != "" {
			return nil, errors.New("tokenise: the server finds no tokens in a text")
		}
		ids[text] = answer.Tokens
	}
	return ids, nil
}

// means returns the server's mean over each line, and over each question before one.
func (c *inContext) means(ctx context.Context, lines []line) (map[string][]float32, error) {
	var wanted [][]int32
	seen := make(map[string]bool)
	add := func(ids []int32) {
		if k := key(ids); len(ids) > 0 && !seen[k] {
			seen[k], wanted = true, append(wanted, ids)
		}
	}
	for _, l := range lines {
		add(l.ids[:l.question])
		add(l.ids)
	}
	vectors := make([][]float32, len(wanted))
	group, ctx := errgroup.WithContext(ctx)
	for i := range wanted {
		group.Go(func() (err error) { vectors[i], err = c.mean(ctx, wanted[i]); return err })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	means := make(map[string][]float32, len(wanted))
	for i, ids := range wanted {
		means[key(ids)] = vectors[i]
	}
	return means, nil
}

func key(ids []int32) string { return fmt.Sprint(ids) }

// mean asks for the mean over tokens, of any length.
func (c *inContext) mean(ctx context.Context, ids []int32) ([]float32, error) {
	body := struct {
		Model     string  `json:"model"`
		Input     []int32 `json:"input"`
		Normalize int     `json:"embd_normalize"`
	}{c.model, ids, -1}
	var vectors [][]float32
	err := c.client.post(ctx, c.protocol.path, body, false, func(data []byte) (err error) {
		if vectors, err = c.protocol.read(data); err != nil {
			return fmt.Errorf("%s: %w", c.client.base, err)
		}
		return c.check(vectors, 1)
	})
	if err != nil {
		return nil, err
	}
	return vectors[0], nil
}
