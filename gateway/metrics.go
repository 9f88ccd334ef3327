package gateway

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"rcvae/bestof"
	"rcvae/gateway/edge"
	"rcvae/llm"
)

const modeProxy = "proxy" // besides [llm.ModeN] and [llm.ModeFanOut]

// codeList holds the status codes that have a label of their own.
var codeList = []int{200, 400, 401, 403, 404, 405, 408, 413, 415, 422, 429, edge.StatusClientGone, 500, 502, 503, 504}

func codeLabel(status int) string {
	if slices.Contains(codeList, status) {
		return strconv.Itoa(status)
	}
	return "other"
}

// metrics are those of one server, in a registry of its own.
type metrics struct {
	registry *prometheus.Registry

	requests   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	upstream   *prometheus.HistogramVec
	selection  *prometheus.HistogramVec
	embedding  prometheus.Observer
	early      prometheus.Observer
	candidates *prometheus.CounterVec
	drawn      prometheus.Observer
	fallbacks  *prometheus.CounterVec
	rejected   *prometheus.CounterVec
	failures   *prometheus.CounterVec
	tokens     *prometheus.CounterVec
	entropy    prometheus.Observer
	dropped    prometheus.Counter
}

func newMetrics(e *edge.Edge, r *readiness, p Parts) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metric := promauto.With(m.registry)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return metric.NewCounterVec(prometheus.CounterOpts{Name: "rcvae_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return metric.NewHistogramVec(prometheus.HistogramOpts{Name: "rcvae_" + name, Help: help, Buckets: buckets}, labels)
	}
	gauge := func(name, help string, value func() float64) {
		metric.NewGaugeFunc(prometheus.GaugeOpts{Name: "rcvae_" + name, Help: help}, value)
	}
	seconds := prometheus.ExponentialBuckets(0.0005, 2, 19) // 0.5 ms to 131 s
	m.requests = counter("requests_total", "Requests by route and status code.", "route", "code")
	m.duration = histogram("request_duration_seconds", "Time from the request's header to the end of its answer.", seconds, "route")
	m.upstream = histogram("upstream_duration_seconds", "Time of the upstream: a round of candidates, or the header of a forwarded answer.", seconds, "mode")
	m.selection = histogram("selection_duration_seconds", "Time of a selection without its embedding.", seconds, "selector")
	m.embedding = histogram("embedding_duration_seconds", "Time that a selection waits for embeddings.", seconds).WithLabelValues()
	m.early = histogram("early_embedding_duration_seconds", "Time to embed candidates of a request while others are being sampled.", seconds).WithLabelValues()
	m.candidates = counter("candidates_total", "Candidates that were asked for, by what came of them.", "outcome")
	m.drawn = histogram("request_candidates", "Candidates drawn for a request.", []float64{1, 2, 4, 8, 16, 32, 64, 128}).WithLabelValues()
	m.fallbacks = counter("fallbacks_total", "Answers that no rule chose, by reason.", "reason")
	m.rejected = counter("rejections_total", "Requests refused before any work, by reason.", "reason")
	m.failures = counter("upstream_failures_total", "Calls to the upstream that failed, by cause.", "cause")
	m.tokens = counter("tokens_total", "Tokens of all candidates as the upstream counts them; forwarded calls are not counted.", "kind")
	m.entropy = histogram("chosen_entropy_nats", "Posterior entropy of the chosen candidate without its constant, half the sum of log variances.",
		prometheus.LinearBuckets(-400, 25, 25)).WithLabelValues()
	m.dropped = counter("decisions_dropped_total", "Decisions that the log lost because its disk was too slow or failed.").WithLabelValues()
	gauge("queue_waiting", "Requests that wait for their turn.", func() float64 { return float64(e.Waiting()) })
	gauge("requests_active", "Requests under way.", func() float64 { return float64(e.Active()) })
	gauge("request_bytes_held", "Bytes of the bodies of all requests under way or waiting.", func() float64 { return float64(e.HeldBytes()) })
	gauge("ready", "1 while the upstream answers and the gateway is not draining.", r.state)
	metric.NewCounterFunc(prometheus.CounterOpts{
		Name: "rcvae_embedding_cache_faults_total", Help: "Times that the cache of embeddings could not be read or written; the answers were chosen without it.",
	}, func() float64 {
		if p.Cache == nil {
			return 0
		}
		return float64(p.Cache.Faults())
	})
	gauge("embedder_refused", "1 while the embedder computes something else than the models were trained on.", func() float64 {
		if p.Embedder != nil && p.Embedder.Trouble() != "" {
			return 1
		}
		return 0
	})
	for _, kind := range bestof.FallbackKinds() { // so that rates start at zero
		m.fallbacks.WithLabelValues(kind)
	}
	for _, cause := range llm.Causes() {
		m.failures.WithLabelValues(string(cause))
	}
	for _, reason := range edge.Rejections() {
		m.rejected.WithLabelValues(reason)
	}
	return m
}

// served counts a request that has ended.
func (m *metrics) served(x *edge.Exchange) {
	m.requests.WithLabelValues(x.Route, codeLabel(x.Status)).Inc()
	m.duration.WithLabelValues(x.Route).Observe(x.Took.Seconds())
	if x.Rejection != "" {
		m.rejected.WithLabelValues(x.Rejection).Inc()
	}
}

// failed counts calls to the upstream that failed.
func (m *metrics) failed(cause llm.Cause, n int) {
	m.failures.WithLabelValues(string(cause)).Add(float64(n))
}

// drew counts a round of candidates.
func (m *metrics) drew(d llm.Draw, asked int, took time.Duration) {
	m.candidates.WithLabelValues("returned").Add(float64(len(d.Choices)))
	m.candidates.WithLabelValues("failed").Add(float64(max(asked-len(d.Choices), 0)))
	if d.Mode == llm.ModeN || d.Mode == llm.ModeFanOut {
		m.upstream.WithLabelValues(d.Mode).Observe(took.Seconds())
	}
	m.tokens.WithLabelValues("prompt").Add(float64(d.Billed.PromptTokens))
	m.tokens.WithLabelValues("completion").Add(float64(d.Usage.CompletionTokens))
	if len(d.Choices) > 0 { // else the whole request failed, and is counted so
		for cause, n := range d.Failed {
			m.failed(cause, n)
		}
	}
}

// embeddedEarly counts the time in the embedder before a selection.
func (m *metrics) embeddedEarly(took time.Duration) {
	if took > 0 {
		m.early.Observe(took.Seconds())
	}
}

// decided counts a choice.
func (m *metrics) decided(p part) {
	m.drawn.Observe(float64(p.Drawn))
	if p.Kind != "" {
		m.fallbacks.WithLabelValues(p.Kind).Inc()
		return
	}
	if p.embedding > 0 {
		m.embedding.Observe(p.embedding.Seconds())
	}
	m.selection.WithLabelValues(p.call.rule).Observe(max(p.Selection-p.embedding, 0).Seconds())
	if p.Entropy != nil {
		m.entropy.Observe(*p.Entropy)
	}
}
