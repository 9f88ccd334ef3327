package gateway

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rcvae"
	"rcvae/bestof"
	"rcvae/gateway/edge"
	"rcvae/llm"
)

// answerParts draws and chooses for each prompt, all at once. When one fails, or panics,
// the request fails.
func (s *Server) answerParts(ctx context.Context, c *call, arrivals chan<- bestof.Arrival) ([]part, error) {
	calls := []*call{c}
	if len(c.prompts) > 0 {
		calls = nil
		for _, prompt := range c.prompts {
			calls = append(calls, c.single(prompt))
		}
	}
	parts := make([]part, len(calls))
	group, all := errgroup.WithContext(ctx)
	for i, call := range calls {
		group.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					s.logPanic(p, debug.Stack())
					err = edge.Errorf(http.StatusInternalServerError, "the gateway has a bug; its log has more")
				}
			}()
			parts[i], err = s.answerOne(all, call, arrivals)
			return err
		})
	}
	switch err := group.Wait(); {
	case ctx.Err() != nil:
		return nil, edge.ErrClientGone
	case err != nil:
		return nil, err
	}
	return parts, nil
}

// answerOne samples and chooses for one prompt.
func (s *Server) answerOne(ctx context.Context, c *call, arrivals chan<- bestof.Arrival) (part, error) {
	sampler := &upstreamSampler{server: s, call: c}
	watch, early := &stopwatch{}, &stopwatch{}
	defer func() { s.metrics.embeddedEarly(early.total()) }()
	most := c.k
	if c.greedy {
		most = min(c.n, c.k)
	}
	result, err := s.engine.Run(context.WithValue(ctx, stopwatchKey{}, watch), bestof.Request{
		Question: c.question, K: most, Round: c.kMin, Keep: c.n, Margin: s.config.Margin,
		Rule: s.engineRule(c.rule, early), Sampler: sampler, Arrivals: arrivals,
	})
	switch {
	case ctx.Err() != nil:
		return part{}, edge.ErrClientGone
	case errors.Is(err, bestof.ErrLost):
		return part{}, edge.Errorf(http.StatusInternalServerError, "the gateway has a bug: no answer could be extracted; its log has more")
	case err != nil:
		return part{}, err
	}
	if c.greedy {
		result.Stopped = stopGreedy
	}
	p := part{call: c, Result: result, draw: sampler.draw, embedding: watch.total()}
	s.traceSelection(ctx, p)
	s.metrics.decided(p)
	s.record(p)
	return p, nil
}

// engineRule returns the rule as the engine needs it. The time that it spends in the
// embedder before the selection is added to early.
func (s *Server) engineRule(name string, early *stopwatch) bestof.Rule {
	rule := s.parts.Rules[name]
	r := bestof.Rule{Name: name, Selector: rule.Selector, Decided: rule.Rule.Decided}
	if rule.Prepare != nil {
		r.Prepare = func(ctx context.Context, question string, candidates []rcvae.Candidate) error {
			return rule.Prepare(context.WithValue(ctx, stopwatchKey{}, early), question, candidates)
		}
	}
	return r
}

// upstreamSampler samples the candidates of a call from the upstream.
type upstreamSampler struct {
	server *Server
	call   *call
	draw   llm.Draw // of all rounds, without its choices
}

var _ bestof.Sampler = (*upstreamSampler)(nil)

// Sample implements [bestof.Sampler].
func (u *upstreamSampler) Sample(ctx context.Context, first, k int, arrived chan<- bestof.Candidate) error {
	s, start := u.server, time.Now()
	request := llm.Request{Path: u.call.path, Query: u.call.query, Body: u.call.body, K: k, First: first, Header: u.call.header}
	s.askLogProbs(u.call, &request)
	request.OnChoice = func(choice llm.Choice) {
		choice.Index += first
		s.traceCandidate(ctx, start, choice)
		arrived <- candidateOf(u.call, choice) // there is room for k
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.config.UpstreamTimeout, errUpstreamTimeout)
	defer cancel()
	d, err := s.parts.Upstream.Draw(ctx, request)
	s.metrics.drew(d, k, time.Since(start))
	u.add(d)
	return cmp.Or(err, d.Err)
}

// add adds what a round said.
func (u *upstreamSampler) add(d llm.Draw) {
	all := &u.draw
	if all.Failed == nil {
		all.Failed = map[llm.Cause]int{}
	}
	for cause, n := range d.Failed {
		all.Failed[cause] += n
	}
	if all.Envelope.Len() == 0 {
		all.Envelope = d.Envelope
	}
	all.Usage, all.Billed = all.Usage.AddChoices(d.Usage), all.Billed.Add(d.Billed)
}

// askLogProbs asks for log-probabilities where the rule looks at them and the client
// did not. An upstream that refuses them is asked without.
func (s *Server) askLogProbs(c *call, r *llm.Request) {
	if c.logProbs || !s.parts.Rules[c.rule].LogProbs {
		return
	}
	value := "true"
	if !c.chat() {
		value = "1"
	}
	r.Body = r.Body.Clone()
	r.Body.SetRaw("logprobs", []byte(value))
	r.Optional = []string{"logprobs"}
}

// candidateOf returns a choice as the engine sees it.
func candidateOf(c *call, choice llm.Choice) bestof.Candidate {
	var calls strings.Builder
	for _, call := range choice.ToolCalls {
		calls.WriteString(call.Does())
	}
	return bestof.Candidate{
		Candidate: rcvae.Candidate{Text: choice.Text, Model: c.model, Finish: choice.Finish, Tokens: choice.Tokens, LogProb: choice.LogProb},
		Place:     choice.Index, Calls: calls.String(), Raw: choice,
	}
}
