package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

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
	Events     bool   `json:"events"` // on a stream: an event for each candidate and for the selection
}

// call is a request for a completion.
type call struct {
	path string         // [llm.ChatPath] or [llm.CompletionPath]
	body openaiapi.Body // without the block "rcvae"
	options
	model        string
	rule         string // name of the selection rule
	k, kMin      int    // candidates at most, and in the first round
	n            int    // choices that the client wants
	stream       bool
	includeUsage bool // on a stream
	logProbs     bool // the client asked for them
	question     string
}

func (c *call) chat() bool { return c.path == llm.ChatPath }

// readBody reads a request's body within the limits on its size and time.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(s.config.BodyTimeout)) // a writer without deadlines is a test's
	if r.ContentLength > s.config.MaxBody {
		return nil, s.bodyTooLarge()
	}
	var buffer bytes.Buffer
	if r.ContentLength > 0 {
		buffer.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, s.config.MaxBody))
	switch _, tooLarge := errors.AsType[*http.MaxBytesError](err); {
	case tooLarge:
		return nil, s.bodyTooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		e := errorf(http.StatusRequestTimeout, "the request's body did not arrive within %v", s.config.BodyTimeout)
		e.rejection = rejectedBody
		return nil, e
	case err != nil:
		return nil, errorf(http.StatusBadRequest, "the request's body ends early")
	}
	// The deadline must not stay, or its end would cancel the running request. After an
	// error it does: the server may still wait for the rest of the body.
	_ = control.SetReadDeadline(time.Time{})
	return buffer.Bytes(), nil
}

func (s *Server) bodyTooLarge() error {
	e := errorf(http.StatusRequestEntityTooLarge, "the request has more than %d bytes, which is the limit here", s.config.MaxBody)
	e.rejection = rejectedBody
	return e
}

// parse reads what the gateway must know of a request and checks it.
func (s *Server) parse(path string, header http.Header, data []byte) (*call, error) {
	body, err := openaiapi.ParseBody(data)
	if err != nil {
		return nil, errorf(http.StatusBadRequest, "the request's body: %v", err)
	}
	c := &call{path: path, body: body, n: 1, model: body.Text("model")}
	if err := c.readOptions(); err != nil {
		return nil, err
	}
	if _, err := body.Decode("stream", &c.stream); err != nil {
		return nil, badField("stream", "stream must be true or false")
	}
	if ok, err := body.Decode("n", &c.n); ok && (err != nil || c.n < 1) {
		return nil, badField("n", "n must be a whole number of at least 1")
	}
	if err := s.setK(c, header.Get("X-Rcvae-K")); err != nil {
		return nil, err
	}
	if c.rule = c.Selector; c.rule == "" {
		c.rule = s.config.Selector
	}
	if _, ok := s.parts.Rules[c.rule]; !ok {
		return nil, badField("rcvae.selector", "there is no selector %q here; there are %s", c.rule, strings.Join(s.ruleNames(), ", "))
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
		return badField(blockField, "the field rcvae: %v", err)
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
			return badField("rcvae.k_min", "adaptive k needs k_min and k_max with 2 ≤ k_min ≤ k_max")
		}
		c.kMin, c.k = *c.KMin, *c.KMax
	case c.K != nil:
		c.kMin, c.k = *c.K, *c.K
	case header != "":
		k, err := strconv.Atoi(header)
		if err != nil {
			return badField("X-RCVAE-K", "the header X-RCVAE-K must be a whole number")
		}
		c.kMin, c.k = k, k
	case s.config.KMin > 0:
		c.kMin, c.k = s.config.KMin, s.config.KMax
	default:
		c.kMin, c.k = s.config.K, s.config.K
	}
	if c.k < 1 || c.k > s.config.MaxK {
		return badField("rcvae.k", "k is %d, want 1 to %d", c.k, s.config.MaxK)
	}
	if c.k == 1 { // a plain proxy, whatever n is
		return nil
	}
	if c.n > s.config.MaxK {
		return badField("n", "n is %d, the limit here is %d", c.n, s.config.MaxK)
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
		return badField("stream_options", "stream_options must be an object")
	}
	c.includeUsage = stream.IncludeUsage
	raw, _ := c.body.Get("logprobs")
	c.logProbs = c.body.Has("logprobs") && string(raw) != "false"
	var ok bool
	if c.chat() {
		c.question, ok = lastQuestion(c.body)
	} else {
		c.question, ok = prompt(c.body)
	}
	if !ok && c.chat() {
		return badField("messages", "messages must be a list of messages")
	} else if !ok {
		return badField("prompt", "selection needs one prompt that is text; send the others apart, or set rcvae.k to 1")
	}
	return nil
}

// lastQuestion returns the text of the last message of the user; "" if there is none.
func lastQuestion(body openaiapi.Body) (string, bool) {
	var messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	if ok, err := body.Decode("messages", &messages); !ok || err != nil {
		return "", false
	}
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role == "user" {
			return textOf(messages[i].Content), true
		}
	}
	return "", true
}

// textOf returns a content's text: a string, or the text parts of a list; images and
// other parts are skipped.
func textOf(content json.RawMessage) string {
	var text string
	if json.Unmarshal(content, &text) == nil {
		return text
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	_ = json.Unmarshal(content, &parts) // another form has no text
	var texts []string
	for _, part := range parts {
		if part.Text != "" {
			texts = append(texts, part.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// prompt returns the prompt of a raw completion: a string, or a list of one.
func prompt(body openaiapi.Body) (string, bool) {
	raw, _ := body.Get("prompt")
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil || len(list) != 1 {
		return "", false
	}
	return list[0], true
}
