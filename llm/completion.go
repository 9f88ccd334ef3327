package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"rcvae/internal/openaiapi"
)

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
	body, err := openaiapi.ParseBody(data)
	if err != nil {
		return completion{}, fmt.Errorf("the answer is not a completion: %w", err)
	}
	if body.Has("error") { // some servers send it with status 200
		return completion{}, errors.New(openaiapi.ParseError(500, data).Message)
	}
	var raws []json.RawMessage
	if _, err := body.Decode("choices", &raws); err != nil {
		return completion{}, fmt.Errorf("the answer is not a completion: %w", err)
	}
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
		text, err := contentText(m.Content)
		if err != nil {
			return err
		}
		choice.Text, choice.ToolCalls = text, m.ToolCalls
		weight = len(text) + len(m.ReasoningContent) + len(m.Reasoning)
		for _, call := range m.ToolCalls {
			weight += len(call.Function.Name) + len(call.Function.Arguments)
		}
	}
	logProbs := wire.LogProbs.values()
	choice.LogProb = sumLogProbs(logProbs)
	c.choices = append(c.choices, choice)
	c.weights = append(c.weights, weight)
	c.measured = append(c.measured, len(logProbs))
	return nil
}

// contentText returns a message's text, which is a string, null, or a list of parts.
func contentText(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return "", nil
	}
	if raw[0] == '"' {
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return "", fmt.Errorf("message content: %w", err)
	}
	var text strings.Builder
	for _, part := range parts {
		text.WriteString(part.Text)
	}
	return text.String(), nil
}
