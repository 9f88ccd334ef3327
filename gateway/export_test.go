package gateway

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"rcvae"
	"rcvae/grade"
	"rcvae/internal/openaiapi"
	"rcvae/llm"
	"rcvae/selector"
)

// TraceTo sends the server's spans to a processor of the test.
func (s *Server) TraceTo(p sdktrace.SpanProcessor) {
	s.tracing = tracingTo(sdktrace.WithSpanProcessor(p))
}

// AskUpstreamEvery asks the upstream whether it is ready at another pace.
func (s *Server) AskUpstreamEvery(d time.Duration) {
	s.readiness.close()
	s.readiness.start(s.parts.Upstream, d)
}

// Gatherer returns the server's metrics.
func (s *Server) Gatherer() prometheus.Gatherer { return s.metrics.registry }

// listUpstream draws the texts of a list in turn.
type listUpstream struct {
	Upstream
	texts []string
	next  int
}

func (l *listUpstream) Draw(_ context.Context, r llm.Request) (llm.Draw, error) {
	d := llm.Draw{Mode: llm.ModeN}
	for i := range r.K {
		choice := llm.Choice{Index: i, Text: l.texts[l.next], Finish: "stop"}
		d.Choices = append(d.Choices, choice)
		r.OnChoice(choice)
		l.next++
	}
	return d, nil
}

func (l *listUpstream) Ready(context.Context) error { return nil }

// DecideForTest chooses among texts by majority without HTTP and returns the index, and
// why no more were drawn.
func DecideForTest(ctx context.Context, texts []string, kMin, kMax int) (chosen int, stopped string) {
	grader, err := grade.New("gsm8k")
	if err != nil {
		panic(err)
	}
	rule := selector.Rule{Aggregate: selector.Majority}
	bound, err := selector.New(rule, selector.Sources{Grader: grader}, selector.Options{})
	if err != nil {
		panic(err)
	}
	c := DefaultConfig()
	c.Selector, c.Margin = "majority", 1
	s, err := New(c, Parts{Upstream: &listUpstream{texts: texts}, Rules: map[string]Rule{"majority": {Selector: bound, Rule: rule}}, Extract: AnswerBy(grader)})
	if err != nil {
		panic(err)
	}
	defer s.Close() // it holds nothing that could be lost
	body, err := openaiapi.ParseBody([]byte(`{"messages":[]}`))
	if err != nil {
		panic(err)
	}
	call := &call{path: llm.ChatPath, body: body, rule: "majority", n: 1, k: kMax, kMin: kMin}
	p, err := s.answerOne(ctx, call, nil)
	if err != nil {
		panic(err)
	}
	return p.Chosen, p.Stopped
}

// AnswerBy returns the extraction of a grader.
func AnswerBy(grader rcvae.Grader) func(string) (string, string) {
	return func(text string) (string, string) {
		answer, _ := grader.Answer(text)
		return answer, ""
	}
}

// OpenDecisionsForTest opens and closes a decision log.
func OpenDecisionsForTest(path string) error {
	l, err := openDecisions(path, false, func(int) {})
	if err != nil {
		return err
	}
	return l.close()
}

// HeldBytes returns the size of the bodies of all requests under way or waiting.
func (s *Server) HeldBytes() int64 { return s.edge.HeldBytes() }
