package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"rcvae"
	"rcvae/bestof"
	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
	"rcvae/llm"
)

// part is the answer to one prompt of a request. All requests have one but raw
// completions with a list of prompts.
type part struct {
	call *call
	bestof.Result
	upstream
	embedding time.Duration // of the selection
}

// choice returns what the upstream sent for candidate i.
func (p part) choice(i int) llm.Choice { return p.Candidates[i].Raw.(llm.Choice) }

// upstream is what the upstream said besides its choices.
type upstream struct {
	usage    openaiapi.Usage   // the prompt once, the tokens of all candidates
	billed   openaiapi.Usage   // sum over all calls
	failed   map[llm.Cause]int // calls by cause; nil when none failed
	err      error             // the first cause; nil when none failed
	envelope openaiapi.Body    // the first response without choices and usage
}

// stopGreedy is why a request was sampled once whose candidates would all be the same.
const stopGreedy = "greedy"

// answerOne samples and chooses for one prompt.
func (s *Server) answerOne(ctx context.Context, c *call, header http.Header, arrivals chan<- bestof.Arrival) (part, error) {
	sampler := &upstreamSampler{server: s, call: c, header: header}
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
	p := part{call: c, Result: result, upstream: sampler.upstream, embedding: watch.total()}
	s.traceSelection(ctx, p)
	s.metrics.decided(p)
	s.record(p)
	return p, nil
}

// upstreamSampler samples the candidates of a call from the upstream.
type upstreamSampler struct {
	server *Server
	call   *call
	header http.Header
	upstream
}

var _ bestof.Sampler = (*upstreamSampler)(nil)

// Sample implements [bestof.Sampler].
func (u *upstreamSampler) Sample(ctx context.Context, first, k int, arrived chan<- bestof.Candidate) error {
	s, start := u.server, time.Now()
	request := llm.Request{Path: u.call.path, Body: u.call.body, K: k, First: first, Header: u.header}
	s.askLogProbs(u.call, &request)
	told := make(map[int]bool, k)
	send := func(choice llm.Choice) {
		told[choice.Index] = true
		choice.Index += first
		s.traceCandidate(ctx, start, choice)
		arrived <- candidateOf(u.call, choice) // there is room for k
	}
	request.OnChoice = send
	ctx, cancel := context.WithTimeoutCause(ctx, s.config.UpstreamTimeout, errUpstreamTimeout)
	defer cancel()
	d, err := s.parts.Upstream.Draw(ctx, request)
	s.metrics.drew(d, k, time.Since(start))
	u.add(d)
	for _, choice := range d.Choices {
		if !told[choice.Index] { // an upstream that does not report arrivals
			send(choice)
		}
	}
	return err
}

// add adds what a round said.
func (u *upstream) add(d llm.Draw) {
	if u.err == nil {
		u.err = d.Err
	}
	for cause, n := range d.Failed {
		if u.failed == nil {
			u.failed = map[llm.Cause]int{}
		}
		u.failed[cause] += n
	}
	if len(d.Choices) > 0 && u.envelope.Len() == 0 {
		u.envelope = d.Envelope
	}
	u.usage, u.billed = u.usage.AddChoices(d.Usage), u.billed.Add(d.Billed)
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

// extract finds the answer in a text, behind what the model thought.
func (s *Server) extract(text string) (answer, from string) {
	text = llm.WithoutThinking(text)
	switch {
	case s.parts.Extract != nil:
		return s.parts.Extract(text)
	case s.parts.Grader != nil:
		answer, _ = s.parts.Grader.Answer(text)
	}
	return answer, ""
}
