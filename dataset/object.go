package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// objectWriter builds one line.
type objectWriter struct {
	bytes.Buffer
	encoder *json.Encoder // into the buffer
}

func (w *objectWriter) item(it Item) error {
	if it.Question == "" {
		return errors.New("the question is empty")
	}
	return w.object(it.form, itemFields[:], it.Extra, func(key string, had bool) (bool, error) {
		switch key {
		case "id":
			return w.text(it.form, key, it.ID, true)
		case "question":
			return w.text(it.form, key, it.Question, true)
		case "solution":
			return w.text(it.form, key, it.Solution, had)
		case "answer":
			return w.text(it.form, key, it.Answer, had)
		case "subject":
			return w.text(it.form, key, it.Subject, had)
		case "level":
			if raw, ok := original(it.form, key, it.Level, (*form).level); ok {
				return w.raw(key, raw)
			}
			return w.count(key, it.Level, had)
		case "candidates":
			return true, w.samples(it.Samples)
		}
		return false, nil
	})
}

func (w *objectWriter) samples(samples []Sample) error {
	w.key("candidates")
	w.WriteByte('[')
	for i, s := range samples {
		if i > 0 {
			w.WriteString(", ")
		}
		if err := w.sample(s); err != nil {
			return fmt.Errorf("candidate %d: %w", i+1, err)
		}
	}
	w.WriteByte(']')
	return nil
}

func (w *objectWriter) sample(s Sample) error {
	return w.object(s.form, sampleFields[:], s.Extra, func(key string, had bool) (bool, error) {
		switch key {
		case "text":
			return w.text(s.form, key, s.Text, true)
		case "answer":
			if s.Answer == "" && s.form.keys == nil { // a new sample
				return w.raw(key, "null")
			}
			return w.text(s.form, key, s.Answer, had)
		case "model":
			return w.text(s.form, key, s.Model, had)
		case "sampler":
			return w.text(s.form, key, s.Sampler, had)
		case "finish":
			return w.text(s.form, key, s.Finish, had)
		case "answer_from":
			return w.text(s.form, key, s.AnswerFrom, had)
		case "correct":
			if s.Correct != nil {
				return w.raw(key, strconv.FormatBool(*s.Correct))
			}
			if s.form.raw[key] == "null" {
				return w.raw(key, "null")
			}
			return false, nil
		case "n_tokens":
			if raw, ok := original(s.form, key, s.Tokens, (*form).count); ok {
				return w.raw(key, raw)
			}
			return w.count(key, s.Tokens, had)
		}
		if i := slices.Index(logProbFields, key); i >= 0 && s.LogProb != nil {
			return w.number(key, [...]float64{s.LogProb.Sum, s.LogProb.Tail, s.LogProb.MinWindow}[i])
		}
		return false, nil
	})
}

// object writes the fields in the order in which they were read, then the known
// ones that are new, then the unknown ones that are new. known writes a known field
// and reports whether there was something to write; had tells it that the field was
// there when the object was read.
func (w *objectWriter) object(f form, fields []string, extra map[string]json.RawMessage, known func(key string, had bool) (bool, error)) error {
	w.WriteByte('{')
	field := func(key string, had bool) error {
		written, err := known(key, had)
		if raw, ok := extra[key]; ok && !written && err == nil {
			err = w.extra(key, raw)
		}
		return err
	}
	for _, key := range f.keys {
		if err := field(key, true); err != nil {
			return err
		}
	}
	rest := slices.DeleteFunc(slices.Sorted(maps.Keys(extra)), func(key string) bool { return slices.Contains(fields, key) })
	for _, key := range slices.Concat(fields, rest) {
		if slices.Contains(f.keys, key) {
			continue
		}
		if err := field(key, false); err != nil {
			return err
		}
	}
	w.WriteByte('}')
	return nil
}

// key begins a field of the object that is open.
func (w *objectWriter) key(key string) {
	if w.Bytes()[w.Len()-1] != '{' {
		w.WriteString(", ")
	}
	w.quote(key)
	w.WriteString(": ")
}

func (w *objectWriter) quote(s string) {
	_ = w.encoder.Encode(s) // a string always encodes, into memory
	w.Truncate(w.Len() - 1) // the newline
}

func (w *objectWriter) raw(key, raw string) (bool, error) {
	w.key(key)
	w.WriteString(raw)
	return true, nil
}

// text writes a string; an empty one only if always is set.
func (w *objectWriter) text(f form, key, value string, always bool) (bool, error) {
	if raw, ok := original(f, key, value, (*form).text); ok {
		return w.raw(key, raw)
	}
	if value == "" && !always {
		return false, nil
	}
	w.key(key)
	w.quote(value)
	return true, nil
}

func (w *objectWriter) count(key string, n int, always bool) (bool, error) {
	if n == 0 && !always {
		return false, nil
	}
	return w.raw(key, strconv.Itoa(n))
}

func (w *objectWriter) number(key string, x float64) (bool, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return false, fmt.Errorf("field %q is %v", key, x)
	}
	return w.raw(key, strconv.FormatFloat(x, 'g', -1, 64))
}

// extra writes an unknown field as it is, on one line.
func (w *objectWriter) extra(key string, raw json.RawMessage) error {
	if !json.Valid(raw) {
		return fmt.Errorf("extra field %q is not JSON", key)
	}
	w.key(key)
	if bytes.IndexByte(raw, '\n') >= 0 {
		return json.Compact(&w.Buffer, raw)
	}
	w.Write(raw)
	return nil
}
