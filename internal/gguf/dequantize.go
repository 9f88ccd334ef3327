package gguf

import (
	"encoding/binary"
	"fmt"
	"math"

	"rcvae/internal/half"
)

// Type is how a tensor's values are stored.
type Type uint32

// The supported types.
const (
	F32  Type = 0
	F16  Type = 1
	Q4_0 Type = 2
	Q5_0 Type = 6
	Q8_0 Type = 8
	Q4K  Type = 12
	Q5K  Type = 13
	Q6K  Type = 14
	BF16 Type = 30
)

// layout tells how a block of values is stored.
type layout struct {
	name          string
	values, bytes int
	decode        func(y []float32, b []byte)
}

var layouts = map[Type]layout{
	F32:  {"F32", 1, 4, func(y []float32, b []byte) { y[0] = math.Float32frombits(binary.LittleEndian.Uint32(b)) }},
	F16:  {"F16", 1, 2, func(y []float32, b []byte) { y[0] = halfAt(b) }},
	BF16: {"BF16", 1, 2, func(y []float32, b []byte) { y[0] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) }},
	Q4_0: {"Q4_0", 32, 18, decodeQ4_0},
	Q5_0: {"Q5_0", 32, 22, decodeQ5_0},
	Q8_0: {"Q8_0", 32, 34, decodeQ8_0},
	Q4K:  {"Q4_K", 256, 144, decodeQ4K},
	Q5K:  {"Q5_K", 256, 176, decodeQ5K},
	Q6K:  {"Q6_K", 256, 210, decodeQ6K},
}

// String returns the type's name.
func (t Type) String() string {
	if l, ok := layouts[t]; ok {
		return l.name
	}
	return fmt.Sprintf("%d", uint32(t))
}

// Bits returns how many bits a value takes, without its share of scales.
func (t Type) Bits() int {
	l := layouts[t]
	return 8 * l.bytes / l.values
}

// Columns returns the length of a row, 1 for a scalar.
func (t *Tensor) Columns() int {
	if len(t.Shape) == 0 {
		return 1
	}
	return t.Shape[len(t.Shape)-1]
}

// Row sets dst, of the length of a row, to row i.
func (t *Tensor) Row(dst []float32, i int) {
	l := layouts[t.Type]
	size := t.Columns() / l.values * l.bytes
	data := t.Data[i*size : (i+1)*size]
	for j := 0; j*l.bytes < size; j++ {
		l.decode(dst[j*l.values:(j+1)*l.values], data[j*l.bytes:(j+1)*l.bytes])
	}
}

// halfAt decodes the half-precision number that b begins with.
func halfAt(b []byte) float32 { return half.Float32(binary.LittleEndian.Uint16(b)) }

// The types with one scale for 32 values: scale · (integer − offset).

func decodeQ4_0(y []float32, b []byte) {
	d := halfAt(b)
	for j, q := range b[2:18] {
		y[j] = d * float32(int(q&15)-8)
		y[j+16] = d * float32(int(q>>4)-8)
	}
}

func decodeQ5_0(y []float32, b []byte) {
	d, high := halfAt(b), binary.LittleEndian.Uint32(b[2:])
	for j, q := range b[6:22] {
		y[j] = d * float32(int(q&15)|int(high>>j&1)<<4-16)
		y[j+16] = d * float32(int(q>>4)|int(high>>(j+16)&1)<<4-16)
	}
}

func decodeQ8_0(y []float32, b []byte) {
	d := halfAt(b)
	for j, q := range b[2:34] {
		y[j] = d * float32(int8(q))
	}
}

// The types with 256 values in groups: a half-precision scale (and minimum) of the
// block times a small integer scale (and minimum) of the group. The conversions round
// each product by itself, where a machine could fuse it with the difference.

// groupScale returns the 6-bit scale and minimum of group j of eight.
func groupScale(j int, q []byte) (scale, minimum float32) {
	if j < 4 {
		return float32(q[j] & 63), float32(q[j+4] & 63)
	}
	return float32(q[j+4]&15 | q[j-4]>>6<<4), float32(q[j+4]>>4 | q[j]>>6<<4)
}

func decodeQ4K(y []float32, b []byte) {
	d, dmin, scales, q := halfAt(b), halfAt(b[2:]), b[4:16], b[16:144]
	for j := range 8 {
		s, m := groupScale(j, scales)
		shift := j % 2 * 4
		for l, c := range q[j/2*32 : j/2*32+32] {
			y[32*j+l] = float32(d*s*float32(c>>shift&15)) - float32(dmin*m)
		}
	}
}

func decodeQ5K(y []float32, b []byte) {
	d, dmin, scales, high, q := halfAt(b), halfAt(b[2:]), b[4:16], b[16:48], b[48:176]
	for j := range 8 {
		s, m := groupScale(j, scales)
		shift := j % 2 * 4
		for l, c := range q[j/2*32 : j/2*32+32] {
			y[32*j+l] = float32(d*s*float32(c>>shift&15|high[l]>>j&1<<4)) - float32(dmin*m)
		}
	}
}

func decodeQ6K(y []float32, b []byte) {
	d := halfAt(b[208:])
	for i := range 8 { // groups of 32 values with a scale for each 16
		side, group := i/4, i%4
		low := b[64*side+group%2*32:]
		high := b[128+32*side:]
		scales := b[192+8*side+2*group:]
		for l := range 32 {
			q := low[l]>>(group/2*4)&15 | high[l]>>(2*group)&3<<4
			y[32*i+l] = d * float32(int8(scales[l/16])) * float32(int(q)-32)
		}
	}
}
