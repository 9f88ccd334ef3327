package gateway

import (
	"encoding/json"

	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
)

// maxPrompts bounds the prompts of one raw completion.
const maxPrompts = 256

// promptsOf returns the prompts of a raw completion, which has a text, a list of texts,
// the token ids of one prompt, or a list of such lists.
func promptsOf(body openaiapi.Body) ([]json.RawMessage, error) {
	raw, _ := body.Get("prompt")
	if isPrompt(raw) {
		return []json.RawMessage{raw}, nil
	}
	list := body.List("prompt")
	if len(list) == 0 || len(list) > maxPrompts {
		return nil, edge.BadField("prompt", "prompt must be a text, a list of at most %d texts, or token ids", maxPrompts)
	}
	for _, prompt := range list {
		if !isPrompt(prompt) {
			return nil, edge.BadField("prompt", "prompt must hold texts or lists of token ids")
		}
	}
	return list, nil
}

func isPrompt(raw json.RawMessage) bool {
	var text *string
	var ids []int
	return json.Unmarshal(raw, &text) == nil && text != nil || json.Unmarshal(raw, &ids) == nil && len(ids) > 0
}
