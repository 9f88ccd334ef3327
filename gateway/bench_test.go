package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rcvae/gateway"
	"rcvae/grade"
	"rcvae/llm"
	"rcvae/selector"
)

// BenchmarkRequest is one request after another, client, gateway and an upstream that
// answers at once in one process: as a proxy, and with 8 paragraphs and a majority vote.
func BenchmarkRequest(b *testing.B) {
	for _, k := range []int{1, 8} {
		b.Run(fmt.Sprintf("k=%d", k), func(b *testing.B) { benchmarkRequest(b, k) })
	}
}

func benchmarkRequest(b *testing.B, k int) {
	text := strings.Repeat("The first part adds up to 12, because every box holds the same number of pieces. ", 6) + "The answer is 42."
	var choices []map[string]any
	for i := range k {
		choices = append(choices, map[string]any{"index": i, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": text}})
	}
	body, err := json.Marshal(map[string]any{"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": choices,
		"usage": map[string]int{"prompt_tokens": 9, "completion_tokens": 100 * k, "total_tokens": 9 + 100*k}})
	if err != nil {
		b.Fatal(err)
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(body)
	}))
	defer upstream.Close()
	server := benchServer(b, upstream.URL)
	front := httptest.NewServer(server)
	defer front.Close()
	defer server.Close()
	request := ask("How many pieces are there?", fmt.Sprintf(`"rcvae":{"k":%d}`, k))
	for b.Loop() {
		response, err := http.Post(front.URL+chat, "application/json", strings.NewReader(request))
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			b.Fatalf("status %d", response.StatusCode)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func benchServer(b *testing.B, url string) *gateway.Server {
	b.Helper()
	upstream, err := llm.New(llm.DefaultOptions(url))
	if err != nil {
		b.Fatal(err)
	}
	grader, err := grade.New("gsm8k")
	if err != nil {
		b.Fatal(err)
	}
	rule, err := selector.New(selector.Rule{Aggregate: selector.Majority}, selector.Sources{Grader: grader}, selector.Options{})
	if err != nil {
		b.Fatal(err)
	}
	c := gateway.DefaultConfig()
	c.Selector = "majority"
	server, err := gateway.New(c, gateway.Parts{Upstream: upstream, Extract: gateway.AnswerBy(grader), Rules: map[string]gateway.Rule{"majority": {Selector: rule, Rule: rule.Rule()}}, Logger: slog.New(slog.NewJSONHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	return server
}
