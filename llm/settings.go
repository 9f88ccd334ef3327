package llm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"rcvae/internal/openaiapi"
)

// QuestionMark is what a template has in place of the question.
const QuestionMark = "{question}"

// Settings say how a [Sampler] draws. All sampling fields are sent, neutral ones too:
// what a server takes for an absent field differs (llama.cpp has top_k 40 and min_p
// 0.05, Ollama a temperature of 1).
type Settings struct {
	Model       string   `json:"model"`          // the server's name of the model
	Chat        bool     `json:"chat"`           // a chat, else a raw completion
	System      string   `json:"system"`         // system prompt of chats; empty: none is sent
	Template    string   `json:"template"`       // of the prompt, with [QuestionMark] in it
	Temperature float64  `json:"temperature"`    // 0: greedy
	TopP        float64  `json:"top_p"`          // 1: neutral
	MinP        float64  `json:"min_p"`          // 0: neutral
	TopK        int      `json:"top_k"`          // 0: neutral
	MaxTokens   int      `json:"max_tokens"`     // of one solution
	Stop        []string `json:"stop,omitempty"` // texts that end a solution
	Seed        int64    `json:"seed"`           // of a question's first candidate; the others count on from there
	LogProbs    bool     `json:"logprobs"`       // ask for log-probabilities
	Omit        []string `json:"omit,omitempty"` // fields that are not sent: the neutral ones of temperature, top_p, top_k and min_p, and seed
}

// DefaultSettings returns the sampling of the paper for chats with the model.
func DefaultSettings(model string) Settings {
	return Settings{
		Model: model, Chat: true, Template: QuestionMark,
		Temperature: 0.7, TopP: 0.9, MaxTokens: 1024, Seed: 1, LogProbs: true,
	}
}

// Validate reports every bad field at once.
func (s Settings) Validate() error {
	var errs []error
	check := func(good bool, format string, args ...any) {
		if !good {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(s.Model != "", "the model's name is empty")
	check(strings.Contains(s.Template, QuestionMark), "the template has no %s in it", QuestionMark)
	check(s.Chat || s.System == "", "raw completions have no system prompt; put it into the template")
	check(s.Temperature >= 0 && s.Temperature <= 10, "temperature is %v, want 0 to 10", s.Temperature)
	check(s.TopP > 0 && s.TopP <= 1, "top_p is %v, want above 0 and at most 1", s.TopP)
	check(s.MinP >= 0 && s.MinP <= 1, "min_p is %v, want 0 to 1", s.MinP)
	check(s.TopK >= 0, "top_k is %d, want at least 0 (0: all tokens)", s.TopK)
	check(s.MaxTokens >= 1, "max_tokens is %d, want at least 1", s.MaxTokens)
	for _, field := range s.Omit {
		neutral, known := s.neutral()[field]
		check(known, "omit names %q, want temperature, top_p, top_k, min_p or seed", field)
		check(!known || neutral, "%s cannot be left out with a value that matters: the server would use another; set temperature to 1, top_p to 1, top_k to 0, min_p to 0", field)
	}
	check(s.Seed >= 0, "seed is %d, want at least 0", s.Seed)
	return errors.Join(errs...)
}

// neutral says for every field that a server may refuse whether its value is the one
// that changes nothing.
func (s Settings) neutral() map[string]bool {
	return map[string]bool{"temperature": s.Temperature == 1, "top_p": s.TopP == 1, "top_k": s.TopK == 0, "min_p": s.MinP == 0, "seed": true}
}

// Greedy returns the settings that take the most likely token each time.
func (s Settings) Greedy() Settings {
	s.Temperature, s.TopP, s.MinP, s.TopK = 0, 1, 0, 0
	return s
}

// Sampler returns the name of the way of drawing: "greedy", "top_k", "top_p", "min_p"
// or "temperature".
func (s Settings) Sampler() string {
	switch {
	case s.Temperature == 0:
		return "greedy"
	case s.TopK > 0:
		return "top_k"
	case s.TopP < 1:
		return "top_p"
	case s.MinP > 0:
		return "min_p"
	}
	return "temperature"
}

// path returns the path of the API that the settings use.
func (s Settings) path() string {
	if s.Chat {
		return ChatPath
	}
	return CompletionPath
}

// body returns a request for the prompt, and the fields of it that a server may refuse:
// neutral values, log-probabilities, and those that have several names.
func (s Settings) body(prompt string) (b openaiapi.Body, optional []string) {
	set := func(key string, value any) {
		if !slices.Contains(s.Omit, key) {
			_ = b.Set(key, value) // texts and the numbers of valid settings always encode
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
	if s.TopK == 0 { // what vLLM, SGLang and llama.cpp take for "all tokens"
		set("top_k", -1)
	} else {
		set("top_k", s.TopK)
	}
	set("max_tokens", s.MaxTokens)
	set("seed", s.Seed)
	if len(s.Stop) > 0 {
		set("stop", s.Stop)
	}
	if s.LogProbs && s.Chat {
		set("logprobs", true)
	} else if s.LogProbs {
		set("logprobs", 1)
	}
	optional = []string{"logprobs", "max_tokens"}
	for field, neutral := range s.neutral() {
		if neutral {
			optional = append(optional, field)
		}
	}
	return b, optional
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
