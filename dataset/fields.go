package dataset

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

// maxNamed is the largest number of fields that an error names.
const maxNamed = 20

// maxFields is the largest number of fields of one object.
const maxFields = 256

// fields are the fields of a JSON object that have not been read yet. The first value
// of a wrong kind is remembered in err, so that it is checked once, at the end.
type fields struct {
	raw   map[string]json.RawMessage
	names []string // all of them, as the object has them
	err   error
}

// parseFields splits a JSON object. A field that stands twice is an error, because
// one of its values would be lost.
func parseFields(text []byte) (*fields, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("a JSON object is expected here")
	}
	f := &fields{raw: make(map[string]json.RawMessage)}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string) // as JSON demands
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("field %q: %w", key, err)
		}
		if _, ok := f.raw[key]; ok {
			return nil, fmt.Errorf("field %q occurs twice", key)
		}
		f.raw[key] = value
		f.names = append(f.names, key)
		if len(f.raw) > maxFields {
			return nil, fmt.Errorf("more than %d fields in one object", maxFields)
		}
	}
	return f, nil
}

// take removes a field and returns its value; ok is false where it is absent or null.
func (f *fields) take(key string) (value json.RawMessage, ok bool) {
	value, ok = f.raw[key]
	delete(f.raw, key)
	return value, ok && value[0] != 'n'
}

func (f *fields) fail(key, want string, value json.RawMessage) {
	if f.err != nil {
		return
	}
	f.err = fmt.Errorf("field %q: %s is expected, found %.20s", key, want, value)
	if want == "a string" && value[0] == '[' {
		f.err = fmt.Errorf("%w; make one text of the list, for example with jq -c '.%s |= join(\"\\n\")'", f.err, key)
	}
}

// missing is the error of a field that an object must have; it names those that are there.
func (f *fields) missing(what string) error {
	names := f.names
	if len(names) > maxNamed {
		names = append(slices.Clone(names[:maxNamed]), "…")
	}
	return fmt.Errorf("%s is missing or empty; the fields are %s; 'rcvae pool import' reads files of other tools and maps names", what, strings.Join(names, ", "))
}

// text reads a string or the text of a number; null is empty.
func (f *fields) text(key string) (text string) {
	value, ok := f.take(key)
	switch {
	case !ok:
	case value[0] == '-' || value[0] >= '0' && value[0] <= '9':
		return string(value)
	case json.Unmarshal(value, &text) != nil:
		f.fail(key, "a string", value)
	}
	return text
}

// first reads the first of the fields that is there and not empty.
func (f *fields) first(keys ...string) string {
	for _, key := range keys {
		if text := f.text(key); text != "" {
			return text
		}
	}
	return ""
}

// verdict reads true, false, or null, which is ungraded.
func (f *fields) verdict(key string) rcvae.Verdict {
	value, ok := f.take(key)
	switch {
	case !ok:
		return rcvae.Ungraded
	case value[0] == 't':
		return rcvae.Correct
	case value[0] != 'f':
		f.fail(key, "true or false", value)
	}
	return rcvae.Incorrect
}

// count reads a number of things; null is 0.
func (f *fields) count(key string) int {
	value, ok := f.take(key)
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(string(value), 10, 31)
	if err != nil {
		f.fail(key, "a whole number of at least 0", value)
	}
	return int(n)
}

// numbers reads finite numbers that belong together. Unless all are there, it returns
// nil and leaves them where they are.
func (f *fields) numbers(keys ...string) (numbers []float64) {
	for _, key := range keys {
		value, ok := f.raw[key]
		if !ok || value[0] == 'n' {
			continue
		}
		x, err := strconv.ParseFloat(string(value), 64)
		if err != nil { // 1e999 too
			f.fail(key, "a number", value)
		}
		numbers = append(numbers, x)
	}
	if len(numbers) < len(keys) {
		return nil
	}
	for _, key := range keys {
		delete(f.raw, key)
	}
	return numbers
}

// rest returns the fields that nobody took.
func (f *fields) rest() (extra rcvae.Extra) {
	if len(f.raw) > 0 {
		extra = f.raw
	}
	return extra
}
