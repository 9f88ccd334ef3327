package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"unicode/utf8"
)

// maxLine is the longest JSON line in bytes.
const maxLine = 64 << 20

// line is one non-blank line; its text is JSON and valid until the next one is read.
type line struct {
	number int
	text   []byte
}

// records yields the records of a file as JSON: the rows of Parquet, the lines of JSON
// Lines, or the elements of a JSON array.
func records(file *os.File, name string) iter.Seq2[line, error] {
	if isParquet(file) {
		return parquetLines(file, name)
	}
	return lines(file, name)
}

// lines yields the non-blank lines of r, or the elements of the array that it holds. An
// error is a [*LineError]; after a line that is not JSON, the next one can be read.
func lines(r io.Reader, name string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		fail := func(number int, err error) { yield(line{}, &LineError{name, number, err}) }
		unpacked, err := unpack(r)
		if err != nil {
			fail(1, err)
			return
		}
		defer unpacked.Close()
		in := bufio.NewReaderSize(unpacked, 256<<10)
		if isArray(in) {
			elements(in, name, yield)
			return
		}
		var buf []byte
		for number := 1; ; number++ {
			text, err := readLine(in, buf[:0])
			buf = text
			if err != nil && !errors.Is(err, io.EOF) {
				fail(number, err)
				return
			}
			if number == 1 {
				text = bytes.TrimPrefix(text, []byte("\ufeff"))
			}
			text = bytes.TrimSpace(text)
			if bad := checkJSON(text); len(text) > 0 && bad != nil {
				if number == 1 && err == nil && json.Unmarshal(text, new(any)) != nil && opens(text) {
					bad = errors.New("the JSON goes on in the next line, and JSON Lines has one object per line; jq -c . FILE writes it so; a log of inspect_ai is read by 'rcvae pool import --from inspect'")
				}
				if !yield(line{}, &LineError{name, number, bad}) {
					return
				}
			} else if len(text) > 0 && !yield(line{number, text}, nil) {
				return
			}
			if errors.Is(err, io.EOF) {
				return
			}
		}
	}
}

// readLine appends the next line to buf. With io.EOF it returns the last one.
func readLine(in *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(buf)+len(part) > maxLine {
			return nil, fmt.Errorf("the line is longer than %d MiB; is this JSON Lines?", maxLine>>20)
		}
		buf = append(buf, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return buf, err
		}
	}
}

// CheckJSON is an error that says what is wrong with a text that is not JSON in UTF-8.
func CheckJSON(text []byte) error { return checkJSON(text) }

// checkJSON tells what is wrong with a line that is not JSON.
func checkJSON(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("the line is not UTF-8; convert the file to UTF-8")
	}
	if json.Valid(text) {
		return nil
	}
	err := json.Unmarshal(text, new(json.RawMessage))
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return fmt.Errorf("not JSON: %w", err)
	}
	at := int(syntax.Offset) - 1 // of the offending byte
	for _, literal := range []string{"NaN", "Infinity", "-Infinity"} {
		if at >= 0 && at < len(text) && (bytes.HasPrefix(text[at:], []byte(literal)) || bytes.HasPrefix(text[max(0, at-1):], []byte(literal))) {
			return fmt.Errorf("not JSON: %s at byte %d; write null for an unknown number", literal, at+1)
		}
	}
	if int(syntax.Offset) >= len(text) {
		return fmt.Errorf("not JSON: the line ends too early (%w); was the file cut off?", err)
	}
	return fmt.Errorf("not JSON at byte %d: %w; the file must have one JSON object per line", at+1, err)
}
