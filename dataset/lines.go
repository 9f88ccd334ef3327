package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"
)

// maxLine is the longest JSON line in bytes.
const maxLine = 64 << 20

// line is one non-blank line; its text is JSON and valid until the next one is read.
type line struct {
	number int
	text   []byte
}

// lines yields the non-blank lines of r, or one [*LineError] at the end.
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
				fail(number, bad)
				return
			}
			if len(text) > 0 && !yield(line{number, text}, nil) {
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
