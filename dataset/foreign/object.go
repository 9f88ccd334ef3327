package foreign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rcvae"
)

// maxDepth is how deep the values of a record may be nested.
const maxDepth = 100

// object is one record, decoded: objects, arrays, strings, [json.Number] and booleans.
type object struct {
	tree  map[string]any
	names map[string][]string // where the fields of a pool are
	inner map[string][]string // the same, in a candidate that is an object
	used  map[string]bool     // fields of the tree that were read
}

// parse decodes a record, which is valid JSON.
func (im *importer) parse(text []byte) (*object, error) {
	if !shallow(text) {
		return nil, fmt.Errorf("the record is nested more than %d deep", maxDepth)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	o := &object{names: im.names, inner: im.inner, used: map[string]bool{}}
	if err := decoder.Decode(&o.tree); err != nil || o.tree == nil {
		return nil, errors.New("a JSON object is expected here")
	}
	return o, nil
}

// shallow reports whether JSON is nested no deeper than maxDepth.
func shallow(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return true
}

// get returns the value of a pool's field, or nil where the record does not have it.
func (o *object) get(field string) any {
	for _, path := range o.names[field] {
		if value := o.at(path); value != nil {
			return value
		}
	}
	return nil
}

// at returns the value at a path, or nil.
func (o *object) at(path string) any {
	value := at(o.tree, path)
	if value != nil {
		name, _, _ := strings.Cut(path, ".")
		o.used[name], o.used[path] = true, true
	}
	return value
}

func at(value any, path string) any {
	for path != "" {
		var name string
		switch v := value.(type) {
		case map[string]any:
			if whole, ok := v[path]; ok { // a name with dots in it
				return whole
			}
			name, path, _ = strings.Cut(path, ".")
			value = v[name]
		case []any:
			name, path, _ = strings.Cut(path, ".")
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// text returns the value of a field as text.
func (o *object) text(field string) string { return textOf(o.get(field)) }

// textOf returns the text of a value: a string, a number, the last message of the user
// in a conversation, the text parts of a message, or the first element of a list.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		for _, name := range []string{"content", "text", "value"} {
			if v[name] != nil {
				return textOf(v[name])
			}
		}
	case []any:
		return textOfList(v)
	}
	return ""
}

func textOfList(list []any) string {
	var parts []string
	for _, element := range slices.Backward(list) {
		m, ok := element.(map[string]any)
		switch {
		case !ok:
			return textOf(list[0])
		case m["role"] == "user":
			return textOf(m["content"])
		case m["role"] == nil && m["text"] != nil: // a part; one of reasoning has no text
			parts = append(parts, textOf(m["text"]))
		}
	}
	slices.Reverse(parts)
	return strings.Join(parts, "")
}

// poolNames are the fields of pools, which unknown fields must not be taken for.
var poolNames = []string{
	"id", "unique_id", "question", "problem", "solution", "answer", "subject", "level", "candidates", "text", "answer_from",
	"correct", "model", "sampler", "finish", "n_tokens", "sum_logprob", "tail_logprob", "min_window_logprob",
}

// keepExtra keeps the fields that were not read: those of a record with one candidate
// are the candidate's.
func (o *object) keepExtra(q *rcvae.Question) {
	extra := rcvae.Extra{}
	for name, value := range o.tree {
		if o.used[name] || slices.Contains(poolNames, name) {
			continue
		}
		if text, err := json.Marshal(value); err == nil {
			extra[name] = text
		}
	}
	switch {
	case len(extra) == 0:
	case len(q.Candidates) == 1:
		q.Candidates[0].Extra = extra
	default:
		q.Extra = extra
	}
}
