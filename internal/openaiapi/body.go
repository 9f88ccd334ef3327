// Package openaiapi holds the wire of OpenAI-compatible servers as data: request
// and response bodies whose unknown fields survive, usage, tool calls, the error
// envelope and server-sent events. It opens no connection.
package openaiapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// maxFields is the largest number of fields of one body. It bounds the search for
// duplicates; the widest request of a real client has about forty.
const maxFields = 256

// Body is a JSON object. Its fields keep their order and their values the exact
// bytes that were read; a body that was not changed keeps all its bytes. The zero
// value is an empty object. Copies share their fields: change a [Body.Clone].
type Body struct {
	raw    []byte // what was parsed; nil once changed
	fields []field
}

type field struct {
	key   string
	value json.RawMessage
}

// ParseBody reads a JSON object. A field that occurs twice is an error: two readers
// of such a body could disagree about it. The body keeps data, of which its values are
// parts, and which must not be changed afterwards.
func ParseBody(data []byte) (Body, error) {
	if !json.Valid(data) {
		return Body{}, explain(data)
	}
	data = bytes.TrimSpace(data)
	if data[0] != '{' {
		return Body{}, errors.New("a JSON object is expected")
	}
	b := Body{raw: data}
	for rest := skip(data[1:], ","); rest[0] != '}'; rest = skip(rest, ",") {
		var name string
		end := valueEnd(rest)
		if err := json.Unmarshal(rest[:end], &name); err != nil { // a key is a string: it is valid JSON
			return Body{}, err
		}
		rest = skip(rest[end:], ":")
		if b.index(name) >= 0 {
			return Body{}, fmt.Errorf("field %q occurs twice", name)
		}
		if len(b.fields) == maxFields {
			return Body{}, fmt.Errorf("more than %d fields in one object", maxFields)
		}
		end = valueEnd(rest)
		b.fields = append(b.fields, field{name, json.RawMessage(rest[:end:end])})
		rest = rest[end:]
	}
	return b, nil
}

// List returns the elements of a field that is a list, and nil for any other. They must
// not be changed.
func (b Body) List(key string) (elements []json.RawMessage) {
	text, _ := b.Get(key)
	if len(text) == 0 || text[0] != '[' {
		return nil
	}
	for rest := skip(text[1:], ","); rest[0] != ']'; rest = skip(rest, ",") {
		end := valueEnd(rest)
		elements = append(elements, json.RawMessage(rest[:end:end]))
		rest = rest[end:]
	}
	return elements
}

// skip leaves out white space and a separator before what follows in valid JSON.
func skip(text []byte, separator string) []byte { return bytes.TrimLeft(text, " \t\r\n"+separator) }

// valueEnd returns where the value ends that valid JSON begins with.
func valueEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 { // of what holds a number or a word
				return i
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// explain says why a text is not JSON.
func explain(data []byte) error {
	err := json.Unmarshal(data, new(json.RawMessage))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && syntax.Offset == int64(len(data)) && strings.Contains(err.Error(), "end of JSON") {
		return fmt.Errorf("the JSON object is cut off: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("not JSON: %w", err)
}

func (b Body) index(key string) int {
	return slices.IndexFunc(b.fields, func(f field) bool { return f.key == key })
}

// Len returns the number of fields.
func (b Body) Len() int { return len(b.fields) }

// Get returns the bytes of a field's value. They must not be changed.
func (b Body) Get(key string) (json.RawMessage, bool) {
	if i := b.index(key); i >= 0 {
		return b.fields[i].value, true
	}
	return nil, false
}

// Has reports whether the field is there and not null.
func (b Body) Has(key string) bool {
	value, ok := b.Get(key)
	return ok && !bytes.Equal(value, []byte("null"))
}

// Decode decodes a field into target and reports whether it was there and not null.
func (b Body) Decode(key string, target any) (bool, error) {
	if !b.Has(key) {
		return false, nil
	}
	value, _ := b.Get(key)
	if err := json.Unmarshal(value, target); err != nil {
		return true, fmt.Errorf("field %q: %w", key, err)
	}
	return true, nil
}

// Text returns a field that is a string, and "" for any other.
func (b Body) Text(key string) string {
	var text string
	if ok, err := b.Decode(key, &text); !ok || err != nil {
		return ""
	}
	return text
}

// All yields the fields in their order.
func (b Body) All() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for _, f := range b.fields {
			if !yield(f.key, f.value) {
				return
			}
		}
	}
}

// Set encodes value as the field's new value. A new field comes last.
func (b *Body) Set(key string, value any) error {
	raw, err := encode(value)
	if err != nil {
		return fmt.Errorf("field %q: %w", key, err)
	}
	b.SetRaw(key, raw)
	return nil
}

// SetRaw puts raw, which must be JSON, as it is. A new field comes last.
func (b *Body) SetRaw(key string, raw json.RawMessage) {
	b.raw = nil
	if i := b.index(key); i >= 0 {
		b.fields[i].value = raw
		return
	}
	b.fields = append(b.fields, field{key, raw})
}

// SetList puts a list of elements, which must be JSON, as they are. A new field comes last.
func (b *Body) SetList(key string, elements []json.RawMessage) {
	list := []byte{'['}
	for i, element := range elements {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, element...)
	}
	b.SetRaw(key, append(list, ']'))
}

// Delete removes a field and reports whether it was there.
func (b *Body) Delete(key string) bool {
	i := b.index(key)
	if i < 0 {
		return false
	}
	b.raw = nil
	b.fields = slices.Delete(b.fields, i, i+1)
	return true
}

// Clone returns a copy that can be changed alone.
func (b Body) Clone() Body { return Body{b.raw, slices.Clone(b.fields)} }

// Bytes returns the JSON object: what was parsed if nothing was changed.
func (b Body) Bytes() []byte {
	if b.raw != nil {
		return b.raw
	}
	return bytes.Join(b.Pieces(), nil)
}

// Pieces returns the JSON object in pieces: large values are not copied. The pieces must
// not be changed.
func (b Body) Pieces() [][]byte {
	if b.raw != nil {
		return [][]byte{b.raw}
	}
	pieces := [][]byte{{'{'}}
	for i, f := range b.fields {
		key, _ := encode(f.key) // a string always encodes
		if i > 0 {
			key = append([]byte{','}, key...)
		}
		pieces = append(pieces, append(key, ':'), f.value)
	}
	return append(pieces, []byte{'}'})
}

// encode is json.Marshal without the escapes for HTML.
func encode(value any) (json.RawMessage, error) {
	if raw, ok := value.(json.RawMessage); ok {
		return raw, nil
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}
