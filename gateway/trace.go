package gateway

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"rcvae/internal/otlp"
	"rcvae/llm"
)

// tracing sends spans by the semantic conventions for generative AI: one for a
// request, one for each candidate, one for the selection. A nil tracing sends none.
// Spans hold no texts.
type tracing struct {
	provider   *sdktrace.TracerProvider
	tracer     trace.Tracer
	propagator propagation.TraceContext
}

func newTracing(url string) (*tracing, error) {
	if url == "" {
		return nil, nil
	}
	client, err := otlp.Client(url)
	if err != nil {
		return nil, fmt.Errorf("export traces to %s: %w", url, err)
	}
	exporter, err := otlptrace.New(context.Background(), client)
	if err != nil {
		return nil, fmt.Errorf("export traces to %s: %w", url, err)
	}
	return tracingTo(sdktrace.WithBatcher(exporter)), nil
}

func tracingTo(processor sdktrace.TracerProviderOption) *tracing {
	provider := sdktrace.NewTracerProvider(processor, sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "rcvae"))))
	return &tracing{provider: provider, tracer: provider.Tracer("rcvae/gateway")}
}

func (t *tracing) close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// traceRequest starts the span of a request; end finishes it with what was drawn.
func (s *Server) traceRequest(r *http.Request, c *call) (ctx context.Context, end func([]part)) {
	ctx = r.Context()
	if s.tracing == nil {
		return ctx, func([]part) {}
	}
	ctx = s.tracing.propagator.Extract(ctx, propagation.HeaderCarrier(r.Header))
	operation := "chat"
	if !c.chat() {
		operation = "text_completion"
	}
	ctx, span := s.tracing.tracer.Start(ctx, operation+" "+c.model, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("gen_ai.operation.name", operation),
		attribute.String("gen_ai.provider.name", "openai"),
		attribute.String("gen_ai.request.model", c.model),
		attribute.Int("gen_ai.request.choice.count", c.k),
		attribute.Bool("rcvae.stream", c.stream),
	))
	return ctx, func(parts []part) {
		if len(parts) > 0 {
			usage, first := usageOf(parts), parts[0]
			span.SetAttributes(
				attribute.Int("gen_ai.usage.input_tokens", usage.PromptTokens),
				attribute.Int("gen_ai.usage.output_tokens", usage.CompletionTokens),
				attribute.StringSlice("gen_ai.response.finish_reasons", []string{first.Candidates[first.Chosen].Finish}),
			)
		}
		span.End()
	}
}

// traceCandidate records the span of a candidate that has arrived.
func (s *Server) traceCandidate(ctx context.Context, start time.Time, choice llm.Choice) {
	if s.tracing == nil {
		return
	}
	_, span := s.tracing.tracer.Start(ctx, "candidate", trace.WithTimestamp(start), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "chat"),
		attribute.Int("rcvae.candidate.index", choice.Index),
		attribute.Int("gen_ai.usage.output_tokens", choice.Tokens),
		attribute.StringSlice("gen_ai.response.finish_reasons", []string{choice.Finish}),
	))
	span.End()
}

// traceSelection records the span of a selection that has ended.
func (s *Server) traceSelection(ctx context.Context, p part) {
	if s.tracing == nil {
		return
	}
	_, span := s.tracing.tracer.Start(ctx, "select "+p.call.rule, trace.WithTimestamp(time.Now().Add(-p.Selection)), trace.WithAttributes(
		attribute.String("rcvae.selector", p.call.rule), attribute.Int("rcvae.chosen", p.Chosen)))
	if p.Kind != "" {
		span.SetAttributes(attribute.String("rcvae.fallback", p.Kind))
		span.SetStatus(codes.Error, p.Kind)
	}
	span.End()
}

// injectTrace puts the trace's parent into the header for the upstream.
func (s *Server) injectTrace(ctx context.Context, header http.Header) {
	if s.tracing != nil {
		s.tracing.propagator.Inject(ctx, propagation.HeaderCarrier(header))
	}
}
