package llm

import (
	"context"
	"errors"
	"sync"

	"rcvae/internal/openaiapi"
)

// Behaviour is how a server answers requests for several choices.
type Behaviour struct {
	MaxChoices int  `json:"max_choices"`  // that one call may ask for: 1 means fan-out, 0 that no bound is known
	UsageOfOne bool `json:"usage_of_one"` // the usage of several choices is that of the first
}

// Mode returns [ModeN] or [ModeFanOut].
func (b Behaviour) Mode() string {
	if b.MaxChoices == 1 {
		return ModeFanOut
	}
	return ModeN
}

// maxRemembered bounds the memory: model names can come from clients.
const maxRemembered = 1024

// memory holds the behaviours that are known. The zero value is empty.
type memory struct {
	mu      sync.Mutex
	entries map[memoryKey]*memoryEntry
}

type memoryKey struct{ path, model string }

type memoryEntry struct {
	probing chan struct{} // holds an element while somebody probes
	mu      sync.Mutex
	known   bool
	Behaviour
}

func (m *memory) entry(key memoryKey) *memoryEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.entries[key]; ok {
		return e
	}
	if m.entries == nil || len(m.entries) >= maxRemembered {
		m.entries = make(map[memoryKey]*memoryEntry) // a probe is cheap: forgetting all is simple
	}
	e := &memoryEntry{probing: make(chan struct{}, 1)}
	m.entries[key] = e
	return e
}

func (e *memoryEntry) get() (Behaviour, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.Behaviour, e.known
}

func (e *memoryEntry) set(b Behaviour) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Behaviour, e.known = b, true
}

// lower remembers that a call may ask for at most n choices.
func (e *memoryEntry) lower(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.MaxChoices == 0 || n < e.MaxChoices {
		e.MaxChoices, e.known = n, true
	}
}

// Behaviour returns what is known of the server with the model, and false if nothing
// is yet.
func (u *Upstream) Behaviour(path, model string) (Behaviour, bool) {
	return u.memory.entry(memoryKey{path, model}).get()
}

// behaviour returns what is known, after a probe if nothing is. A probe that the
// server refuses for other reasons than n shows nothing: the zero Behaviour asks for
// all choices at once and finds out then.
func (u *Upstream) behaviour(ctx context.Context, r Request) (*memoryEntry, error) {
	e := u.memory.entry(memoryKey{r.Path, r.Body.Text("model")})
	if _, known := e.get(); known {
		return e, nil
	}
	select {
	case e.probing <- struct{}{}:
		defer func() { <-e.probing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if _, known := e.get(); known { // somebody else was faster
		return e, nil
	}
	b, err := u.probe(ctx, r)
	if status, ok := errors.AsType[*StatusError](err); ok {
		if !status.aboutN() {
			return e, nil
		}
		b, err = Behaviour{MaxChoices: 1}, nil
	}
	if err != nil {
		return nil, err
	}
	e.set(b)
	return e, nil
}

// Tokens and choices of a probe.
const (
	probeTokens  = 8
	probeChoices = 2
)

// probe asks for two short choices of a made-up question. The model is told to write
// more than the limit allows, so that two choices must have twice its tokens.
func (u *Upstream) probe(ctx context.Context, r Request) (Behaviour, error) {
	const question = "Count from one to fifty in words."
	var body openaiapi.Body
	if model, ok := r.Body.Get("model"); ok {
		body.SetRaw("model", model)
	}
	var err error
	if r.Path == ChatPath {
		err = body.Set("messages", []map[string]string{{"role": "user", "content": question}})
	} else {
		err = body.Set("prompt", question)
	}
	limit := "max_tokens"
	if r.Body.Has("max_completion_tokens") {
		limit = "max_completion_tokens"
	}
	if err := errors.Join(err, body.Set(limit, probeTokens), body.Set("n", probeChoices)); err != nil {
		return Behaviour{}, err
	}
	c, err := u.complete(ctx, r, body)
	if err != nil {
		return Behaviour{}, err
	}
	if len(c.choices) < probeChoices {
		return Behaviour{MaxChoices: 1}, nil
	}
	return Behaviour{UsageOfOne: c.usageOfOne()}, nil
}

// usageOfOne reports whether the usage of a probe's choices, all cut at the limit,
// counts one of them.
func (c *completion) usageOfOne() bool {
	for _, choice := range c.choices {
		if choice.Finish != "length" {
			return false
		}
	}
	return c.usage.CompletionTokens > 0 && c.usage.CompletionTokens <= probeTokens
}

// complete posts a body and reads the response.
func (u *Upstream) complete(ctx context.Context, r Request, body openaiapi.Body) (c completion, err error) {
	err = u.call(ctx, "POST", r.Path, r.Header, body.Bytes(), func(answer []byte) (err error) {
		c, err = parseCompletion(answer)
		return err
	})
	return c, err
}
