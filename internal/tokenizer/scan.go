package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// scanPairs reads a Unigram vocabulary, [["token", score], …], from valid JSON. By hand
// it takes a third of the time that encoding/json needs for the 250,002 of XLM-RoBERTa.
func scanPairs(raw []byte) (tokens []string, scores []float64, err error) {
	s := scanner{data: raw}
	if !s.take('[') {
		return nil, nil, errors.New("vocabulary: want an array")
	}
	for !s.take(']') {
		if len(tokens) > 0 && !s.take(',') || !s.take('[') {
			return nil, nil, s.fail(len(tokens))
		}
		token, ok := s.string()
		if !ok || !s.take(',') {
			return nil, nil, s.fail(len(tokens))
		}
		score, ok := s.number()
		if !ok || !s.take(']') || len(tokens) == maxTokens {
			return nil, nil, s.fail(len(tokens))
		}
		tokens, scores = append(tokens, token), append(scores, score)
	}
	return tokens, scores, nil
}

type scanner struct {
	data []byte
	at   int
}

func (s *scanner) fail(n int) error {
	return fmt.Errorf("vocabulary entry %d: want a token and its score, and at most %d of them", n, maxTokens)
}

// take skips white space and then c, if it is there.
func (s *scanner) take(c byte) bool {
	for s.at < len(s.data) && strings.IndexByte(" \t\r\n", s.data[s.at]) >= 0 {
		s.at++
	}
	if s.at == len(s.data) || s.data[s.at] != c {
		return false
	}
	s.at++
	return true
}

func (s *scanner) string() (string, bool) {
	if !s.take('"') {
		return "", false
	}
	start, escaped := s.at, false
	for s.at < len(s.data) && s.data[s.at] != '"' {
		if s.data[s.at] == '\\' {
			escaped = true
			s.at++
		}
		s.at++
	}
	if s.at >= len(s.data) {
		return "", false
	}
	s.at++
	if !escaped {
		return string(s.data[start : s.at-1]), true
	}
	var text string
	err := json.Unmarshal(s.data[start-1:s.at], &text)
	return text, err == nil
}

func (s *scanner) number() (float64, bool) {
	s.take(0) // white space alone
	start := s.at
	for s.at < len(s.data) && strings.IndexByte("+-.0123456789eE", s.data[s.at]) >= 0 {
		s.at++
	}
	v, err := strconv.ParseFloat(string(s.data[start:s.at]), 64)
	return v, err == nil
}

// members cuts a JSON object into its values, which are not looked into: whoever uses
// one decodes it. For a file of 17 MB whose vocabulary is read by hand that saves most of
// the time.
func members(data []byte) (map[string]json.RawMessage, error) {
	s := scanner{data: data}
	if !s.take('{') {
		return nil, errors.New("want an object")
	}
	out := make(map[string]json.RawMessage)
	for !s.take('}') {
		if len(out) > 0 && !s.take(',') {
			return nil, fmt.Errorf("byte %d: want a comma", s.at)
		}
		key, ok := s.string()
		if !ok || !s.take(':') {
			return nil, fmt.Errorf("byte %d: want a key", s.at)
		}
		if _, seen := out[key]; seen {
			return nil, fmt.Errorf("key %q occurs twice", key)
		}
		value, ok := s.skip()
		if !ok {
			return nil, fmt.Errorf("byte %d: the value of %q does not end", s.at, key)
		}
		out[key] = value
	}
	if s.take(0); s.at != len(data) {
		return nil, errors.New("something follows the object")
	}
	return out, nil
}

// skip returns the next value.
func (s *scanner) skip() (json.RawMessage, bool) {
	s.take(0)
	start, depth := s.at, 0
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case '"':
			if !s.skipString() {
				return nil, false
			}
			continue
		case '[', '{':
			depth++
		case ']', '}', ',':
			if depth == 0 {
				return s.data[start:s.at], s.at > start
			}
			if c != ',' {
				depth--
			}
		}
		s.at++
	}
	return nil, false
}

func (s *scanner) skipString() bool {
	for s.at++; s.at < len(s.data); s.at++ {
		switch s.data[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return true
		}
	}
	return false
}
