package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
	"rcvae/llm"
)

// blockField is the field of a request, and of an answer, that is ours.
const blockField = "rcvae"

// options are the fields of the block "rcvae" in a request.
type options struct {
	K          *int   `json:"k"`
	KMin       *int   `json:"k_min"`
	KMax       *int   `json:"k_max"`
	Selector   string `json:"selector"`
	Candidates bool   `json:"return_candidates"`
	Explain    bool   `json:"explain"` // the candidates with their equations and signals
	Events     bool   `json:"events"`  // on a stream: an event for each candidate and for the selection
}

// call is a request for a completion.
type call struct {
	path   string         // [llm.ChatPath] or [llm.CompletionPath]
	query  string         // of the client's URL
	header http.Header    // that goes to the upstream
	body   openaiapi.Body // without the block "rcvae"
	options
	model        string
	rule         string // name of the selection rule
	k, kMin      int    // candidates at most, and in the first round
	n            int    // choices that the client wants
	stream       bool
	includeUsage bool // on a stream
	logProbs     bool // the client asked for them
	greedy       bool // all candidates would be the same
	question     string
	prompts      []json.RawMessage // of a raw completion with several; else nil
}

func (c *call) chat() bool { return c.path == llm.ChatPath }

// parse reads what the gateway must know of a request and checks it.
func (s *Server) parse(path string, r *http.Request, data []byte) (*call, error) {
	body, err := openaiapi.ParseBody(data)
	if err != nil {
		return nil, edge.Errorf(http.StatusBadRequest, "the request's body: %v", err)
	}
	if deployment := r.PathValue("deployment"); deployment != "" && !body.Has("model") {
		body = body.Clone()
		if err := body.Set("model", deployment); err != nil {
			return nil, err
		}
	}
	c := &call{path: path, query: r.URL.RawQuery, body: body, n: 1, model: body.Text("model")}
	if err := c.readOptions(); err != nil {
		return nil, err
	}
	if _, err := body.Decode("stream", &c.stream); err != nil {
		return nil, edge.BadField("stream", "stream must be true or false")
	}
	if ok, err := body.Decode("n", &c.n); ok && (err != nil || c.n < 1) {
		return nil, edge.BadField("n", "n must be a whole number of at least 1")
	}
	if err := s.setK(c, r.Header.Get("X-Rcvae-K")); err != nil {
		return nil, err
	}
	if c.rule = c.Selector; c.rule == "" {
		c.rule = s.config.Selector
	}
	if _, ok := s.parts.Rules[c.rule]; !ok {
		return nil, edge.BadField("rcvae.selector", "there is no selector %q here; there are %s", c.rule, strings.Join(s.parts.ruleNames(), ", "))
	}
	if c.k == 1 {
		return c, nil
	}
	return c, c.readContent()
}

// readOptions takes the block "rcvae" out of the body.
func (c *call) readOptions() error {
	raw, ok := c.body.Get(blockField)
	if !ok {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c.options); err != nil {
		return edge.BadField(blockField, "the field rcvae: %v", err)
	}
	c.body = c.body.Clone()
	c.body.Delete(blockField)
	return nil
}

// setK decides how many candidates are drawn: the body's number before the header's
// before the server's. A number switches adaptive drawing off, limits switch it on.
func (s *Server) setK(c *call, header string) error {
	switch {
	case c.KMin != nil || c.KMax != nil:
		if c.KMin == nil || c.KMax == nil || *c.KMin < 2 || *c.KMax < *c.KMin {
			return edge.BadField("rcvae.k_min", "adaptive k needs k_min and k_max with 2 ≤ k_min ≤ k_max")
		}
		c.kMin, c.k = *c.KMin, *c.KMax
	case c.K != nil:
		c.kMin, c.k = *c.K, *c.K
	case header != "":
		k, err := strconv.Atoi(header)
		if err != nil {
			return edge.BadField("X-RCVAE-K", "the header X-RCVAE-K must be a whole number")
		}
		c.kMin, c.k = k, k
	case s.config.KMin > 0:
		c.kMin, c.k = s.config.KMin, s.config.KMax
	default:
		c.kMin, c.k = s.config.K, s.config.K
	}
	if c.k < 1 || c.k > s.config.MaxK {
		return edge.BadField("rcvae.k", "k is %d, want 1 to %d", c.k, s.config.MaxK)
	}
	if c.k == 1 { // a plain proxy, whatever n is
		return nil
	}
	if c.n > s.config.MaxK {
		return edge.BadField("n", "n is %d, the limit here is %d", c.n, s.config.MaxK)
	}
	c.k, c.kMin = max(c.k, c.n), max(c.kMin, c.n)
	return nil
}

// readContent reads what only matters when several candidates are drawn.
func (c *call) readContent() error {
	var stream struct {
		IncludeUsage bool `json:"include_usage"`
	}
	if _, err := c.body.Decode("stream_options", &stream); err != nil {
		return edge.BadField("stream_options", "stream_options must be an object")
	}
	c.includeUsage = stream.IncludeUsage
	raw, _ := c.body.Get("logprobs")
	c.logProbs = c.body.Has("logprobs") && string(raw) != "false"
	c.greedy = greedy(c.body)
	if !c.chat() {
		return c.readPrompts()
	}
	var ok bool
	if c.question, ok = lastQuestion(c.body); !ok {
		return edge.BadField("messages", "messages must be a list of messages")
	}
	return nil
}

// greedy reports whether a request takes the most likely token each time.
func greedy(body openaiapi.Body) bool {
	var temperature, topK float64 = 1, 0
	_, terr := body.Decode("temperature", &temperature)
	_, kerr := body.Decode("top_k", &topK)
	return terr == nil && temperature == 0 || kerr == nil && topK == 1
}

// lastQuestion returns the text of the last message of the user; "" if there is none.
func lastQuestion(body openaiapi.Body) (string, bool) {
	messages := body.List("messages")
	for i := len(messages) - 1; i >= 0; i-- {
		message, err := openaiapi.ParseBody(messages[i])
		if err != nil {
			return "", false
		}
		if message.Text("role") == "user" {
			content, _ := message.Get("content")
			texts, _ := openaiapi.ContentTexts(content) // another form has no text
			return strings.Join(texts, "\n"), true
		}
	}
	return "", len(messages) > 0
}

// readPrompts reads the prompts of a raw completion. Token ids have no text for the
// selection's question.
func (c *call) readPrompts() error {
	prompts, err := promptsOf(c.body)
	switch {
	case err != nil:
		return err
	case len(prompts) == 1:
		_ = json.Unmarshal(prompts[0], &c.question)
	case c.Events:
		return edge.BadField("rcvae.events", "events need a request with one prompt")
	default:
		c.prompts = prompts
	}
	return nil
}

// single returns the call for one prompt of several.
func (c *call) single(prompt json.RawMessage) *call {
	one := *c
	one.prompts, one.question = nil, ""
	_ = json.Unmarshal(prompt, &one.question) // token ids have no text
	one.body = c.body.Clone()
	one.body.SetRaw("prompt", prompt)
	return &one
}
