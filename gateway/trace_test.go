package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestSpansReachACollector: the body is OTLP's protobuf, and the fields of the
// environment come with it.
func TestSpansReachACollector(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20of-all, X-Team = blue")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=Bearer%20of-traces")
	var got tracepb.TracesData
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := proto.Unmarshal(body, &got); err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s of %s: %v", r.URL.Path, r.Header.Get("Content-Type"), err)
		}
		if r.Header.Get("Authorization") != "Bearer of-traces" || r.Header.Get("X-Team") != "blue" {
			t.Errorf("header %v, want the environment's fields", r.Header)
		}
	}))
	defer server.Close()
	tracing, err := newTracing(server.URL + "/v1/traces")
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracing.tracer.Start(t.Context(), "chat scripted")
	span.End()
	if err := tracing.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := got.GetResourceSpans()
	if len(spans) != 1 || spans[0].ScopeSpans[0].Spans[0].Name != "chat scripted" || spans[0].Resource.Attributes[0].Value.GetStringValue() != "rcvae" {
		t.Errorf("the collector got %v", &got)
	}
}

func TestCollectorsThatAreNone(t *testing.T) {
	for _, address := range []string{"127.0.0.1:4318", "collector", "grpc://host:4317", "http://", "http://host:port"} {
		if _, err := newTracing(address); err == nil || !strings.Contains(err.Error(), address) {
			t.Errorf("newTracing(%q) = %v, want an error with the address", address, err)
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x=1,a-secret")
	if _, err := newTracing("http://host:4318/v1/traces"); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "OTLP_HEADERS: field 2") {
		t.Errorf("with a bad field: %v, want an error that names the variable and does not quote it", err)
	}
}
