package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// maxFields is the largest number of fields of one object. It bounds the search
// for duplicates.
const maxFields = 256

// members calls visit for every key and value of an object, in their order, and
// returns the keys. text must be valid JSON; values are slices of it.
func members(text []byte, visit func(key string, value []byte) error) (keys []string, err error) {
	i := skipSpace(text, 0)
	if text[i] != '{' {
		return nil, errors.New("a JSON object is expected here")
	}
	for i = skipSpace(text, i+1); text[i] != '}'; {
		end := skipValue(text, i)
		key := decodeString(text[i:end])
		if slices.Contains(keys, key) {
			return nil, fmt.Errorf("field %q occurs twice", key)
		}
		if keys = append(keys, key); len(keys) > maxFields {
			return nil, fmt.Errorf("more than %d fields in one object", maxFields)
		}
		i = skipSpace(text, end)
		i = skipSpace(text, i+1) // the colon
		end = skipValue(text, i)
		if err := visit(key, text[i:end]); err != nil {
			return nil, fmt.Errorf("field %q: %w", key, err)
		}
		if i = skipSpace(text, end); text[i] == ',' {
			i = skipSpace(text, i+1)
		}
	}
	return keys, nil
}

// elements calls visit for every element of an array.
func elements(text []byte, visit func(value []byte) error) error {
	i := skipSpace(text, 0)
	if text[i] != '[' {
		return errors.New("a JSON array is expected here")
	}
	for i = skipSpace(text, i+1); text[i] != ']'; {
		end := skipValue(text, i)
		if err := visit(text[i:end]); err != nil {
			return err
		}
		if i = skipSpace(text, end); text[i] == ',' {
			i = skipSpace(text, i+1)
		}
	}
	return nil
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the end of the value that begins at text[i].
func skipValue(text []byte, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = skipString(text, i) - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // behind a number or a word
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r', ':':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// skipString returns the end of the string whose quote is text[i].
func skipString(text []byte, i int) int {
	for i++; ; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// decodeString decodes a JSON string that is known to be valid.
func decodeString(text []byte) string {
	inner := text[1 : len(text)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		panic(err) // the line has been validated
	}
	return s
}

// kind returns what a value begins with: '{', '[', '"', 't', 'f', 'n', or '0' for
// numbers.
func kind(value []byte) byte {
	if c := value[0]; c == '-' || c >= '0' && c <= '9' {
		return '0'
	}
	return value[0]
}
