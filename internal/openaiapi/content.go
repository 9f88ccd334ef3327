package openaiapi

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// ContentTexts returns the texts of a message's content, which is a string, null, or a list
// of parts. Images and other parts have none. With an error come the texts that could be
// read.
func ContentTexts(raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	if raw[0] == '"' {
		var text string
		err := json.Unmarshal(raw, &text)
		return []string{text}, err
	}
	var parts []struct {
		Text string `json:"text"`
	}
	err := json.Unmarshal(raw, &parts)
	if err != nil {
		err = fmt.Errorf("message content: %w", err)
	}
	var texts []string
	for _, part := range parts {
		if part.Text != "" {
			texts = append(texts, part.Text)
		}
	}
	return texts, err
}
