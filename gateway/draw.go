package gateway

import (
	"context"
	"net/http"
	"time"

	"rcvae"
	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
	"rcvae/llm"
)

// pool is what has been drawn for one call.
type pool struct {
	choices    []llm.Choice      // the survivors, in draw order
	candidates []rcvae.Candidate // (len(choices)), as selectors see them
	first      int               // index of the choice that finished first
	drawn      int               // choices asked for
	usage      openaiapi.Usage   // the prompt once, the tokens of all candidates
	billed     openaiapi.Usage   // sum over all calls
	failed     map[llm.Cause]int // calls by cause; nil when none failed
	err        error             // the first cause; nil when none failed
	envelope   openaiapi.Body    // the first response without choices and usage
	mode       string            // [llm.ModeN] or [llm.ModeFanOut]
	stopped    string            // why adaptive drawing ended before k; empty when it did not
	took       time.Duration     // by the upstream
}

// onChoice is told of a candidate as it arrives: its place in the draw, the candidate
// and the number that has arrived.
type onChoice func(place int, choice llm.Choice, candidate rcvae.Candidate, arrived int)

// draw asks the upstream for the call's candidates, in rounds when k is adaptive. It
// works with the survivors when some fail.
func (s *Server) draw(ctx context.Context, c *call, header http.Header, notify onChoice) (*pool, error) {
	p := &pool{first: -1}
	start := time.Now()
	defer func() { p.took = time.Since(start) }()
	most := c.k
	if c.greedy { // they would all be the same
		most, p.stopped = min(c.n, c.k), stopGreedy
	}
	for p.drawn < most {
		size := min(c.kMin, most-p.drawn)
		if err := s.drawRound(ctx, c, header, p, size, notify); err != nil {
			if ctx.Err() != nil {
				return nil, edge.ErrClientGone
			}
			if len(p.choices) == 0 {
				return nil, err
			}
			break // an earlier round has candidates
		}
		if p.drawn < most {
			if p.stopped = s.settled(ctx, c, p); p.stopped != "" {
				break
			}
		}
	}
	return p, nil
}

// drawRound draws size more candidates.
func (s *Server) drawRound(ctx context.Context, c *call, header http.Header, p *pool, size int, notify onChoice) error {
	offset, firstPlace, arrived := p.drawn, -1, len(p.choices)
	candidates := make(map[int]rcvae.Candidate, size)
	start := time.Now()
	request := llm.Request{Path: c.path, Body: c.body, K: size, First: offset, Header: header}
	s.askLogProbs(c, &request)
	request.OnChoice = func(choice llm.Choice) {
		candidate := s.candidateOf(c, choice)
		candidates[choice.Index] = candidate
		if firstPlace < 0 {
			firstPlace = choice.Index
		}
		arrived++
		s.traceCandidate(ctx, start, offset+choice.Index, choice)
		if notify != nil {
			notify(offset+choice.Index, choice, candidate, arrived)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.config.UpstreamTimeout, errUpstreamTimeout)
	defer cancel()
	d, err := s.parts.Upstream.Draw(ctx, request)
	p.drawn += size
	s.metrics.drew(d, size, time.Since(start))
	if p.err == nil {
		p.err = d.Err
	}
	for cause, n := range d.Failed {
		if p.failed == nil {
			p.failed = map[llm.Cause]int{}
		}
		p.failed[cause] += n
	}
	if err != nil {
		return err
	}
	if len(p.choices) == 0 {
		p.envelope, p.mode = d.Envelope, d.Mode
	}
	p.usage, p.billed = p.usage.AddChoices(d.Usage), p.billed.Add(d.Billed)
	for _, choice := range d.Choices {
		candidate, ok := candidates[choice.Index]
		if !ok { // an upstream that does not report arrivals
			candidate = s.candidateOf(c, choice)
		}
		if p.first < 0 && (choice.Index == firstPlace || !ok) {
			p.first = len(p.choices)
		}
		choice.Index += offset
		p.choices, p.candidates = append(p.choices, choice), append(p.candidates, candidate)
	}
	return nil
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

// candidateOf returns a choice as selectors see it.
func (s *Server) candidateOf(c *call, choice llm.Choice) rcvae.Candidate {
	candidate := rcvae.Candidate{Text: choice.Text, Model: c.model, Finish: choice.Finish, Tokens: choice.Tokens, LogProb: choice.LogProb}
	text := llm.WithoutThinking(choice.Text)
	switch {
	case len(choice.ToolCalls) > 0:
	case s.parts.Extract != nil:
		candidate.Answer, candidate.AnswerFrom = s.parts.Extract(text)
	case s.parts.Grader != nil:
		candidate.Answer, _ = s.parts.Grader.Answer(text)
	}
	return candidate
}
