package openaiapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Done is the data of the event that ends a stream.
const Done = "[DONE]"

// ErrLineTooLong is returned for a line of a stream, or an event, beyond the bound.
var ErrLineTooLong = errors.New("an event of the stream is too long")

// Event is one server-sent event.
type Event struct {
	Name string // the "event:" field; usually empty
	Data []byte // the "data:" lines, joined by newlines
}

// EventReader reads server-sent events as the HTML standard describes them: lines
// end in \n, \r\n or \r, comments and unknown fields are skipped, and an event
// without data is none.
type EventReader struct {
	reader *bufio.Reader
	limit  int
	line   []byte
	skipLF bool // the last line ended in \r
	start  bool // a byte order mark may follow
}

// NewEventReader returns a reader that refuses events of more than limit bytes.
func NewEventReader(r io.Reader, limit int) *EventReader {
	return &EventReader{reader: bufio.NewReaderSize(r, 16<<10), limit: limit, start: true}
}

// Next returns the next event. At the end it returns [io.EOF]; an event that the
// stream's end cuts off is [io.ErrUnexpectedEOF].
func (r *EventReader) Next() (Event, error) {
	var e Event
	hasData, open := false, false
	for {
		line, err := r.readLine()
		if errors.Is(err, io.EOF) && (open || len(line) > 0) {
			return Event{}, fmt.Errorf("the stream is cut off: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return Event{}, err
		}
		if len(line) == 0 {
			if hasData {
				return e, nil
			}
			e, open = Event{}, false
			continue
		}
		key, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(key) {
		case "data":
			if hasData {
				e.Data = append(e.Data, '\n')
			}
			e.Data = append(e.Data, value...)
			hasData, open = true, true
		case "event":
			e.Name, open = string(value), true
		}
		if len(e.Data)+len(e.Name) > r.limit {
			return Event{}, ErrLineTooLong
		}
	}
}

// readLine returns a line without its end, and io.EOF with what is left of one. The
// line is valid until the next call.
func (r *EventReader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	for {
		c, err := r.reader.ReadByte()
		if err != nil {
			return r.line, err
		}
		if skip := r.skipLF; c == '\n' && skip {
			r.skipLF = false
			continue
		}
		r.skipLF = c == '\r'
		if c == '\n' || c == '\r' {
			if r.start {
				r.start = false
				return bytes.TrimPrefix(r.line, []byte("\xef\xbb\xbf")), nil
			}
			return r.line, nil
		}
		if r.line = append(r.line, c); len(r.line) > r.limit {
			return nil, ErrLineTooLong
		}
	}
}

// AppendEvent appends an event to dst: name may be empty, data may have several
// lines. Note: carriage returns in data become line feeds, the format has no other
// way to carry them; JSON has none outside of escapes.
func AppendEvent(dst []byte, name string, data []byte) []byte {
	if name != "" {
		dst = append(append(append(dst, "event: "...), oneLine(name)...), '\n')
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		dst = append(append(append(dst, "data: "...), line...), '\n')
	}
	return append(dst, '\n')
}

// AppendComment appends a comment, which readers skip: a heartbeat.
func AppendComment(dst []byte, text string) []byte {
	return append(append(append(dst, ": "...), oneLine(text)...), "\n\n"...)
}

// lineBreaks replaces what would end a line. It works on bytes: a name need not be
// valid UTF-8.
var lineBreaks = strings.NewReplacer("\n", " ", "\r", " ")

func oneLine(text string) string { return lineBreaks.Replace(text) }
