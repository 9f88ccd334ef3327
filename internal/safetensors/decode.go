package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxHeader is the largest header in bytes that is read, as in the reference
// implementation.
const maxHeader = 100_000_000

const metadataKey = "__metadata__"

// span is a tensor's place in the data, from the header.
type span struct {
	Tensor
	begin, end int
}

// Decode parses a whole file. The tensors' data is not copied: it stays valid as
// long as data is not changed.
func Decode(data []byte) (*File, error) {
	header, body, err := split(data)
	if err != nil {
		return nil, err
	}
	metadata, spans, err := parseHeader(header)
	if err != nil {
		return nil, fmt.Errorf("safetensors header: %w", err)
	}
	slices.SortStableFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	f := &File{Metadata: metadata}
	at := 0
	for _, s := range spans {
		if s.begin != at || s.end < s.begin {
			return nil, fmt.Errorf("tensor %q: offsets [%d, %d] overlap, leave a gap or run backwards (expected to begin at %d)", s.Name, s.begin, s.end, at)
		}
		if s.end > len(body) {
			return nil, fmt.Errorf("tensor %q: ends at byte %d of the data, which has only %d: the file is truncated; get it again", s.Name, s.end, len(body))
		}
		at = s.end
		s.Data = body[s.begin:s.end:s.end]
		if err := s.check(); err != nil {
			return nil, err
		}
		f.Tensors = append(f.Tensors, s.Tensor)
	}
	if at != len(body) {
		return nil, fmt.Errorf("%d bytes after the last tensor", len(body)-at)
	}
	return f, nil
}

// split cuts a file into its header and its data.
func split(data []byte) (header, body []byte, err error) {
	if len(data) < 8 {
		return nil, nil, fmt.Errorf("not a safetensors file: %d bytes, at least 8 needed", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader {
		return nil, nil, fmt.Errorf("not a safetensors file: header of %d bytes, at most %d allowed", n, maxHeader)
	}
	rest := data[8:]
	if n > uint64(len(rest)) {
		return nil, nil, fmt.Errorf("header of %d bytes, but the file has only %d more: it is truncated; get it again", n, len(rest))
	}
	header = rest[:n]
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, errors.New("not a safetensors file: the header is not a JSON object")
	}
	if !utf8.Valid(header) {
		return nil, nil, errors.New("not a safetensors file: the header is not UTF-8")
	}
	return header, rest[n:], nil
}

func parseHeader(header []byte) (metadata map[string]string, spans []span, err error) {
	dec := json.NewDecoder(bytes.NewReader(header))
	err = eachKey(dec, func(key string) error {
		if key == metadataKey {
			metadata, err = parseMetadata(dec)
			return err
		}
		s, err := parseSpan(dec, key)
		spans = append(spans, s)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, nil, errors.New("something follows the JSON object")
	}
	return metadata, spans, nil
}

// eachKey walks through the next JSON object of dec; visit reads the value of a
// key. Unlike json.Unmarshal, it refuses a key that occurs twice.
func eachKey(dec *json.Decoder, visit func(key string) error) error {
	if token, err := dec.Token(); err != nil {
		return err
	} else if token != json.Delim('{') {
		return fmt.Errorf("found %v instead of an object", token)
	}
	seen := make(map[string]bool)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return fmt.Errorf("found %v instead of a key", token)
		}
		if seen[key] {
			return fmt.Errorf("key %q occurs twice", key)
		}
		seen[key] = true
		if err := visit(key); err != nil {
			return err
		}
	}
	_, err := dec.Token() // the closing brace
	return err
}

func parseMetadata(dec *json.Decoder) (map[string]string, error) {
	metadata := make(map[string]string)
	err := eachKey(dec, func(key string) error {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		value, ok := token.(string)
		if !ok {
			return fmt.Errorf("value of metadata key %q is not a string", key)
		}
		metadata[key] = value
		return nil
	})
	return metadata, err
}

func parseSpan(dec *json.Decoder, name string) (span, error) {
	s := span{Tensor: Tensor{Name: name}}
	var offsets []int
	err := eachKey(dec, func(key string) (err error) {
		switch key {
		case "dtype":
			var token json.Token
			if token, err = dec.Token(); err == nil {
				s.DType, _ = token.(string) // anything else is an unknown type
			}
		case "shape":
			s.Shape, err = parseInts(dec)
		case "data_offsets":
			offsets, err = parseInts(dec)
		default:
			err = fmt.Errorf("unknown key %q", key)
		}
		return err
	})
	if err != nil {
		return s, fmt.Errorf("tensor %q: %w", name, err)
	}
	if s.DType == "" || s.Shape == nil || len(offsets) != 2 {
		return s, fmt.Errorf("tensor %q: dtype, shape or data_offsets is missing or malformed", name)
	}
	s.begin, s.end = offsets[0], offsets[1]
	return s, nil
}

// parseInts reads an array of non-negative integers; nil stands for null.
func parseInts(dec *json.Decoder) ([]int, error) {
	var raw []json.RawMessage
	if err := dec.Decode(&raw); err != nil || raw == nil {
		return nil, err
	}
	ints := make([]int, len(raw))
	for i, r := range raw {
		n, err := strconv.ParseUint(string(r), 10, 63)
		if err != nil || n > math.MaxInt {
			return nil, fmt.Errorf("%s is not a size", r)
		}
		ints[i] = int(n)
	}
	return ints, nil
}
