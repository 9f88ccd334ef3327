package llm

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"rcvae/internal/openaiapi"
)

// dialect is how the optional fields are written for a server. It starts with what
// most servers take and learns from refusals.
type dialect struct {
	mu       sync.Mutex
	topKAll  int    // what top_k is when all tokens are allowed
	maxField string // name of the token limit
	dropped  []string
}

func newDialect() *dialect {
	// −1 is what vLLM, SGLang and llama.cpp take for "all tokens"; llama-cpp-python
	// wants 0, which SGLang refuses.
	return &dialect{topKAll: -1, maxField: "max_tokens"}
}

// body returns a request for the prompt.
func (d *dialect) body(s Settings, prompt string) (openaiapi.Body, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b openaiapi.Body
	var errs []error
	set := func(key string, value any) {
		if !slices.Contains(d.dropped, key) {
			errs = append(errs, b.Set(key, value))
		}
	}
	set("model", s.Model)
	if s.Chat {
		set("messages", messages(s.System, prompt))
	} else {
		set("prompt", prompt)
	}
	set("temperature", s.Temperature)
	set("top_p", s.TopP)
	set("min_p", s.MinP)
	topK := s.TopK
	if topK == 0 {
		topK = d.topKAll
	}
	set("top_k", topK)
	set(d.maxField, s.MaxTokens)
	if len(s.Stop) > 0 {
		set("stop", s.Stop)
	}
	if s.LogProbs && s.Chat {
		set("logprobs", true)
	} else if s.LogProbs {
		set("logprobs", 1)
	}
	return b, errors.Join(errs...)
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func messages(system, prompt string) []message {
	if system == "" {
		return []message{{"user", prompt}}
	}
	return []message{{"system", system}, {"user", prompt}}
}

// learn changes the dialect after a refusal of what it wrote, and reports whether
// the request is worth another try. A setting that matters is never dropped: then the
// error says which flag to leave out.
func (d *dialect) learn(s Settings, sent openaiapi.Body, refusal *StatusError) (again bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if refusal.rejects("max_completion_tokens") && sent.Has("max_tokens") {
		d.maxField = "max_completion_tokens"
		return true, nil
	}
	for _, field := range []struct {
		name    string
		neutral bool
	}{{"top_k", s.TopK == 0}, {"min_p", s.MinP == 0}, {"logprobs", true}} {
		if !sent.Has(field.name) || !refusal.rejects(field.name) {
			continue
		}
		if !field.neutral {
			return false, fmt.Errorf("the server does not take %s; draw without it: %w", field.name, refusal)
		}
		if value, _ := sent.Get("top_k"); field.name == "top_k" && string(value) == "-1" && d.topKAll == -1 {
			d.topKAll = 0
		} else if !slices.Contains(d.dropped, field.name) && d.current(sent, field.name) {
			d.dropped = append(d.dropped, field.name)
		}
		return true, nil
	}
	return false, nil
}

// current reports whether the dialect would still write the field as it was sent: a
// refusal of an older form teaches nothing more.
func (d *dialect) current(sent openaiapi.Body, field string) bool {
	value, _ := sent.Get(field)
	return field != "top_k" || string(value) == fmt.Sprint(d.topKAll)
}

// left returns the fields that are not sent.
func (d *dialect) left() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(slices.Values(d.dropped))
}
