// Package otlp sends spans to an OTLP/HTTP collector, as protobuf. OpenTelemetry's own
// client for this protocol brings all of gRPC into the binary (docs/adr/0011).
package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"rcvae/internal/retry"
)

// collector is one at a URL.
type collector struct {
	url    string
	header http.Header
	client *http.Client
}

var _ otlptrace.Client = (*collector)(nil)

// resends is how often a batch is sent again before it is dropped.
const resends = 3

// headerVariables are the variables of the specification that hold header fields for
// the collector, such as a key; fields of the second win.
var headerVariables = []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}

// Client returns a client of the collector at a URL such as
// http://127.0.0.1:4318/v1/traces.
func Client(address string) (otlptrace.Client, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("want a URL such as http://127.0.0.1:4318/v1/traces")
	}
	c := &collector{url: address, header: http.Header{"Content-Type": {"application/x-protobuf"}}, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the key is for this host
	}}
	for _, name := range headerVariables {
		if err := addFields(c.header, os.Getenv(name)); err != nil {
			return nil, fmt.Errorf("environment variable %s: %w", name, err)
		}
	}
	return c, nil
}

// addFields reads a list "name=value,name=value" with escaped values. Errors do not
// quote it: it may hold a key.
func addFields(header http.Header, list string) error {
	for i, field := range strings.Split(list, ",") {
		if strings.TrimSpace(field) == "" {
			continue
		}
		name, escaped, found := strings.Cut(field, "=")
		value, err := url.PathUnescape(strings.TrimSpace(escaped))
		if !found || err != nil {
			return fmt.Errorf("field %d of the list: want name=value with the value escaped as in a URL", i+1)
		}
		header.Set(strings.TrimSpace(name), value)
	}
	return nil
}

// Start implements [otlptrace.Client].
func (c *collector) Start(context.Context) error { return nil }

// Stop implements [otlptrace.Client].
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements [otlptrace.Client]. It repeats what may succeed later, until
// the context ends.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// The wire form of TracesData is that of the protocol's request.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	return retry.Do(ctx, resends, func() error { return c.upload(ctx, body) })
}

// upload sends a batch once.
func (c *collector) upload(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = c.header.Clone()
	response, err := c.client.Do(request)
	if err != nil {
		return retry.Passing(fmt.Errorf("send spans: %w", err), 0)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 512)) // for the message alone
	if response.StatusCode/100 == 2 {
		return nil
	}
	err = fmt.Errorf("send spans: the collector answers %s: %q", response.Status, said)
	switch response.StatusCode { // those that the protocol allows to send again
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return retry.Passing(err, retry.After(response.Header, time.Now(), time.Minute))
	}
	return err
}
