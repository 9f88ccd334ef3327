package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime/debug"

	"golang.org/x/sync/errgroup"

	"rcvae/bestof"
	"rcvae/gateway/edge"
	"rcvae/internal/openaiapi"
)

// maxPrompts bounds the prompts of one raw completion.
const maxPrompts = 256

// readPrompts reads the prompts of a raw completion: a text, a list of texts, the
// token ids of one prompt, or a list of such lists. Token ids have no text for the
// selection's question.
func (c *call) readPrompts() error {
	raw, _ := c.body.Get("prompt")
	if json.Unmarshal(raw, &c.question) == nil && len(raw) > 0 && raw[0] == '"' {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 || len(list) > maxPrompts {
		return edge.BadField("prompt", "prompt must be a text, a list of at most %d texts, or token ids", maxPrompts)
	}
	var ids []int
	if json.Unmarshal(raw, &ids) == nil {
		return nil
	}
	for _, prompt := range list {
		var text string
		if json.Unmarshal(prompt, &text) != nil && json.Unmarshal(prompt, &ids) != nil {
			return edge.BadField("prompt", "prompt must hold texts or lists of token ids")
		}
		c.prompts = append(c.prompts, prompt)
		c.question = text
	}
	if len(c.prompts) == 1 {
		c.prompts = nil
		return nil
	}
	if c.Events {
		return edge.BadField("rcvae.events", "events need a request with one prompt")
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

// answerParts draws and chooses for each prompt, all at once. When one fails, or panics,
// the request fails.
func (s *Server) answerParts(ctx context.Context, c *call, arrivals chan<- bestof.Arrival) ([]part, error) {
	calls := []*call{c}
	if len(c.prompts) > 0 {
		calls = nil
		for _, prompt := range c.prompts {
			calls = append(calls, c.single(prompt))
		}
	}
	parts := make([]part, len(calls))
	group, all := errgroup.WithContext(ctx)
	for i, call := range calls {
		group.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					s.logPanic(p, debug.Stack())
					err = edge.Errorf(http.StatusInternalServerError, "the gateway has a bug; its log has more")
				}
			}()
			parts[i], err = s.answerOne(all, call, arrivals)
			return err
		})
	}
	switch err := group.Wait(); {
	case ctx.Err() != nil:
		return nil, edge.ErrClientGone
	case err != nil:
		return nil, err
	}
	return parts, nil
}

// usageOf returns what the client sees: each prompt once, the tokens of all candidates.
func usageOf(parts []part) (sum openaiapi.Usage) {
	for _, p := range parts {
		sum = sum.Add(p.draw.Usage)
	}
	return sum
}

// setBlock puts the block of one prompt, or a list of blocks for several, into a body.
func setBlock(body *openaiapi.Body, parts []part) error {
	if len(parts) == 1 {
		return body.Set(blockField, parts[0].block())
	}
	blocks := make([]block, len(parts))
	for i := range parts {
		blocks[i] = parts[i].block()
	}
	return body.Set(blockField, map[string]any{"k": parts[0].call.k, "selector": blocks[0].Selector, "prompts": blocks})
}
