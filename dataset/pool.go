package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"

	"rcvae"
)

// Pool yields the items of a pool, plain or compressed. An error is a [*LineError],
// names the file by name, and ends the sequence. An item without an id gets
// "line-N".
//
// A candidate's LogProb is set when sum_logprob, tail_logprob and
// min_window_logprob are all there; one alone stays in Extra.
func Pool(r io.Reader, name string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var d poolDecoder
		for l, err := range lines(r, name) {
			var item Item
			if err == nil {
				if item, err = d.item(l.text); err != nil {
					err = &LineError{name, l.number, err}
				}
			}
			if err != nil {
				yield(Item{}, err)
				return
			}
			if item.ID == "" {
				item.ID = "line-" + strconv.Itoa(l.number)
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// LoadPool reads the named pools, one after the other. A pool without items is an
// error.
func LoadPool(paths ...string) ([]Item, error) {
	var all []Item
	for _, path := range paths {
		before := len(all)
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("load pool: %w", err)
		}
		for item, err := range Pool(file, path) {
			if err != nil {
				_ = file.Close() // it was only read
				return nil, err
			}
			all = append(all, item)
		}
		if err := file.Close(); err != nil {
			return nil, fmt.Errorf("load pool: %w", err)
		}
		if len(all) == before {
			return nil, fmt.Errorf("%s: the pool holds no items", path)
		}
	}
	return all, nil
}

// The fields that this package knows, in the order in which new objects have them.
var (
	itemFields   = [...]string{"id", "question", "solution", "answer", "subject", "level", "candidates"}
	sampleFields = [...]string{"text", "answer", "correct", "model", "sampler", "finish", "n_tokens",
		"sum_logprob", "tail_logprob", "min_window_logprob", "answer_from"}
	logProbFields = sampleFields[7:10]
)

// maxCandidate is the longest text of a candidate in bytes, about 128 thousand tokens.
const maxCandidate = 512 << 10

// poolDecoder remembers the last forms, which mostly are the next ones too, so that
// a pool holds them once.
type poolDecoder struct{ itemKeys, sampleKeys []string }

func (d *poolDecoder) item(text []byte) (it Item, err error) {
	found := false
	keys, err := members(text, func(key string, value []byte) (err error) {
		switch key {
		case "id":
			it.ID, err = it.form.text(key, value)
		case "question":
			it.Question, err = it.form.text(key, value)
		case "solution":
			it.Solution, err = it.form.text(key, value)
		case "answer":
			it.Answer, err = it.form.text(key, value)
		case "subject":
			it.Subject, err = it.form.text(key, value)
		case "level":
			it.Level, err = it.form.level(key, value)
		case "candidates":
			found = true
			it.Samples, err = d.samples(value)
		default:
			keep(&it.Extra, key, value)
		}
		return err
	})
	switch {
	case err != nil:
		return Item{}, err
	case it.Question == "":
		return Item{}, errors.New(`field "question" is missing or empty`)
	case !found:
		return Item{}, errors.New(`field "candidates" is missing; is this a file of problems instead of a pool?`)
	}
	it.form.keys = share(&d.itemKeys, keys)
	return it, nil
}

func (d *poolDecoder) samples(text []byte) (samples []Sample, err error) {
	err = elements(text, func(value []byte) error {
		s, err := d.sample(value)
		if err != nil {
			return fmt.Errorf("candidate %d: %w", len(samples)+1, err)
		}
		samples = append(samples, s)
		return nil
	})
	return samples, err
}

func (d *poolDecoder) sample(text []byte) (s Sample, err error) {
	found := false
	var logProb [3][]byte // values of logProbFields
	keys, err := members(text, func(key string, value []byte) (err error) {
		switch key {
		case "text":
			found = true
			s.Text, err = s.form.text(key, value)
		case "answer":
			s.Answer, err = s.form.text(key, value)
		case "correct":
			s.Correct, err = s.form.bool(key, value)
		case "model":
			s.Model, err = s.form.text(key, value)
		case "sampler":
			s.Sampler, err = s.form.text(key, value)
		case "finish":
			s.Finish, err = s.form.text(key, value)
		case "answer_from":
			s.AnswerFrom, err = s.form.text(key, value)
		case "n_tokens":
			s.Tokens, err = s.form.count(key, value)
		default:
			if i := slices.Index(logProbFields, key); i >= 0 {
				logProb[i] = value
				return checkNumber(value)
			}
			keep(&s.Extra, key, value)
		}
		return err
	})
	if err == nil && !found {
		err = errors.New(`field "text" is missing`)
	}
	if err == nil && len(s.Text) > maxCandidate {
		err = fmt.Errorf("the text has %d bytes, at most %d are allowed: no model writes such a solution, cut or drop it", len(s.Text), maxCandidate)
	}
	if err == nil {
		err = s.setLogProb(logProb)
	}
	if err != nil {
		return Sample{}, err
	}
	s.form.keys = share(&d.sampleKeys, keys)
	return s, nil
}

// setLogProb sets the log-probabilities if all are numbers, and keeps the given
// ones as they are if not.
func (s *Sample) setLogProb(values [3][]byte) error {
	var numbers [3]float64
	complete := true
	for i, value := range values {
		if value == nil || kind(value) == 'n' {
			complete = false
			continue
		}
		var err error
		if numbers[i], err = strconv.ParseFloat(string(value), 64); err != nil {
			return fmt.Errorf("field %q: %w", logProbFields[i], err)
		}
	}
	if complete {
		s.LogProb = &rcvae.LogProb{Sum: numbers[0], Tail: numbers[1], MinWindow: numbers[2]}
		return nil
	}
	for i, value := range values {
		if value != nil {
			keep(&s.Extra, logProbFields[i], value)
		}
	}
	return nil
}

func keep(extra *map[string]json.RawMessage, key string, value []byte) {
	if *extra == nil {
		*extra = make(map[string]json.RawMessage)
	}
	(*extra)[key] = bytes.Clone(value)
}

// share returns last if keys are the same, and remembers keys if not.
func share(last *[]string, keys []string) []string {
	if !slices.Equal(*last, keys) {
		*last = keys
	}
	return *last
}

// ParseSample reads one candidate of a pool from a JSON object.
func ParseSample(object []byte) (Sample, error) {
	if err := checkJSON(object); err != nil {
		return Sample{}, err
	}
	var d poolDecoder
	return d.sample(object)
}
