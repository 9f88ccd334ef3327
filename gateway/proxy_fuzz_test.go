package gateway

import (
	"bytes"
	"testing"
)

// FuzzWhole cuts a stream anywhere: all of it is passed on, and before its end only
// whole events are.
func FuzzWhole(f *testing.F) {
	f.Add([]byte("data: 1\n\ndata: 2\n\n: c\n\ndata"), uint16(3))
	f.Add([]byte("data: 1\r\n\r\ndata: 2\r\n"), uint16(7))
	f.Add([]byte("a\r\rb"), uint16(1))
	f.Fuzz(func(t *testing.T, stream []byte, size uint16) {
		c := &copying{events: true}
		var out []byte
		for rest := stream; ; {
			n := min(1+int(size)%64, len(rest))
			out = append(out, c.whole(rest[:n], n == len(rest))...)
			if rest = rest[n:]; len(rest) == 0 {
				break
			}
			if len(out) > 0 && !bytes.HasSuffix(out, []byte("\n\n")) && !bytes.HasSuffix(out, []byte("\r\n\r\n")) && !bytes.HasSuffix(out, []byte("\r\r")) {
				t.Fatalf("%q was passed on of %q", out, stream)
			}
		}
		if !bytes.Equal(out, stream) {
			t.Errorf("%q became %q", stream, out)
		}
	})
}
