// Package remote embeds texts with servers: those of OpenAI's API (vLLM, LiteLLM,
// OpenAI), text-embeddings-inference, llama.cpp, Ollama and Jina.
//
// A server never cuts a text: those that offer to are told not to, and a text that is too
// long for one is the final error [embed.ErrTooLong]. An empty text is sent as one blank,
// since many servers refuse it. Vectors are brought to unit length here.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rcvae"
)

// clientVersion is part of every fingerprint. It changes when what is sent for a text
// changes.
const clientVersion = 1

// Options are what a server's URL leaves open.
type Options struct {
	Key            string // bearer key; may be empty
	Task           string // of Jina and text-embeddings-inference; "retrieval" is one for each role
	Dimension      int    // first values of each embedding, for models trained so (Matryoshka); 0: all
	QuestionPrompt string // put before questions
	SolutionPrompt string // put before solutions

	Concurrency int           // calls at once, all questions together
	Timeout     time.Duration // of one call
	Retries     int           // of one call, after errors that pass
	Client      *http.Client  // nil: one of this package
}

// DefaultOptions returns four calls at once of at most two minutes, and four repetitions.
func DefaultOptions() Options {
	return Options{Concurrency: 4, Timeout: 2 * time.Minute, Retries: 4}
}

// Validate reports every bad field.
func (o Options) Validate() error {
	var errs []error
	if strings.ContainsAny(o.Key, "\r\n") {
		errs = append(errs, errors.New("the embedder's key contains a line break"))
	}
	if o.Dimension < 0 || o.Retries < 0 {
		errs = append(errs, fmt.Errorf("dimension is %d and retries is %d, want at least 0", o.Dimension, o.Retries))
	}
	if o.Concurrency < 1 {
		errs = append(errs, fmt.Errorf("concurrency is %d, want at least 1", o.Concurrency))
	}
	if o.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout is %v, want more than 0", o.Timeout))
	}
	return errors.Join(errs...)
}

// Kinds returns the kinds of servers, which a URL begins with.
func Kinds() []string {
	var names []string
	for _, p := range protocols() {
		names = append(names, p.kind)
	}
	return names
}

// Embedder embeds with one server. It may be used concurrently.
type Embedder struct {
	options  Options
	protocol protocol
	model    string // the server's name of it; "" where it has one model alone
	client   *client
	batch    int // texts of one call
	print    rcvae.Fingerprint
	plain    atomic.Bool  // the server refuses to be asked for base64
	most     atomic.Int32 // texts of one call that the server answers in time; 0: not known
}

var _ rcvae.Embedder = (*Embedder)(nil)

// Open connects to the server at a URL with a kind and, where the server has several
// models, the model's name: openai+https://host/v1?model=NAME, tei+http://host:8080,
// llamacpp+http://host:8080, ollama+http://host:11434?model=NAME,
// jina+https://api.jina.ai/v1?model=jina-embeddings-v3. It asks the server for what
// belongs to the fingerprint and for one embedding, whose dimension is that of all.
func Open(ctx context.Context, address string, o Options) (*Embedder, error) {
	e, err := newEmbedder(address, o)
	if err == nil {
		err = e.ask(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open embedder %s: %w", redacted(address), err)
	}
	return e, nil
}

func newEmbedder(address string, o Options) (*Embedder, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	kind, rest, _ := strings.Cut(address, "+")
	all := protocols()
	i := slices.IndexFunc(all, func(p protocol) bool { return p.kind == kind })
	if i < 0 {
		return nil, fmt.Errorf("the kind of server is %q, want %s, as in tei+http://127.0.0.1:8080", kind, strings.Join(Kinds(), ", "))
	}
	p := all[i]
	base, model, err := p.parse(rest)
	if err != nil {
		return nil, err
	}
	if o.Task != "" && p.task == nil {
		return nil, fmt.Errorf("servers of the kind %s have no tasks: leave --task out, or give --question-prompt and --solution-prompt", kind)
	}
	e := &Embedder{options: o, protocol: p, model: model, batch: defaultBatch, client: newClient(base, o)}
	e.print = rcvae.Fingerprint{
		Name: address, Weights: fmt.Sprintf("%s/%d:%s", kind, clientVersion, model), Pooling: "server", Truncation: "refused", Normalized: true,
		Prompt: e.prompt(rcvae.RoleQuestion), Solution: e.prompt(rcvae.RoleSolution),
	}
	return e, nil
}

// redacted returns an address without the password that may be in it.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "at a URL that cannot be read"
	}
	return u.Redacted()
}

// parse reads the URL behind the kind.
func (p protocol) parse(text string) (base, model string, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", "", fmt.Errorf("%q is not the URL of a server: want one like %s", redacted(text), p.example)
	}
	query := u.Query()
	model = query.Get("model")
	query.Del("model")
	if len(query) > 0 || u.Fragment != "" || u.User != nil {
		return "", "", errors.New("the URL holds more than ?model=NAME: keys come from the environment")
	}
	if p.needsModel && model == "" {
		return "", "", fmt.Errorf("the URL names no model: want one like %s", p.example)
	}
	u.RawQuery, u.Path = "", strings.TrimRight(u.Path, "/")
	if u.Path == "" {
		u.Path = p.root
	}
	return u.String(), model, nil
}

// prompt returns what stands before a role's texts, and the task if there is one.
func (e *Embedder) prompt(r rcvae.Role) string {
	prompt := e.prefix(r)
	if e.options.Task == "" {
		return prompt
	}
	return "task " + e.protocol.task(e.options.Task, r) + "; " + prompt
}

func (e *Embedder) prefix(r rcvae.Role) string {
	if r == rcvae.RoleQuestion {
		return e.options.QuestionPrompt
	}
	return e.options.SolutionPrompt
}

// ask completes the fingerprint.
func (e *Embedder) ask(ctx context.Context) error {
	if e.protocol.describe != nil {
		if err := e.protocol.describe(ctx, e); err != nil {
			return err
		}
	}
	one, err := e.Embed(ctx, []rcvae.Text{{Role: rcvae.RoleSolution, Text: "a"}})
	if err != nil {
		return err
	}
	e.print.Dimension = len(one[0])
	if want := e.options.Dimension; want > 0 && want != e.print.Dimension {
		return fmt.Errorf("the server's embeddings have %d dimensions, not %d: it has no choice of dimensions", e.print.Dimension, want)
	}
	return nil
}

// Fingerprint names what the server says it computes: its kind, model and task. The URL
// is in the name alone.
func (e *Embedder) Fingerprint() rcvae.Fingerprint { return e.print }

// Embed returns one unit vector per text, in order. A text that is too long for the
// server is [embed.ErrTooLong].
func (e *Embedder) Embed(ctx context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	out := make([]rcvae.Embedding, len(texts))
	group, ctx := errgroup.WithContext(ctx)
	for _, b := range e.batches(texts) {
		group.Go(func() error { return e.embed(ctx, b, out) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}
