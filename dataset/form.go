package dataset

import (
	"fmt"
	"strconv"
)

// The methods below decode a field of an item or a sample. A value of another form
// than this package writes is remembered as it was.

func (f *form) remember(key string, value []byte) {
	if f.raw == nil {
		f.raw = make(map[string]string)
	}
	f.raw[key] = string(value)
}

// text reads a string; null is empty, and a number is its text.
func (f *form) text(key string, value []byte) (string, error) {
	switch kind(value) {
	case '"':
		return decodeString(value), nil
	case 'n':
		f.remember(key, value)
		return "", nil
	case '0':
		f.remember(key, value)
		return string(value), nil
	}
	return "", fmt.Errorf("a string is expected, found %.20s", value)
}

// level reads a level of MATH: 5, "Level 5"; null and "Level ?" are 0.
func (f *form) level(key string, value []byte) (int, error) {
	text, err := f.text(key, value)
	if err != nil {
		return 0, err
	}
	level := parseLevel(text)
	if string(value) != strconv.Itoa(level) {
		f.remember(key, value)
	}
	return level, nil
}

// bool reads true, false, or null, which is nil.
func (f *form) bool(key string, value []byte) (*bool, error) {
	switch kind(value) {
	case 't', 'f':
		return new(value[0] == 't'), nil
	case 'n':
		f.remember(key, value)
		return nil, nil
	}
	return nil, fmt.Errorf("true or false is expected, found %.20s", value)
}

// count reads a number of things; null is 0.
func (f *form) count(key string, value []byte) (int, error) {
	if kind(value) == 'n' {
		f.remember(key, value)
		return 0, nil
	}
	n, err := strconv.Atoi(string(value))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("a whole number of at least 0 is expected, found %.20s", value)
	}
	if strconv.Itoa(n) != string(value) { // -0
		f.remember(key, value)
	}
	return n, nil
}

// checkNumber refuses what is neither a number nor null.
func checkNumber(value []byte) error {
	if k := kind(value); k != '0' && k != 'n' {
		return fmt.Errorf("a number is expected, found %.20s", value)
	}
	return nil
}

// original returns the remembered text of a field if decoding it still gives what
// the field holds.
func original[T comparable](f form, key string, holds T, decode func(f *form, key string, value []byte) (T, error)) (raw string, ok bool) {
	raw, ok = f.raw[key]
	if !ok {
		return "", false
	}
	var scratch form
	decoded, err := decode(&scratch, key, []byte(raw))
	return raw, err == nil && decoded == holds
}
