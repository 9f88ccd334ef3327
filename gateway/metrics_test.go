package gateway_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"rcvae"
	"rcvae/gateway"
	"rcvae/gateway/edge"
	"rcvae/internal/atomicfile"
)

// metric returns the value of a counter or gauge, or the count of a histogram; labels
// come in pairs, those not given may have any value. −1: there is no such metric.
func (s *stand) metric(name string, labels ...string) float64 {
	s.t.Helper()
	families, err := s.server.Gatherer().Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	total, found := 0.0, false
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			if !hasLabels(m, labels) {
				continue
			}
			found = true
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	if !found {
		return -1
	}
	return total
}

func hasLabels(m *dto.Metric, labels []string) bool {
	for i := 0; i+1 < len(labels); i += 2 {
		if !slices.ContainsFunc(m.GetLabel(), func(p *dto.LabelPair) bool { return p.GetName() == labels[i] && p.GetValue() == labels[i+1] }) {
			return false
		}
	}
	return true
}

func TestMetricsAreNamedWell(t *testing.T) {
	s := start(t, func(s *setup) { s.config.Selector = "vote:longest" })
	s.post(chat, ask("q")).completion(t)
	s.post(chat, ask("q"), "X-RCVAE-K", "1").completion(t)
	s.post(chat, ask("q", `"rcvae":{"selector":"scripted"}`)).completion(t)
	text := s.get("/metrics")
	problems, err := promlint.New(bytes.NewReader(text.body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "rcvae_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for line := range strings.Lines(string(text.body)) {
		if name := strings.TrimPrefix(line, "# TYPE "); name != line && !strings.HasPrefix(name, "rcvae_") && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("metric %s has no prefix rcvae_", strings.TrimSpace(name))
		}
	}
	for _, want := range []string{
		"rcvae_requests_total", "rcvae_request_duration_seconds", "rcvae_upstream_duration_seconds", "rcvae_selection_duration_seconds",
		"rcvae_candidates_total", "rcvae_request_candidates", "rcvae_fallbacks_total", "rcvae_tokens_total",
	} {
		if s.metric(want) <= 0 {
			t.Errorf("%s is %v after three requests, want more than 0", want, s.metric(want))
		}
	}
}

func TestLabelsComeFromClosedSets(t *testing.T) {
	s := start(t, func(*setup) {})
	s.post("/v1/"+strings.Repeat("x", 50), "{}")
	s.post(chat, ask("q", `"rcvae":{"selector":"unheard-of"}`))
	s.post(chat, strings.Replace(ask("q"), "scripted", "odd-model-name", 1)).completion(t)
	text := string(s.get("/metrics").body)
	for _, foreign := range []string{"xxxxx", "unheard-of", "odd-model-name"} {
		if strings.Contains(text, foreign) {
			t.Errorf("the metrics have a label %q from a request", foreign)
		}
	}
}

func TestEntropyAndEmbeddingAreMeasured(t *testing.T) {
	s := start(t, func(s *setup) {
		s.config.Selector = "scripted"
		embedder := gateway.Timed(unitEmbedder{})
		s.parts.Rules["scripted"] = gateway.Rule{Selector: selectorFunc(func(ctx context.Context, q string, c []rcvae.Candidate) (rcvae.Selection, error) {
			_, err := embedder.Embed(ctx, []rcvae.Text{{Text: q}})
			return rcvae.Selection{Scores: []float64{20, 10, 10, 10}, Entropies: []float64{-100, 1, 2, 3}, Reason: "lowest entropy"}, err
		})}
	})
	s.post(chat, ask("q")).completion(t)
	families, err := s.server.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "rcvae_chosen_entropy_nats" })
	if got := families[i].GetMetric()[0].GetHistogram().GetSampleSum(); math.Abs(got - -100) > 1e-9 {
		t.Errorf("entropy of the chosen candidate: %v nats, want -100", got)
	}
	if got := s.metric("rcvae_embedding_duration_seconds"); got != 1 {
		t.Errorf("%v embeddings were measured, want 1", got)
	}
}

type unitEmbedder struct{}

var _ rcvae.Embedder = unitEmbedder{}

func (unitEmbedder) Embed(_ context.Context, texts []rcvae.Text) ([]rcvae.Embedding, error) {
	out := make([]rcvae.Embedding, len(texts))
	for i := range out {
		out[i] = rcvae.Embedding{1}
	}
	return out, nil
}

func (unitEmbedder) Fingerprint() rcvae.Fingerprint {
	return rcvae.Fingerprint{Name: "unit", Dimension: 1}
}

func TestTracesFollowTheConventions(t *testing.T) {
	s := start(t, func(*setup) {})
	recorder := tracetest.NewSpanRecorder()
	s.server.TraceTo(recorder)
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	s.post(chat, ask("a secret question"), "Traceparent", parent).completion(t)
	var spans []sdktrace.ReadOnlySpan
	eventually(t, "the request's span ends", func() bool { spans = recorder.Ended(); return len(spans) == 6 })
	names := map[string]int{}
	for _, span := range spans {
		names[span.Name()]++
		if span.SpanContext().TraceID().String() != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("span %s is of another trace", span.Name())
		}
		for _, a := range span.Attributes() {
			if strings.Contains(a.Value.String(), "secret") {
				t.Errorf("span %s holds the prompt in %s", span.Name(), a.Key)
			}
		}
	}
	if names["chat scripted"] != 1 || names["candidate"] != 4 || names["select majority"] != 1 {
		t.Errorf("spans %v, want one of the request, four of candidates, one of the selection", names)
	}
	root := spans[slices.IndexFunc(spans, func(s sdktrace.ReadOnlySpan) bool { return s.Name() == "chat scripted" })]
	keys := map[string]bool{}
	for _, a := range root.Attributes() {
		keys[string(a.Key)] = true
	}
	for _, want := range []string{"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.response.finish_reasons"} {
		if !keys[want] {
			t.Errorf("the request's span has no %s", want)
		}
	}
	calls := s.upstream.CallsOf("a secret question")
	if got := calls[0].Header.Get("Traceparent"); !strings.HasPrefix(got, "00-0af7651916cd43dd8448eb211c80319c-") || got == parent {
		t.Errorf("the upstream's traceparent is %q, want a child of the client's", got)
	}
}

func TestLogsHoldNoTextsAndNoKeys(t *testing.T) {
	s := start(t, func(s *setup) {
		s.llm.Key, s.script.Key = "sk-upstream", "sk-upstream"
		s.config.Keys = []edge.Key{edge.NewKey("client-key", "Ann")}
	})
	s.post(chat, ask("a secret question"), "Authorization", "Bearer client-key").completion(t)
	s.post(chat, ask("a secret question"), "Authorization", "Bearer client-key", "X-RCVAE-K", "1").completion(t)
	s.post(chat, ask("a secret question", `"rcvae":{"k":"a secret number"}`), "Authorization", "Bearer client-key")
	s.post(chat, ask("a secret question"), "Authorization", "Bearer wrong-key")
	log := s.log.String()
	if strings.Count(log, "\n") != 4 || !strings.Contains(log, `"client":"Ann"`) {
		t.Errorf("log %q, want a line a request with the client's name", log)
	}
	for _, word := range []string{"secret", "Step by step", "marker", "sk-upstream", "client-key", "wrong-key"} {
		if strings.Contains(log, word) {
			t.Errorf("the log holds %q: %s", word, log)
		}
	}
}

func TestDecisionLog(t *testing.T) {
	for name, withTexts := range map[string]bool{"hashes only": false, "texts": true} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "decisions.sqlite")
			c := gateway.DefaultConfig()
			c.Decisions, c.DecisionTexts = path, withTexts
			s := start(t, func(s *setup) {
				c.K, c.Selector = 4, "majority"
				s.config = c
				s.script.Reply = texts("so 5", "so 7", "so 7", "so 9")
			})
			s.post(chat, ask("a secret question")).completion(t)
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var chosen, returned int
			var hash, scores string
			var text sql.NullString
			eventually(t, "the decision is written", func() bool {
				return db.QueryRow("SELECT chosen, returned, hex(question), scores, texts FROM decision").Scan(&chosen, &returned, &hash, &scores, &text) == nil
			})
			if chosen != 1 || returned != 4 || scores != "[1,2,2,1]" || len(hash) != 64 {
				t.Errorf("decision: candidate %d of %d, scores %s, hash %s", chosen, returned, scores, hash)
			}
			if text.Valid != withTexts || withTexts != strings.Contains(text.String, "a secret question") {
				t.Errorf("texts %q, want them: %v", text.String, withTexts)
			}
		})
	}
	t.Run("a foreign file is refused", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "other.sqlite")
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("CREATE TABLE x (y)"); err != nil {
			t.Fatal(err)
		}
		db.Close()
		before, _ := os.ReadFile(path)
		if err := gateway.OpenDecisionsForTest(path); err == nil || !strings.Contains(err.Error(), "another program") {
			t.Errorf("a foreign file: %v, want an error that says so", err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("the foreign file was changed (%v)", err)
		}
	})
	t.Run("one writer", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "decisions.sqlite")
		start(t, func(s *setup) { s.config.Decisions = path })
		if err := gateway.OpenDecisionsForTest(path); !errors.Is(err, atomicfile.ErrInUse) || !strings.Contains(err.Error(), "rcvae serve") {
			t.Errorf("a second server on one log: %v, want it told who writes", err)
		}
	})
}

func TestThePageLoadsNothing(t *testing.T) {
	s := start(t, func(*setup) {})
	got := s.get("/")
	page := string(got.body)
	if got.status != http.StatusOK || !strings.Contains(page, `"selector":"majority"`) || strings.Contains(page, "SETTINGS") {
		t.Errorf("page: status %d, want it with the server's settings", got.status)
	}
	for _, foreign := range []string{"http://", "https://", "src=", "@import", "url("} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page has %q: it must load nothing", foreign)
		}
	}
	if csp := got.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "http") {
		t.Errorf("content security policy %q, want no host", csp)
	}
}
