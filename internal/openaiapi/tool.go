package openaiapi

import (
	"bytes"
	"encoding/json"
)

// ToolCall is one call of a tool that a model asks for: of a function, of a custom tool
// with free text, or of a kind that this package does not know. What was read is
// written as it was.
type ToolCall struct {
	ID       string   `json:"id,omitempty"`
	Type     string   `json:"type,omitempty"` // "function" or "custom"
	Function Function `json:"function,omitzero"`
	Custom   Custom   `json:"custom,omitzero"`
	raw      json.RawMessage
}

// Function is the tool's name and the arguments, JSON as text.
type Function struct {
	Name      string    `json:"name"`
	Arguments Arguments `json:"arguments"`
}

// Custom is the name of a custom tool and its input, any text.
type Custom struct {
	Name  string `json:"name"`
	Input string `json:"input"`
}

// plainCall is a ToolCall without its methods.
type plainCall ToolCall

// UnmarshalJSON implements [json.Unmarshaler].
func (c *ToolCall) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, (*plainCall)(c)); err != nil {
		return err
	}
	c.raw = bytes.Clone(data)
	return nil
}

// MarshalJSON implements [json.Marshaler].
func (c ToolCall) MarshalJSON() ([]byte, error) {
	if c.raw != nil {
		return c.raw, nil
	}
	return json.Marshal(plainCall(c))
}

// Size returns about how many bytes a model wrote for the call.
func (c ToolCall) Size() int {
	return len(c.Function.Name) + len(c.Function.Arguments) + len(c.Custom.Name) + len(c.Custom.Input)
}

// Does returns what the call does as text: the same for calls of the same tool with
// equal arguments, whatever their ids and the order of the arguments' keys.
func (c ToolCall) Does() string {
	var parts []any
	switch {
	case c.Function.Name != "":
		parts = []any{"function", c.Function.Name, c.Function.Arguments.Canonical()}
	case c.Custom.Name != "":
		parts = []any{"custom", c.Custom.Name, c.Custom.Input}
	default:
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(c.raw, &fields) // what is no object has no fields
		delete(fields, "id")
		delete(fields, "index")
		whole, _ := json.Marshal(fields) // it was just decoded
		parts = []any{"other", Arguments(whole).Canonical()}
	}
	text, _ := json.Marshal(parts) // strings always encode
	return string(text)
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
