package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
)

// post is a post-processor of a tokenizer.json.
type post struct {
	Type       string            `json:"type"`
	Processors []json.RawMessage `json:"processors"`
	Single     []struct {
		SpecialToken *struct {
			ID string `json:"id"`
		}
		Sequence *struct {
			ID string `json:"id"`
		}
	} `json:"single"`
	Special map[string]struct {
		IDs []int32 `json:"ids"`
	} `json:"special_tokens"`
	Begin json.RawMessage `json:"cls"` // ["<s>", 0]
	End   json.RawMessage `json:"sep"`
}

// readTemplate returns what a post-processor puts around a single text.
func readTemplate(raw json.RawMessage, depth int) (Template, error) {
	var t Template
	if isNull(raw) {
		return t, nil
	}
	var p post
	if err := json.Unmarshal(raw, &p); err != nil {
		return t, fmt.Errorf("post_processor: %w", err)
	}
	if depth > maxSteps || len(p.Processors) > maxSteps {
		return t, errTooDeep
	}
	switch p.Type {
	case "ByteLevel": // moves offsets alone
		return t, nil
	case "Sequence":
		return p.sequence(depth)
	case "TemplateProcessing":
		return p.template()
	case "BertProcessing", "RobertaProcessing":
		begin, err := pairID(p.Begin)
		if err != nil {
			return t, err
		}
		end, err := pairID(p.End)
		return Template{Prefix: []int32{begin}, Suffix: []int32{end}}, err
	}
	return t, fmt.Errorf("post_processor: type %q is not supported", p.Type)
}

func (p *post) sequence(depth int) (Template, error) {
	var t Template
	for _, inner := range p.Processors {
		next, err := readTemplate(inner, depth+1)
		if err != nil {
			return t, err
		}
		t.Prefix, t.Suffix = append(next.Prefix, t.Prefix...), append(t.Suffix, next.Suffix...)
	}
	return t, nil
}

func (p *post) template() (Template, error) {
	var t Template
	seen := false
	for _, item := range p.Single {
		switch {
		case item.Sequence != nil && !seen:
			seen = true
		case item.SpecialToken != nil:
			special, ok := p.Special[item.SpecialToken.ID]
			if !ok {
				return t, fmt.Errorf("post_processor: the template's token %q has no ids", item.SpecialToken.ID)
			}
			if seen {
				t.Suffix = append(t.Suffix, special.IDs...)
			} else {
				t.Prefix = append(t.Prefix, special.IDs...)
			}
		default:
			return t, errors.New("post_processor: a template is tokens and one text")
		}
	}
	if !seen || len(t.Prefix)+len(t.Suffix) > maxSteps {
		return t, errors.New("post_processor: a template is tokens and one text")
	}
	for _, ids := range [][]int32{t.Prefix, t.Suffix} {
		for _, id := range ids {
			if id < 0 || id >= maxTokens {
				return t, fmt.Errorf("post_processor: the template has the id %d", id)
			}
		}
	}
	return t, nil
}

// pairID reads the id of ["token", id].
func pairID(raw json.RawMessage) (int32, error) {
	var pair []json.RawMessage
	var id int32
	if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 || json.Unmarshal(pair[1], &id) != nil || id < 0 || id >= maxTokens {
		return 0, errors.New("post_processor: cls and sep are a token and its id each")
	}
	return id, nil
}
