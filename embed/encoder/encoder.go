// Package encoder runs the encoders of today's embedding models: BERT and its heirs,
// jina-embeddings-v3, and language models such as Qwen, from a folder as Hugging Face
// and sentence-transformers write it, or from a GGUF file.
//
// An architecture is one short file: its configuration, the names of its weights, and
// the order of the blocks that it is composed of (package block). Pooling, prompts and
// the tokenizer come from the model's own files; adapters are merged while loading. States
// and sums are float32; weights are too, unless they are stored in eight bits or fewer
// or [Options.WeightBits] says so.
package encoder

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"rcvae"
	"rcvae/internal/mapped"
	"rcvae/internal/tokenizer"
)

// Options say what a model's files leave open. The zero value takes everything from them.
type Options struct {
	Name           string // in fingerprints; "": the folder's or file's
	Weights        string // in fingerprints; "": the hash of the model's files
	Pooling        string // [PoolMean], [PoolCLS] or [PoolLast]; "": as the files say
	Dimension      int    // the first values of each embedding, for models trained so (Matryoshka); 0: all
	MaxTokens      int    // longer texts are cut, special tokens included; 0: the model's limit
	KeepEnds       bool   // a cut text keeps a quarter from its start and the rest from its end; else the start alone
	Task           string // of models with tasks or named prompts, such as "separation"; "retrieval" is one for each role
	QuestionPrompt string // put before questions instead of the model's prompt
	SolutionPrompt string // put before solutions instead of the model's prompt
	Adapter        string // a PEFT folder, or a safetensors or GGUF file with a low-rank adapter, merged into the weights
	AdapterData    []byte // the content of such a safetensors file, in place of Adapter; it is not copied
	InContext      bool   // a solution is read behind its question; for causal models
	WeightBits     int    // of weights in memory: 8 or 32; 0: 8 for those that are stored in 8 or less, 32 for the others
	Workers        int    // goroutines that embed; 0: all processors
	TokensOnly     bool   // there need be no tokenizer: only EmbedTokens is called
}

// Validate reports every bad field.
func (o Options) Validate() error {
	var errs []error
	if o.Dimension < 0 || o.Workers < 0 {
		errs = append(errs, fmt.Errorf("dimension is %d and workers is %d, want at least 0", o.Dimension, o.Workers))
	}
	if o.MaxTokens < 0 {
		errs = append(errs, fmt.Errorf("max tokens is %d, want at least 0", o.MaxTokens))
	}
	if o.WeightBits != 0 && o.WeightBits != 8 && o.WeightBits != 32 {
		errs = append(errs, fmt.Errorf("weight bits are %d, want 8 or 32, or 0 for what the files say", o.WeightBits))
	}
	if o.Adapter != "" && o.AdapterData != nil {
		errs = append(errs, errors.New("there are two adapters, one in a file and one in memory"))
	}
	switch o.Pooling {
	case "", PoolMean, PoolCLS, PoolLast:
	default:
		errs = append(errs, fmt.Errorf("pooling is %q, want %s, %s or %s", o.Pooling, PoolMean, PoolCLS, PoolLast))
	}
	return errors.Join(errs...)
}

// adapted reports whether there is an adapter.
func (o Options) adapted() bool { return o.Adapter != "" || o.AdapterData != nil }

// Model embeds texts with one encoder. It may be used concurrently.
type Model struct {
	options    Options
	name       string
	networks   [roles]*network // by role; one where both have the same weights
	head       head
	words      *tokenizer.Model // nil with TokensOnly
	prompts    [roles]string
	skipPrompt bool // the prompt's tokens do not count in the mean
	lowerText  bool // texts are brought to lower case
	limit      int  // most tokens
	pasts      pasts
	turns      chan struct{} // one element per call under way: more would take memory and no less time
	hashing    fileHash      // of all files that make the function
	hash       func() string
	files      []*mapped.File
}

var _ rcvae.Embedder = (*Model)(nil)

// Open opens a folder in the layout of Hugging Face or sentence-transformers, or a .gguf
// file. The weights' tables of words stay mapped: see [Model.Close].
func Open(path string, o Options) (*Model, error) {
	o.Name = cmp.Or(o.Name, strings.TrimSuffix(filepath.Base(path), ".gguf"))
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open encoder: %w", err)
	}
	if !info.IsDir() {
		return finish(path, o, func(m *Model) error { return m.openGGUF(os.DirFS(filepath.Dir(path)), filepath.Base(path)) })
	}
	return finish(path, o, func(m *Model) error { return m.openFolder(os.DirFS(path)) })
}

// OpenFS is [Open] for a folder in a file system.
func OpenFS(folder fs.FS, o Options) (*Model, error) {
	o.Name = cmp.Or(o.Name, "encoder")
	return finish(o.Name, o, func(m *Model) error { return m.openFolder(folder) })
}

// finish makes a model with open and checks what came out.
func finish(what string, o Options, open func(m *Model) error) (*Model, error) {
	m := &Model{options: o, name: o.Name, pasts: pasts{limit: pastBytes}, turns: make(chan struct{}, cmp.Or(max(0, o.Workers), runtime.GOMAXPROCS(0)))}
	m.hash = sync.OnceValue(func() string { return m.hashing.sum() })
	if o.Weights != "" {
		m.hash = func() string { return o.Weights }
	}
	err := o.Validate()
	if err == nil {
		err = open(m)
	}
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open encoder %s: %w", what, err), m.Close())
	}
	m.tidy()
	return m, nil
}

// large is the size of the files of a model that leaves much behind when it is opened, in bytes.
const large = 64 << 20

// tidy gives back what reading a large model has left. The collector's next turn would
// come when as much again as the weights take has been allocated.
func (m *Model) tidy() {
	size := 0
	for _, f := range m.files {
		size += len(f.Data)
	}
	if size >= large {
		debug.FreeOSMemory()
	}
}

func (m *Model) check() error {
	o, n := m.options, m.networks[rcvae.RoleSolution]
	if o.MaxTokens > 0 {
		if o.MaxTokens > m.limit {
			return fmt.Errorf("max tokens is %d, but the model has %d positions", o.MaxTokens, m.limit)
		}
		m.limit = o.MaxTokens
	}
	if size := m.head.size(n.embeddings.Hidden); o.Dimension > size {
		return fmt.Errorf("dimension is %d, but the model's embeddings have %d", o.Dimension, size)
	}
	if o.InContext && !n.causal {
		return errors.New("reading solutions in context is for causal language models: this model's tokens see what follows them")
	}
	if m.head.pooling == "" {
		return errors.New("the model does not say how its states are pooled: name it with --pooling (mean, cls or last)")
	}
	if m.words == nil {
		if !o.TokensOnly {
			return errors.New("there is no tokenizer: want tokenizer.json, or vocab.txt of BERT")
		}
		return nil
	}
	if rows := n.embeddings.Words.Rows(); m.words.Size > rows {
		return fmt.Errorf("the tokenizer has %d tokens, but the table of words has %d rows: they are of two models", m.words.Size, rows)
	}
	least := max(1, len(m.words.Template.Prefix)+len(m.words.Template.Suffix))
	if o.InContext {
		least += 4 // two for each text
	}
	if m.limit < least {
		return fmt.Errorf("max tokens is %d, want at least %d", m.limit, least)
	}
	return nil
}

// Close gives mapped files back. The model must not be used after it.
func (m *Model) Close() error {
	var errs []error
	for _, f := range m.files {
		errs = append(errs, f.Close())
	}
	m.files = nil
	return errors.Join(errs...)
}

// release gives the memory of what has been read of mapped files back.
func (m *Model) release() {
	for _, f := range m.files {
		f.Drop()
	}
}

// MaxTokens returns how many tokens of a text are read.
func (m *Model) MaxTokens() int { return m.limit }

// Dimension returns the length of embeddings.
func (m *Model) Dimension() int { return m.head.size(m.networks[rcvae.RoleSolution].embeddings.Hidden) }

func (m *Model) network(r rcvae.Role) *network { return m.networks[r] }

// Fingerprint identifies the function that the model computes: its weights, tokenizer,
// configuration and adapters by their hash, and its options.
func (m *Model) Fingerprint() rcvae.Fingerprint {
	f := rcvae.Fingerprint{
		Name: m.name, Weights: m.hash(), Pooling: m.head.pooling, Dimension: m.Dimension(), MaxTokens: m.limit, Normalized: true,
		Prompt: m.prompt(rcvae.RoleQuestion), Solution: m.prompt(rcvae.RoleSolution), InContext: m.options.InContext,
	}
	if m.options.KeepEnds {
		f.Truncation = "ends"
	}
	switch m.options.WeightBits {
	case 8:
		f.Weights += " in eight bits"
	case 32:
		f.Weights += " in 32 bits"
	}
	return f
}

// prompt returns what stands before a role's texts, and the task if there is one.
func (m *Model) prompt(role rcvae.Role) string {
	if m.options.Task == "" {
		return m.prompts[role]
	}
	return "task " + m.options.Task + "; " + m.prompts[role]
}
