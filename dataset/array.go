package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// isArray reports whether the first byte that is not blank opens an array.
func isArray(in *bufio.Reader) bool {
	start, _ := in.Peek(4 << 10) // a shorter file is peeked as a whole
	start = bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\ufeff")), " \t\r\n")
	return bytes.HasPrefix(start, []byte("["))
}

// opens reports whether a line is the beginning of an object that is not closed in it.
func opens(text []byte) bool {
	syntax, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(text, new(json.RawMessage)))
	return ok && text[0] == '{' && int(syntax.Offset) >= len(text)
}

// elements yields the elements of a JSON array, numbered from 1.
func elements(in *bufio.Reader, name string, yield func(line, error) bool) {
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	limited := &limitedReader{in, maxLine}
	decoder := json.NewDecoder(limited)
	_, _ = decoder.Token() // the bracket, as isArray has seen
	number, ok := eachElement(decoder, limited, name, yield)
	if !ok {
		return
	}
	if err := endOfArray(decoder); err != nil {
		yield(line{}, &LineError{name, number, err})
	}
}

// eachElement yields the elements up to the end of the array. It returns the number of
// the next one, and whether there was neither an error nor an end of the caller's wish.
func eachElement(decoder *json.Decoder, limited *limitedReader, name string, yield func(line, error) bool) (number int, ok bool) {
	number = 1
	for ; decoder.More(); number++ {
		limited.left = maxLine
		text, err := element(decoder)
		if err != nil {
			err = &LineError{name, number, err}
		}
		if !yield(line{number, text}, err) || err != nil {
			return number, false
		}
	}
	return number, true
}

func element(decoder *json.Decoder) (text json.RawMessage, err error) {
	if err := decoder.Decode(&text); err != nil {
		return nil, fmt.Errorf("element of a JSON array: %w; write null for NaN, and copy a file that was cut off again", err)
	}
	return text, checkJSON(text)
}

func endOfArray(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("the JSON array does not end (%w); was the file cut off?", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON array; a file holds one array, or JSON Lines with one object per line")
	}
	return nil
}

// limitedReader bounds what one element may take.
type limitedReader struct {
	io.Reader
	left int
}

func (r *limitedReader) Read(b []byte) (int, error) {
	if r.left <= 0 {
		return 0, fmt.Errorf("longer than %d MiB; make the file JSON Lines, for example with jq -c '.[]'", maxLine>>20)
	}
	n, err := r.Reader.Read(b)
	r.left -= n
	return n, err
}
