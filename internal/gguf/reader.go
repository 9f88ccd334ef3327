package gguf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// reader walks through a file's header. After an error it returns zeros.
type reader struct {
	data []byte
	at   int
	err  error
}

var errShort = errors.New("the file ends within its header: it is truncated; get it again")

func (r *reader) bytes(n uint64) []byte {
	if r.err == nil && n > uint64(len(r.data)-r.at) {
		r.err = errShort
	}
	if r.err != nil {
		return nil
	}
	b := r.data[r.at : r.at+int(n)]
	r.at += int(n)
	return b
}

func (r *reader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) string(limit uint64) string {
	n := r.uint64()
	if r.err == nil && n > limit {
		r.err = fmt.Errorf("a string of %d bytes, at most %d are allowed", n, limit)
	}
	return string(r.bytes(n))
}

// Types of metadata values.
const (
	kindUint8 = iota
	kindInt8
	kindUint16
	kindInt16
	kindUint32
	kindInt32
	kindFloat32
	kindBool
	kindString
	kindArray
	kindUint64
	kindInt64
	kindFloat64
)

// kindSizes are the bytes of the numbers.
var kindSizes = [...]uint64{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}

// value reads one value, see [File] for what it returns.
func (r *reader) value(kind uint32) any {
	switch {
	case kind == kindString:
		return r.string(math.MaxInt32)
	case kind == kindArray:
		return r.array(r.uint32(), r.uint64())
	case kind >= uint32(len(kindSizes)):
		r.fail(kind)
		return nil
	}
	return number(kind, r.bytes(kindSizes[kind]))
}

func (r *reader) fail(kind uint32) {
	if r.err == nil {
		r.err = fmt.Errorf("values of type %d are not supported", kind)
	}
}

// number decodes the bytes of a number or a truth value; nil when there are none.
func number(kind uint32, b []byte) any {
	if b == nil {
		return nil
	}
	switch kind {
	case kindUint8:
		return int64(b[0])
	case kindInt8:
		return int64(int8(b[0]))
	case kindUint16:
		return int64(binary.LittleEndian.Uint16(b))
	case kindInt16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case kindUint32:
		return int64(binary.LittleEndian.Uint32(b))
	case kindInt32:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	case kindFloat32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case kindBool:
		return b[0] != 0
	case kindFloat64:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return int64(binary.LittleEndian.Uint64(b)) // 64-bit integers; none is near 2⁶³
}

func (r *reader) array(kind uint32, n uint64) any {
	if kind == kindString {
		return r.strings(n)
	}
	if kind >= uint32(len(kindSizes)) || kindSizes[kind] == 0 {
		r.fail(kind)
		return nil
	}
	width := kindSizes[kind]
	if n > uint64(len(r.data))/width {
		r.err = errShort
		return nil
	}
	body := r.bytes(n * width)
	switch kind {
	case kindUint8, kindInt8, kindBool:
		return body
	case kindFloat32, kindFloat64:
		return numbers[float64](kind, width, body)
	}
	return numbers[int64](kind, width, body)
}

func numbers[T int64 | float64](kind uint32, width uint64, body []byte) []T {
	out := make([]T, 0, len(body)/int(width))
	for i := 0; i < len(body); i += int(width) {
		v, _ := number(kind, body[i:i+int(width)]).(T)
		out = append(out, v)
	}
	return out
}

func (r *reader) strings(n uint64) []string {
	if n > uint64(len(r.data))/8 { // each has a length of eight bytes
		r.err = errShort
		return nil
	}
	out := make([]string, 0, n)
	for range n {
		out = append(out, r.string(math.MaxInt32))
		if r.err != nil {
			return nil
		}
	}
	return out
}
