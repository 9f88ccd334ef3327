package openaiapi_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"rcvae/internal/openaiapi"
)

func events(r io.Reader, limit int) (all []openaiapi.Event, err error) {
	reader := openaiapi.NewEventReader(r, limit)
	for {
		e, err := reader.Next()
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
}

func TestEventReader(t *testing.T) {
	for name, tt := range map[string]struct {
		stream string
		want   []string // name|data
		err    error
	}{
		"usual":            {"data: {\"a\":1}\n\ndata: [DONE]\n\n", []string{`|{"a":1}`, "|[DONE]"}, io.EOF},
		"no space":         {"data:x\n\n", []string{"|x"}, io.EOF},
		"one space only":   {"data:  x\n\n", []string{"| x"}, io.EOF},
		"line ends":        {"data: a\r\n\r\ndata: b\r\rdata: c\n\n", []string{"|a", "|b", "|c"}, io.EOF},
		"mark":             {"\ufeffdata: a\n\n", []string{"|a"}, io.EOF},
		"heartbeats":       {": ping\n\n: ping\n\ndata: a\n\n", []string{"|a"}, io.EOF},
		"several lines":    {"data: a\ndata\ndata: b\n\n", []string{"|a\n\nb"}, io.EOF},
		"named":            {"event: candidate\nid: 5\nretry: 1\ndata: a\n\ndata: b\n\n", []string{"candidate|a", "|b"}, io.EOF},
		"name alone":       {"event: x\n\ndata: a\n\n", []string{"|a"}, io.EOF},
		"colon in data":    {"data: a: b\n\n", []string{"|a: b"}, io.EOF},
		"cut off":          {"data: a\n\ndata: b\n", []string{"|a"}, io.ErrUnexpectedEOF},
		"cut off in line":  {"data: a\n\nda", []string{"|a"}, io.ErrUnexpectedEOF},
		"nothing":          {"", nil, io.EOF},
		"line too long":    {"data: " + strings.Repeat("x", 200) + "\n\n", nil, openaiapi.ErrLineTooLong},
		"event too long":   {strings.Repeat("data: xxxxxxxxx\n", 20) + "\n", nil, openaiapi.ErrLineTooLong},
		"comment too long": {":" + strings.Repeat("x", 200) + "\n\n", nil, openaiapi.ErrLineTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := events(iotest.OneByteReader(strings.NewReader(tt.stream)), 100)
			if !errors.Is(err, tt.err) {
				t.Errorf("the stream ends with %v, want %v", err, tt.err)
			}
			var got []string
			for _, e := range all {
				got = append(got, e.Name+"|"+string(e.Data))
			}
			if strings.Join(got, "\x00") != strings.Join(tt.want, "\x00") {
				t.Errorf("events %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAppendEventAndComment(t *testing.T) {
	got := openaiapi.AppendComment(openaiapi.AppendEvent(nil, "a\nb", []byte("x\r\ny")), "still\nhere")
	if want := "event: a b\ndata: x\ndata: y\n\n: still here\n\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzEvents checks that events that were read survive being written and read again,
// that none is beyond the bound, and that a comment changes nothing.
func FuzzEvents(f *testing.F) {
	f.Add([]byte("event: a\r\ndata: b\rdata: c\n\n: d\n\ndata: e\n\n"))
	f.Add([]byte("\ufeffdata\n\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 64
		first, _ := events(bytes.NewReader(stream), limit)
		var out []byte
		for _, e := range first {
			if len(e.Data)+len(e.Name) > limit {
				t.Errorf("an event of %d bytes, the bound is %d", len(e.Data)+len(e.Name), limit)
			}
			out = openaiapi.AppendComment(openaiapi.AppendEvent(out, e.Name, e.Data), "ping")
		}
		second, err := events(bytes.NewReader(out), 10*limit)
		if !errors.Is(err, io.EOF) || len(second) != len(first) {
			t.Fatalf("%d events became %d, %v", len(first), len(second), err)
		}
		for i := range first {
			if first[i].Name != second[i].Name || !bytes.Equal(first[i].Data, second[i].Data) {
				t.Errorf("event %q became %q", first[i], second[i])
			}
		}
	})
}
