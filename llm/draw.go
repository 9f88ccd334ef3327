package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"rcvae"
	"rcvae/internal/openaiapi"
)

// Paths of the two kinds of requests.
const (
	ChatPath       = "/chat/completions"
	CompletionPath = "/completions"
)

// The ways in which a server is asked for several choices.
const (
	ModeN      = "n"       // one call
	ModeFanOut = "fan-out" // several calls
)

// Request asks for several choices of one completion.
type Request struct {
	Path     string         // [ChatPath] or [CompletionPath]
	Body     openaiapi.Body // of the request; not changed. All fields but n, seed, stream, stream_options and best_of go to the server as they are
	K        int            // choices to draw, at least 1
	Seed     *int64         // of the first choice; nil: the body's own, if it has one
	Header   http.Header    // more header fields; an Authorization here replaces the upstream's key
	OnChoice func(Choice)   // called with each choice as it arrives, by one goroutine at a time; may be nil
}

// Draw is what came back for a [Request].
type Draw struct {
	Choices   []Choice        // the survivors, in the order of their Index
	Usage     openaiapi.Usage // sum over all calls, with the tokens of all choices
	Requested int             // the request's K
	Mode      string          // [ModeN] or [ModeFanOut]
	Envelope  openaiapi.Body  // the first response without choices and usage: id, object, created, model, …
	Err       error           // first cause when some of the choices failed, else nil
}

// Choice is one completion.
type Choice struct {
	Index     int                  // place in the draw, 0 … K-1
	Raw       json.RawMessage      // the choice as the server wrote it, with an index of the server's
	Text      string               // message content, or text of a raw completion
	ToolCalls []openaiapi.ToolCall // nil when there are none
	Finish    string               // "stop", "length", "tool_calls", …
	Tokens    int                  // generated tokens; 0 when unknown
	LogProb   *rcvae.LogProb       // nil when the server gave no log-probabilities
}

// Draw draws r.K choices. When some of the calls fail it returns the others and the
// first cause in [Draw.Err]; when all fail the error names the server and that cause.
// When ctx is cancelled the calls under way are cancelled and the error is the
// context's; a deadline of ctx is like any other cause of failure.
//
// One call asks for all choices where the server allows it; a probe, the first time,
// tells. Otherwise several calls ask for as many as the server allows, mostly one.
// Their seeds, if there is one, are apart by the choices drawn.
func (u *Upstream) Draw(ctx context.Context, r Request) (Draw, error) {
	d, err := u.newDrawing(ctx, r)
	if err != nil {
		return Draw{Requested: r.K}, err
	}
	d.run(ctx)
	result := d.result()
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return result, ctx.Err()
	case len(result.Choices) == 0:
		return result, fmt.Errorf("draw %d choices: all failed, first: %w", r.K, result.Err)
	}
	return result, nil
}

// drawing is a draw under way.
type drawing struct {
	upstream *Upstream
	request  Request
	body     openaiapi.Body // without what is set call by call
	seed     *int64
	entry    *memoryEntry // nil for one choice

	mu       sync.Mutex // guards what follows, and calls of OnChoice
	choices  []Choice   // K; those with Raw have arrived
	usage    openaiapi.Usage
	calls    int
	envelope openaiapi.Body
	first    int // Index of the choice that envelope came with
	err      error
}

func (u *Upstream) newDrawing(ctx context.Context, r Request) (*drawing, error) {
	if r.K < 1 {
		return nil, fmt.Errorf("draw %d choices: want at least 1", r.K)
	}
	if r.Path != ChatPath && r.Path != CompletionPath {
		return nil, fmt.Errorf("draw from %q: want %s or %s", r.Path, ChatPath, CompletionPath)
	}
	d := &drawing{upstream: u, request: r, body: r.Body.Clone(), seed: r.Seed, choices: make([]Choice, r.K), first: r.K}
	for _, key := range []string{"n", "best_of", "stream", "stream_options"} {
		d.body.Delete(key)
	}
	if d.seed == nil {
		var seed int64
		if ok, err := d.body.Decode("seed", &seed); ok && err == nil { // another kind of seed is the server's to judge
			d.seed = &seed
		}
	}
	if r.K > 1 {
		var err error
		if d.entry, err = u.behaviour(ctx, r); err != nil {
			return nil, fmt.Errorf("draw %d choices: %w", r.K, err)
		}
	}
	return d, nil
}

// span is a range of choices that one call asks for, and what came of it.
type span struct {
	start, count int
	got          int
	err          error
}

// run asks for all choices, and again for those that the server did not give because
// it allows fewer in one call. The size of a call falls with each round.
func (d *drawing) run(ctx context.Context) {
	size := len(d.choices)
	if d.entry != nil {
		if b, _ := d.entry.get(); b.MaxChoices > 0 {
			size = min(size, b.MaxChoices)
		}
	}
	missing := []span{{start: 0, count: len(d.choices)}}
	for len(missing) > 0 {
		asked := d.fetch(ctx, missing, size)
		missing = nil
		for _, s := range asked {
			allowed := d.allowed(s)
			if allowed == 0 {
				continue
			}
			size = min(size, allowed)
			missing = append(missing, span{start: s.start + s.got, count: s.count - s.got})
		}
	}
}

// allowed returns how many choices a call may ask for as the span's answer shows, and
// 0 when there is nothing to ask for again. It remembers what is the server's habit.
func (d *drawing) allowed(s span) int {
	if s.err == nil {
		if s.got == s.count {
			return 0
		}
		d.entry.lower(s.got)
		return s.got
	}
	status := s.refusal()
	if status == nil {
		return 0
	}
	n := status.choicesAllowed(s.count)
	if !status.ofThisRequest() {
		d.entry.lower(n)
	}
	return n
}

// refusal returns the server's error if it only asks for too many choices.
func (s span) refusal() *StatusError {
	status, ok := errors.AsType[*StatusError](s.err)
	if !ok || s.count == 1 || !status.aboutN() {
		return nil
	}
	return status
}

// fail keeps the first cause of a failure.
func (d *drawing) fail(s span) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil && s.refusal() == nil {
		d.err = s.err
	}
}

// fetch asks for the spans in calls of at most size choices, all at once; the
// upstream bounds how many are under way.
func (d *drawing) fetch(ctx context.Context, spans []span, size int) []span {
	var calls []span
	for _, s := range spans {
		for from, end := s.start, s.start+s.count; from < end; from += size {
			calls = append(calls, span{start: from, count: min(size, end-from)})
		}
	}
	var group sync.WaitGroup
	for i := range calls {
		group.Go(func() { d.ask(ctx, &calls[i]) })
	}
	group.Wait()
	return calls
}

// ask makes one call and keeps what came.
func (d *drawing) ask(ctx context.Context, s *span) {
	body := d.body.Clone()
	var err error
	if s.count > 1 {
		err = body.Set("n", s.count)
	}
	if d.seed != nil {
		err = errors.Join(err, body.Set("seed", *d.seed+int64(s.start)))
	}
	if err != nil { // numbers always encode
		s.err = err
		d.fail(*s)
		return
	}
	c, err := d.upstream.complete(ctx, d.request, body)
	if err != nil {
		s.err = err
		d.fail(*s)
		return
	}
	c.choices = c.choices[:min(len(c.choices), s.count)]
	d.keep(s, c)
}

func (d *drawing) keep(s *span, c completion) {
	ofOne := false
	if d.entry != nil {
		b, _ := d.entry.get()
		ofOne = b.UsageOfOne
	}
	c.countTokens(ofOne)
	d.mu.Lock()
	defer d.mu.Unlock()
	s.got = len(c.choices)
	d.calls++
	d.usage = d.usage.Add(c.usage)
	if s.start < d.first {
		d.first, d.envelope = s.start, c.envelope
	}
	for i, choice := range c.choices {
		choice.Index = s.start + i
		d.choices[choice.Index] = choice
		if d.request.OnChoice != nil {
			d.request.OnChoice(choice)
		}
	}
}

func (d *drawing) result() Draw {
	r := Draw{Usage: d.usage, Requested: len(d.choices), Mode: ModeN, Envelope: d.envelope, Err: d.err}
	if d.calls > 1 {
		r.Mode = ModeFanOut
	}
	for _, choice := range d.choices {
		if choice.Raw != nil {
			r.Choices = append(r.Choices, choice)
		}
	}
	return r
}
