package otlp

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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
