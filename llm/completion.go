package llm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"rcvae/internal/openaiapi"
)

// ErrStream says that a server answers with a stream of events to whoever did not ask
// for one.
var ErrStream = errors.New("the answer is a stream of events, which was not asked for")

// errInAnswer says that an answer is an error: some servers send it with status 200.
var errInAnswer = errors.New("the answer is an error")

// completion is one response of a server.
type completion struct {
	envelope openaiapi.Body // without choices and usage
	choices  []Choice
	usage    openaiapi.Usage
	weights  []int // bytes that each choice's tokens spell, reasoning and tool calls included
	measured []int // tokens of each choice by its log-probabilities; 0 without them
}

// parseCompletion reads a response. A response without choices is an error.
func parseCompletion(data []byte) (completion, error) {
	if bytes.HasPrefix(bytes.TrimLeft(data, "\r\n"), []byte("data:")) {
		return completion{}, ErrStream
	}
	body, err := openaiapi.ParseBody(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))) // some servers begin with a byte order mark
	if err != nil {
		return completion{}, fmt.Errorf("the answer is not a completion: %w", err)
	}
	if body.Has("error") {
		return completion{}, errInAnswer
	}
	raws := body.List("choices")
	if len(raws) == 0 {
		return completion{}, errors.New("the answer has no choices")
	}
	usage, _ := body.Get("usage")
	c := completion{envelope: body, usage: openaiapi.ParseUsage(usage)}
	c.envelope.Delete("choices")
	c.envelope.Delete("usage")
	for i, raw := range raws {
		if err := c.add(raw); err != nil {
			return completion{}, fmt.Errorf("choice %d of the answer: %w", i+1, err)
		}
	}
	return c, nil
}

// wireChoice is a choice of a chat or of a raw completion.
type wireChoice struct {
	Text    string `json:"text"`
	Message *struct {
		Content          json.RawMessage      `json:"content"`
		ReasoningContent string               `json:"reasoning_content"`
		Reasoning        string               `json:"reasoning"`
		ToolCalls        []openaiapi.ToolCall `json:"tool_calls"`
		FunctionCall     openaiapi.Function   `json:"function_call"`
	} `json:"message"`
	Finish   string        `json:"finish_reason"`
	LogProbs *wireLogProbs `json:"logprobs"`
}

func (c *completion) add(raw json.RawMessage) error {
	var wire wireChoice
	if err := json.Unmarshal(raw, &wire); err != nil {
		return err
	}
	choice := Choice{Raw: raw, Text: wire.Text, Finish: wire.Finish}
	weight := len(wire.Text)
	if m := wire.Message; m != nil {
		texts, err := openaiapi.ContentTexts(m.Content)
		if err != nil {
			return err
		}
		choice.Text, choice.ToolCalls = strings.Join(texts, ""), m.ToolCalls
		if m.FunctionCall.Name != "" {
			choice.ToolCalls = append(choice.ToolCalls, openaiapi.ToolCall{Type: "function", Function: m.FunctionCall})
		}
		choice.Reasoning = cmp.Or(m.ReasoningContent, m.Reasoning)
		weight = len(choice.Text) + len(choice.Reasoning)
		for _, call := range choice.ToolCalls {
			weight += call.Size()
		}
	}
	logProbs := wire.LogProbs.values()
	choice.LogProb = sumLogProbs(logProbs)
	c.choices = append(c.choices, choice)
	c.weights = append(c.weights, weight)
	c.measured = append(c.measured, len(logProbs))
	return nil
}
