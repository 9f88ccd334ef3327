package gateway

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

// answers is a transport that gives these statuses in turn, then the last again.
type answers struct {
	statuses []int
	after    string // Retry-After
	times    []time.Time
}

func (a *answers) RoundTrip(*http.Request) (*http.Response, error) {
	status := a.statuses[min(len(a.times), len(a.statuses)-1)]
	a.times = append(a.times, time.Now())
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Retry-After": {a.after}}, Body: io.NopCloser(strings.NewReader("why"))}, nil
}

func TestSpansAreSentAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answers answers
		limit   time.Duration
		sent    int
		atLeast time.Duration
		fails   bool
	}{
		"at once":             {answers{statuses: []int{202}}, time.Minute, 1, 0, false},
		"busy twice":          {answers{statuses: []int{503, 429, 200}}, time.Minute, 3, 500 * time.Millisecond, false},
		"the collector's ask": {answers{statuses: []int{429, 200}, after: "5"}, time.Minute, 2, 5 * time.Second, false},
		"busy for ever":       {answers{statuses: []int{502}}, time.Minute, 1 + resends, time.Second, true},
		"refused":             {answers{statuses: []int{400}}, time.Minute, 1, 0, true},
		"redirected":          {answers{statuses: []int{307}}, time.Minute, 1, 0, true},
		"no time left":        {answers{statuses: []int{503}, after: "9"}, 2 * time.Second, 1, 2 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &collector{url: "http://collector/v1/traces", client: &http.Client{Transport: &c.answers}}
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				start := time.Now()
				err := client.UploadTraces(ctx, nil)
				if took := time.Since(start); len(c.answers.times) != c.sent || took < c.atLeast || took > 2*c.atLeast || (err != nil) != c.fails {
					t.Errorf("sent %d times in %v, error %v; want %d in %v to twice that", len(c.answers.times), took, err, c.sent, c.atLeast)
				}
			})
		})
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
