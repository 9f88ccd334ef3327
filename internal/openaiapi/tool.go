package openaiapi

import (
	"bytes"
	"encoding/json"
)

// ToolCall is one call of a tool that a model asks for.
type ToolCall struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"` // "function"
	Function Function `json:"function"`
}

// Function is the tool's name and the arguments, JSON as text.
type Function struct {
	Name      string    `json:"name"`
	Arguments Arguments `json:"arguments"`
}

// Arguments are JSON as a string, as models write it; it need not be valid. Servers
// that send an object instead are understood too.
type Arguments string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *Arguments) UnmarshalJSON(data []byte) error {
	var text string
	if data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	} else if !bytes.Equal(data, []byte("null")) {
		text = string(data)
	}
	*a = Arguments(text)
	return nil
}

// Canonical returns the arguments with sorted keys and without spaces, so that
// equal arguments have equal text; arguments that are not JSON come back as they are.
func (a Arguments) Canonical() string {
	decoder := json.NewDecoder(bytes.NewReader([]byte(a)))
	decoder.UseNumber() // a float64 would merge different large integers
	var value any
	if decoder.Decode(&value) != nil || decoder.More() {
		return string(a)
	}
	text, err := encode(value)
	if err != nil {
		return string(a)
	}
	return string(text)
}
