package llm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"sync"

	"rcvae/internal/openaiapi"
)

// Draw draws r.K choices. When some of the calls fail it returns the others and the
// first cause in [Draw.Err]; when all fail the error names the server and that cause.
// When ctx is cancelled the calls under way are cancelled and the error is the
// context's; a deadline of ctx is like any other cause of failure.
//
// One call asks for all choices until an answer shows that the server gives fewer.
// What a server refuses is asked once more without n; what then comes is remembered
// in the server's [Profile]. Where several calls are needed their seeds, if there is
// one, are apart by the choices drawn.
func (u *Upstream) Draw(ctx context.Context, r Request) (Draw, error) {
	if r.K < 1 {
		return Draw{}, fmt.Errorf("draw %d choices: want at least 1", r.K)
	}
	if r.Path != ChatPath && r.Path != CompletionPath {
		return Draw{}, fmt.Errorf("draw from %q: want %s or %s", r.Path, ChatPath, CompletionPath)
	}
	p := u.profiles.of(r.Path, r.Body.Text("model"))
	lessons := p.known()
	for {
		d := newDrawing(u, r, p, lessons)
		d.run(ctx)
		result := d.result()
		if len(result.Choices) > 0 {
			p.learn(lessons)
			return result, cancelled(ctx)
		}
		if err := cancelled(ctx); err != nil {
			return result, err
		}
		l, ok := lessonOf(result.Err, d.sent, r.Optional)
		if !ok || slices.Contains(lessons, l) { // a body is refused for another reason each time, so this ends
			return result, fmt.Errorf("draw %d choices: all failed, first: %w", r.K, result.Err)
		}
		lessons = append(lessons, l)
	}
}

func cancelled(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return nil
}

// drawing is a draw under way. The goroutine that runs it owns all of it; calls only
// read what is above choices.
type drawing struct {
	upstream *Upstream
	request  Request
	profile  *profile
	sent     openaiapi.Body // what all calls have in common
	seed     *big.Int       // of the first choice; nil: the body's own, or none
	limit    int            // tokens of a choice; 0: none

	choices []Choice // K; those with Raw have arrived
	drawn   Draw     // without its choices
	calls   int
	first   int // Index of the choice that the envelope came with
}

func newDrawing(u *Upstream, r Request, p *profile, lessons []lesson) *drawing {
	d := &drawing{upstream: u, request: r, profile: p, sent: r.Body.Clone(), choices: make([]Choice, r.K), first: r.K}
	for _, key := range []string{"n", "best_of", "stream", "stream_options"} {
		d.sent.Delete(key)
	}
	for _, l := range lessons {
		if slices.Contains(r.Optional, l.field) {
			l.apply(&d.sent)
		}
	}
	for _, key := range []string{"max_tokens", "max_completion_tokens"} {
		_, _ = d.sent.Decode(key, &d.limit) // another type is the server's to judge
	}
	d.seed = seedOf(d.sent)
	return d
}

// span is a range of choices that one call asks for.
type span struct{ start, count int }

// outcome is what came of a call.
type outcome struct {
	span
	completion completion
	err        error
}

// run asks for all choices, and again for those that the server did not give because
// it gives fewer in one call. The size of a call falls with each round.
func (d *drawing) run(ctx context.Context) {
	size := d.profile.maxChoices(len(d.choices))
	for missing := []span{{0, len(d.choices)}}; len(missing) > 0; {
		var refused []outcome
		asked := size
		missing, refused, size = d.keepAll(d.fetch(ctx, missing, size), size)
		if len(refused) == 0 {
			continue
		}
		rest, allowed := d.shrink(ctx, refused, asked)
		missing, size = append(missing, rest...), min(size, max(allowed, 1))
	}
}

// keepAll sorts what came: what is missing from short answers, and the calls that the
// server refused and that fewer choices may help. Calls that failed are given up.
func (d *drawing) keepAll(outcomes []outcome, size int) (missing []span, refused []outcome, smaller int) {
	for _, o := range outcomes {
		status, ok := errors.AsType[*StatusError](o.err)
		got := len(o.completion.choices)
		switch {
		case o.err != nil && ok && o.count > 1 && status.mayBeN():
			refused = append(refused, o)
		case o.err != nil:
			d.fail(o.err)
		case got < o.count:
			d.profile.bound(got)
			size = min(size, got)
			missing = append(missing, span{o.start + got, o.count - got})
		case o.count > 1:
			d.profile.gave(o.count)
		}
	}
	return missing, refused, size
}

// shrink tries whether the server refused the number of choices: it asks for fewer, as
// many as the refusal allows, at last for one. What is refused even so is refused for
// its own sake, and nothing is learned.
func (d *drawing) shrink(ctx context.Context, refused []outcome, asked int) (missing []span, size int) {
	first := refused[0]
	refusal, _ := errors.AsType[*StatusError](first.err)
	for size = refusal.choicesAllowed(min(asked, first.count)); ; size = 1 {
		trial := d.fetch(ctx, []span{{first.start, size}}, size)[0]
		if trial.err == nil {
			if !refusal.ofThisRequest() {
				d.profile.bound(size)
			}
			got := len(trial.completion.choices)
			missing = append(missing, span{first.start + got, first.count - got})
			for _, o := range refused[1:] {
				missing = append(missing, o.span)
			}
			return missing, size
		}
		if _, again := errors.AsType[*StatusError](trial.err); !again || size == 1 {
			d.fail(trial.err)
			return nil, 1
		}
	}
}

// fail counts a failed call and keeps the first cause.
func (d *drawing) fail(err error) {
	if d.drawn.Err == nil {
		d.drawn.Err, d.drawn.Failed = err, map[Cause]int{}
	}
	d.drawn.Failed[CauseOf(err)]++
}

// fetch asks for the spans in calls of at most size choices, all at once; the upstream
// bounds how many are under way. It returns when all calls have ended, also when
// OnChoice panics.
func (d *drawing) fetch(ctx context.Context, spans []span, size int) []outcome {
	var calls []span
	for _, s := range spans {
		for from, end := s.start, s.start+s.count; from < end; from += size {
			calls = append(calls, span{from, min(size, end-from)})
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	results := make(chan outcome, len(calls))
	for _, s := range calls {
		group.Go(func() { results <- d.ask(ctx, s) })
	}
	outcomes := make([]outcome, len(calls))
	for i := range outcomes {
		outcomes[i] = <-results
		d.keep(&outcomes[i])
	}
	slices.SortFunc(outcomes, func(a, b outcome) int { return a.start - b.start })
	return outcomes
}

// ask makes one call.
func (d *drawing) ask(ctx context.Context, s span) outcome {
	c, err := d.upstream.call(ctx, d.request.Path+"?"+d.request.Query, d.request.Header, d.body(s).Pieces())
	return outcome{s, c, err}
}

// body returns the body of one call.
func (d *drawing) body(s span) openaiapi.Body {
	body := d.sent.Clone()
	if s.count > 1 {
		body.SetRaw("n", []byte(strconv.Itoa(s.count)))
	}
	if d.seed != nil {
		body.SetRaw("seed", []byte(seedAt(d.seed, d.request.First+s.start)))
	}
	return body
}

// keep stores the choices of a call and tells of them.
func (d *drawing) keep(o *outcome) {
	if o.err != nil {
		return
	}
	c := &o.completion
	d.calls++
	d.drawn.Billed = d.drawn.Billed.Add(c.usage)
	c.countTokens(d.profile.counts(c.scope(d.limit)), d.limit)
	d.drawn.Usage = d.drawn.Usage.AddChoices(c.usage)
	c.choices = c.choices[:min(len(c.choices), o.count)]
	if o.start < d.first {
		d.first, d.drawn.Envelope = o.start, c.envelope
	}
	for i, choice := range c.choices {
		choice.Index = o.start + i
		d.choices[choice.Index] = choice
		if d.request.OnChoice != nil {
			d.request.OnChoice(choice)
		}
	}
}

func (d *drawing) result() Draw {
	r := d.drawn
	r.Mode = ModeN
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
